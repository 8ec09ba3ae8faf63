"""From what Marketo sends, as JSON or as CSV, to changes."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import Change
from errors import AnswerError

NULL = "null"
"""What stands in an export's field that holds nothing. A text `null` cannot be told from it."""

_encode = msgspec.json.Encoder().encode
_DOUBLE_ZONE = re.compile(r"Z\+0000$")


class Activity(msgspec.Struct, gc=False):
    """What is read of an activity from REST; the rest stays bytes."""

    lead: int | str = msgspec.field(name="leadId")
    type: int | str = msgspec.field(name="activityTypeId")
    at: str | None = msgspec.field(default=None, name="activityDate")
    guid: str | int | None = msgspec.field(default=None, name="marketoGUID")
    id: int | str | None = None
    primary: int | str | None = msgspec.field(default=None, name="primaryAttributeValueId")
    attributes: object = None

    @property
    def key(self) -> str:
        """`marketoGUID`; `id` is not unique, and stands in only where an old activity has nothing else."""
        return str(self.guid if self.guid not in (None, "") else self.id)

    def attribute(self, name: str) -> object:
        """One of its attributes, in the form of REST (a list of names and values) or of exports (a map)."""
        if isinstance(self.attributes, dict):
            return self.attributes.get(name)
        pairs = self.attributes if isinstance(self.attributes, list) else []
        return next((p.get("value") for p in pairs if isinstance(p, dict) and p.get("name") == name), None)


def activity_of(raw: msgspec.Raw) -> Activity:
    """The head of an activity.

    Raises:
        AnswerError: it has no lead or no type.
    """
    try:
        return decode_record(raw, Activity)
    except msgspec.ValidationError:
        raise unreadable("an activity") from None


def moment(text: str | None) -> datetime | None:
    """A time as Marketo writes it (2023-01-16T23:32:19Z, ...+0000, ...Z+0000 in assets), aware UTC; None if it is none."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(_DOUBLE_ZONE.sub("Z", text))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def ids_in(value: object) -> list[str]:
    """All whole numbers in a value: lists of ids come as `[1, 2]`, "1;2" or "[1,2]"."""
    return re.findall(r"\d+", str(value or ""))


def losers_of(activity: Activity) -> list[str]:
    """Whom a merge (activity 32) took away: `Merge IDs`; its lead is the winner."""
    return [one for one in ids_in(activity.attribute("Merge IDs")) if one != str(activity.lead)]


def merges_of(activity: Activity) -> list[Change]:
    """A merge as a change of each lead that was merged away."""
    return [Change(loser, moment(activity.at), "merge", b"", str(activity.lead)) for loser in losers_of(activity)]


def row_reader(
    header: list[str], key: Callable[[dict[str, str | None]], str], stamp: str
) -> Callable[[list[str]], Change]:
    """What turns a row of an export under this header into a change.

    The payload is a JSON object of the columns in their order, all values text; `null` is null, an empty text stays one.

    Args:
        header: the columns.
        key: makes the record's id.
        stamp: the column with the version's time.
    """

    def from_row(row: list[str]) -> Change:
        record = {name: None if value == NULL else value for name, value in zip(header, row, strict=True)}
        return Change(key(record), moment(record.get(stamp)), "upsert", _encode(record))

    return from_row


def unreadable(what: str) -> AnswerError:
    """The error for a record that lacks what every record has."""
    return AnswerError(
        f"marketo sent {what} that cannot be read.",
        remedy="Report it with this line: the vendor's API may have changed.",
    )
