"""Who is in which program, and on which static list.

Neither can be asked for by time across programs or lists. In full, members are exported (programs, ten at a time) or paged
(lists); after that, the activities that tell of a change say which memberships to look at, so that cost follows change.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Literal

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import Change, Op, Page, Stream, Window
from connectors.base.paginate import batches, in_order
from connectors.marketo.activities import Activities, exported
from connectors.marketo.api import BATCH, Api, Params, Results, id_of
from connectors.marketo.fields import Fields
from connectors.marketo.jobs import Export
from connectors.marketo.records import Activity, losers_of, moment, unreadable
from connectors.marketo.windows import spans

PROGRAMS = 10
"""Programs that one export takes."""

PROGRAM_CHANGES = (104, 113, 114, 115, 123)
"""Status in progression, added to nurture, nurture track and cadence, member data."""

LONGEST_MEMBERS = timedelta(days=7)
"""The longest range of last changes that members are asked for by."""

_Endpoint = Literal["programMembership", "listMembership"]
ADDED, REMOVED, MERGED = 24, 25, 32
WORKERS = 4


class _Program(msgspec.Struct, gc=False):
    type: str | None = None


class _Membership(msgspec.Struct, gc=False):
    id: int | str | None = None
    list: int | str | None = msgspec.field(default=None, name="listId")


class _OnList(msgspec.Struct, gc=False):
    id: int | str
    status: str | None = None


class _Member(msgspec.Struct, gc=False):
    lead: int | str = msgspec.field(name="leadId")
    updated_at: str | None = msgspec.field(default=None, name="updatedAt")


class Members:
    """Memberships of one instance.

    Args:
        api: the instance.
        activities: its activities.
        fields: which fields to ask for.
    """

    def __init__(self, api: Api, activities: Activities, fields: Fields) -> None:
        self._api = api
        self._activities = activities
        self._fields = fields

    def of_programs(self, stream: Stream, window: Window) -> Iterator[Page]:
        """Members of programs: all of them for a full window, else those whom an activity of the window tells of."""
        if window.kind == "full":
            names = self._fields.of(stream)
            # Those that are there now: one that is gone would fail a whole job.
            there = self._api.assets("/rest/asset/v1/programs.json")
            batched = batches(sorted(there, key=int), PROGRAMS)
            yield from exported(self._api, (_export(names, batch) for batch in batched))
            return
        yield from self._engaged(stream, window)
        wanted = self._named(window, (*PROGRAM_CHANGES, MERGED), "programMembership")

        def ask(program: str) -> list[Change]:
            return self._now(stream, program, wanted[program])

        for changes in in_order(ask, wanted, workers=WORKERS):
            if changes:
                yield Page(changes)

    def _engaged(self, stream: Stream, window: Window) -> Iterator[Page]:
        """Members of engagement programs by last change: that they have exhausted the content, no activity tells."""
        listed = self._api.assets("/rest/asset/v1/programs.json")
        names = ",".join(dict.fromkeys(("programId", *self._fields.of(stream))))
        for program, raw in listed.items():
            if decode_record(raw, _Program).type != "Engagement":
                continue
            for span in spans(window.start, window.end, LONGEST_MEMBERS):
                params: Params = {"filterType": "updatedAt", "fields": names, **span.filter}
                for page in self._api.pages(stream.path.format(id=program), params, is_optional=True):
                    if page.result:
                        yield Page([_in_program(program, member) for member in page.result])

    def of_lists(self, stream: Stream, window: Window, lists: Iterable[str]) -> Iterator[Page]:
        """Members of static lists: all of them for a full window, else those whom an activity of the window tells of.

        What an activity did may have been undone since, so that who is on the list now is asked.
        """
        if window.kind == "full":
            for one in lists:
                for page in self._api.pages(stream.path.format(id=one), {"fields": "id"}, is_optional=True):
                    yield Page([_on_list(one, id_of(raw), "upsert") for raw in page.result])
            return
        wanted = self._named(window, (ADDED, REMOVED, MERGED), "listMembership")

        def ask(one: str) -> list[Change]:
            return self._on_list_now(stream, one, wanted[one])

        for changes in in_order(ask, wanted, workers=WORKERS):
            if changes:
                yield Page(changes)

    def _on_list_now(self, stream: Stream, one: str, leads: Iterable[str]) -> list[Change]:
        """Which of these leads are on a list now, and which are not, or no longer."""
        path = stream.path.format(id=one).replace("/leads.json", "/leads/ismember.json")
        there: set[str] = set()
        asked: list[str] = []
        for batch in batches(leads, BATCH):
            asked += batch
            page = self._api.ask_optional(path, Results, params={"id": batch}) or Results()
            looked = (decode_record(raw, _OnList) for raw in page.result)
            there.update(str(lead.id) for lead in looked if lead.status == "memberof")
        return [_on_list(one, lead, "upsert" if lead in there else "delete") for lead in asked]

    def _named(self, window: Window, types: tuple[int, ...], membership: _Endpoint) -> dict[str, dict[str, None]]:
        """Program or list -> the leads of which activities of the window tell something there.

        A merge moves the memberships of the losers, without an activity of its own.
        """
        wanted: dict[str, dict[str, None]] = {}
        for activity, _ in self._activities.seen(window, window.start, types):
            if str(activity.type) == str(MERGED):
                for one in self._of_lead(activity, membership):
                    wanted.setdefault(one, {}).update(dict.fromkeys((str(activity.lead), *losers_of(activity))))
            elif activity.primary not in (None, "", 0):
                wanted.setdefault(str(activity.primary), {})[str(activity.lead)] = None
        return wanted

    def _of_lead(self, activity: Activity, name: _Endpoint) -> Iterator[str]:
        """Ids of the programs or lists that a merge's winner is in; none if it is gone itself."""
        path = f"/rest/v1/leads/{activity.lead}/{name}.json"
        for page in self._api.pages(path, is_optional=True):
            for raw in page.result:
                membership = decode_record(raw, _Membership)
                yield str(membership.id if membership.list is None else membership.list)

    def by_ids(self, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
        """The current state of these memberships; those that are gone are left out."""
        look = self._now if stream.parent == "programs" else self._on_list_now
        wanted: dict[str, dict[str, None]] = {}
        for one in ids:
            place, _, lead = one.partition("-")
            wanted.setdefault(place, {})[lead] = None
        for place, leads in wanted.items():
            changes = [change for change in look(stream, place, leads) if change.op == "upsert"]
            if changes:
                yield Page(changes)

    def _now(self, stream: Stream, program: str, leads: Iterable[str]) -> list[Change]:
        """What these leads are in a program now; who is not in it is gone as of this reading, whenever that was."""
        path = stream.path.format(id=program)
        names = ",".join(dict.fromkeys(("programId", *self._fields.of(stream))))
        found: dict[str, Change] = {}
        asked: list[str] = []
        for batch in batches(leads, BATCH):
            asked += batch
            params: Params = {
                "filterType": "leadId",
                "filterValues": ",".join(batch),
                "fields": names,
                "batchSize": BATCH,
            }
            page = self._api.ask_optional(path, Results, params=params) or Results()
            for raw in page.result:
                change = _in_program(program, raw)
                found[change.record_id] = change
        gone = (Change(f"{program}-{lead}", None, "delete", b"") for lead in asked)
        return [*found.values(), *(change for change in gone if change.record_id not in found)]


def _export(names: tuple[str, ...], programs: list[str]) -> Export:
    body = {"fields": names, "filter": {"programIds": [int(one) for one in programs]}}
    what = f"members of {len(programs)} programs"
    # Marketo puts the program's id before the fields that were asked for.
    return Export("program/members", ("programId", *names), body, _key, "updatedAt", what)


def _key(record: dict[str, str | None]) -> str:
    program, lead = record["programId"], record["leadId"]
    if not program or not lead:
        raise ValueError("a member without its ids")
    return f"{program}-{lead}"


def _in_program(program: str, raw: msgspec.Raw) -> Change:
    try:
        member = decode_record(raw, _Member)
    except msgspec.ValidationError:
        raise unreadable("a program's member") from None
    return Change(f"{program}-{member.lead}", moment(member.updated_at), "upsert", bytes(raw))


def _on_list(one: str, lead: str, op: Op) -> Change:
    # Marketo does not say since when: the reading time is the version's.
    record = msgspec.json.encode({"listId": one, "lead": {"id": int(lead) if lead.isdecimal() else lead}})
    return Change(f"{one}-{lead}", None, op, record if op == "upsert" else b"")
