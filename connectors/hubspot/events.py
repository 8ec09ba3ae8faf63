"""Things that happen once: marketing e-mail events and form submissions. Both come newest first."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import TypeVar
from urllib.parse import quote

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import EPOCH, Change, Page, Stream, Window
from connectors.base.paginate import ahead, by_token
from connectors.base.windows import span_of
from connectors.hubspot.api import Api, Results, next_of, place_of
from connectors.hubspot.records import moment
from errors import AnswerError

T = TypeVar("T")

EVENT_PAGE = 1_000
SUBMISSION_PAGE = 50
"""The most that HubSpot gives at once."""


class _Events(msgspec.Struct):
    results: list[msgspec.Raw] = msgspec.field(default_factory=list, name="events")
    has_more: bool = msgspec.field(default=False, name="hasMore")
    offset: str | int | None = None


class _Event(msgspec.Struct):
    id: str | int
    created: object = None


class _Submission(msgspec.Struct):
    conversion_id: str | None = msgspec.field(default=None, name="conversionId")
    submitted_at: object = msgspec.field(default=None, name="submittedAt")


def _is_in(at: datetime | None, window: Window) -> bool:
    # what has no time cannot be placed in any window: rather read it too often than never
    return at is None or window.start <= at < window.end


def email_events(api: Api, stream: Stream, window: Window) -> Iterator[Page]:
    """Sent, delivered, opened, clicked, bounced and the like, by the time they happened. HubSpot gives no count."""
    span = span_of(window)
    params: dict[str, str | int] = {"limit": EVENT_PAGE, "endTimestamp": span.end}
    if window.start > EPOCH:
        params["startTimestamp"] = span.start

    def fetch(offset: str | None) -> _Events:
        return api.ask(stream.path, _Events, params={**params, "offset": offset} if offset else params)

    def following(page: _Events) -> str | None:
        return str(page.offset) if page.has_more and page.offset is not None else None

    for page in ahead(by_token(fetch, following, where=f"hubspot:{stream.name}")):
        changes: list[Change] = []
        for raw in page.results:
            event = _decoded(raw, _Event, stream)
            at = moment(event.created)
            if _is_in(at, window):
                changes.append(Change(str(event.id), at, "upsert", bytes(raw)))
        if changes:
            yield Page(changes)


def submissions(api: Api, stream: Stream, window: Window, forms: Iterable[str]) -> Iterator[Page]:
    """Submissions of the forms, each with its form's id; a form whose submissions HubSpot does not give has none.

    There is no filter on time: a form is read from its newest submission on, until a whole page is older.
    """
    for form in dict.fromkeys(forms):
        path = f"{stream.path}/{quote(form, safe='')}"
        intro = b'{"formGuid":' + msgspec.json.encode(form) + b',"submission":'

        def fetch(after: str | None, path: str = path) -> Results:
            params: dict[str, str | int] = {"limit": SUBMISSION_PAGE}
            if after:
                params["after"] = after
            return api.ask_optional(path, Results, params=params) or Results([])

        for page in by_token(fetch, next_of, where=f"hubspot:{stream.name}"):
            changes: list[Change] = []
            is_older = bool(page.results)
            for raw in page.results:
                submission = _decoded(raw, _Submission, stream)
                at = moment(submission.submitted_at)
                is_older = is_older and at is not None and at < window.start
                if _is_in(at, window):
                    identity = submission.conversion_id or _identity(form, submission, raw)
                    changes.append(Change(identity, at, "upsert", intro + bytes(raw) + b"}"))
            if changes:
                yield Page(changes)
            if is_older:
                break


def _identity(form: str, submission: _Submission, raw: msgspec.Raw) -> str:
    """An id for a submission that HubSpot gave none (older ones): the same bytes of the same form are the same one."""
    text = f"{form} {submission.submitted_at} ".encode()
    return blake2b(text + bytes(raw), digest_size=16).hexdigest()


def _decoded(raw: msgspec.Raw, shape: type[T], stream: Stream) -> T:
    try:
        return decode_record(raw, shape)
    except msgspec.ValidationError as error:
        raise AnswerError(
            f"hubspot sent a record of {stream.name} that cannot be read.",
            remedy="Report it with this line: the vendor's API may have changed.",
            detail=place_of(error),
        ) from None
