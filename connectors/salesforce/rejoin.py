"""Reading a small span of an object with so many fields that they do not fit into one URI: in pieces, joined again.

Each piece is a proved reading of its own (see `rest`) that carries Id and SystemModstamp. Rows are joined where both
agree. A row that somebody edited between two pieces disagrees: it is read again by its id, all pieces of it, until they
agree. None is left out, as long as Salesforce has it.
"""

import logging
from dataclasses import replace

import msgspec

from connectors.base.model import Change
from connectors.base.paginate import batches
from connectors.salesforce import rest
from connectors.salesforce.answers import unproved
from connectors.salesforce.client import Client
from connectors.salesforce.soql import Query, id_batches

log = logging.getLogger(__name__)

BATCH = 2_000

ROUNDS = 5
"""How often rows that keep changing are read again."""

_Piece = dict[str, Change]


def read(client: Client, query: Query) -> list[list[Change]]:
    """All rows of a query, in batches, held in memory; as `rest.read`, whatever the number of fields.

    The payload is one object with every field, each value as Salesforce sent it.

    Raises:
        Unproved: a piece could not be proved, or rows kept changing.
    """
    pieces = _pieces(client, query)
    rows, moved = _joined(pieces)
    for _ in range(ROUNDS):
        if not moved:
            break
        log.info("salesforce: %d rows of %s changed while they were read, reading them again", len(moved), query)
        anew = [_pieces(client, some) for some in id_batches(moved, replace(query, start=None, end=None, condition=""))]
        found = [_joined(each) for each in anew]
        for joined, _ in found:
            rows.update(joined)
        moved = [id_ for _, still in found for id_ in still]
    if moved:
        # A shorter span would have the same rows.
        message = f"Rows of {query} kept changing while they were read in {len(pieces)} pieces."
        raise unproved(message, split=False)
    # In the order of the first piece; a row that is not here any more was removed for good meanwhile.
    return list(batches((rows[id_] for id_ in dict.fromkeys((*pieces[0], *rows)) if id_ in rows), BATCH))


def _pieces(client: Client, query: Query) -> list[_Piece]:
    return [
        {change.record_id: change for page in rest.read(client, piece) for change in page} for piece in query.pieces()
    ]


def _joined(pieces: list[_Piece]) -> tuple[_Piece, list[str]]:
    """Rows whose pieces agree, and the ids of those that do not: edited meanwhile, come, gone."""
    rows: _Piece = {}
    moved: list[str] = []
    for id_ in dict.fromkeys(id_ for piece in pieces for id_ in piece):
        parts = [piece[id_] for piece in pieces if id_ in piece]
        if len(parts) == len(pieces) and len({(part.version_at, part.op) for part in parts}) == 1:
            rows[id_] = parts[0]._replace(payload=_one([part.payload for part in parts]))
        else:
            moved.append(id_)
    return rows, moved


def _one(payloads: list[bytes]) -> bytes:
    """One JSON object of several, values as they stand there; what several have is taken from the first."""
    whole: dict[str, msgspec.Raw] = {}
    try:
        for payload in payloads:
            for name, value in msgspec.json.decode(payload, type=dict[str, msgspec.Raw]).items():
                whole.setdefault(name, value)
    except msgspec.DecodeError:
        # Half a surrogate pair: put one behind the other, byte for byte; common fields come twice, and are equal.
        return b"{%b}" % b",".join(payload.strip()[1:-1] for payload in payloads)
    return msgspec.json.encode(whole)
