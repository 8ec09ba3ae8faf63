"""Small builders of staging rows: what normalise would have written, with the queue entry that tells the build of it."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from glossary.model import Attribution, AttributionModel, AttributionPath, ChannelModel, CurrencyRate, Rule, Vocabulary
from transforms.build import build
from transforms.settings import Settings
from warehouse.tables import metadata, ops, staging

START = datetime(2024, 3, 1, 9, tzinfo=UTC)
BUILT = (
    "core.person",
    "core.identity_link",
    "core.identity_evidence",
    "core.identity_conflict",
    "core.build_input",
    "core.campaign",
    "core.person_alias",
    "core.account",
    "core.account_link",
    "core.opportunity",
    "core.opportunity_link",
    "core.opportunity_person",
    "core.touchpoint",
    "core.stage_change",
    "core.opportunity_touch",
    "core.attribution",
    "core.conversion_touch",
    "core.funnel_entry",
    "marts.customer_journey",
    "marts.person_journey",
    "marts.account_journey",
    "marts.customers_by_source",
    "marts.conversion_assists",
    "marts.attribution",
    "marts.markov_attribution",
    "marts.opportunity_influence",
    "marts.funnel_conversion",
    "marts.glossary_gap",
)
"""Every table that a build writes."""


def settings(**changes: Any) -> Settings:
    """Settings with five models, a few channel rules and two currencies; `changes` replace fields."""
    values: dict[str, Any] = {
        "time_zone": "America/Sao_Paulo",
        "reporting_currency": "USD",
        "funnel": ("visitor", "subscriber", "lead", "mql", "sal", "sql", "opportunity", "customer", "advocate"),
        "beside": ("recycled", "disqualified", "churned"),
        "lead_sources": ("organic_search", "paid_search", "email", "referral", "webinar", "direct", "offline", "other"),
        "channel_model": ChannelModel(
            "ga4",
            "channel",
            (
                Rule(1, "email", ({"touch_type": "^email_"},)),
                Rule(2, "direct", ({"utm_source": "^$", "utm_medium": "^$", "click_id": "^$", "referrer_host": "^$"},)),
                Rule(5, "paid_search", ({"utm_medium": "^(cpc|ppc)$"}, {"utm_source": "^$", "click_id": "^gclid="})),
                Rule(15, "organic_search", ({"utm_source": "^$", "referrer_host": r"(^|[.])google[.]"},)),
                Rule(22, "referral", ({"utm_source": "^$", "referrer_host": "[.]"},)),
            ),
            "unassigned",
        ),
        "unwanted_referrals": (),
        "original_source_model": ChannelModel(
            "hubspot",
            "original_source",
            (
                Rule(6, "paid_search", ({"utm_medium": "(ppc|cpc)"},)),
                Rule(8, "other_campaigns", ({"utm_source": "."}, {"utm_medium": "."})),
                Rule(13, "referrals", ({"referrer_host": "."},)),
                Rule(14, "direct_traffic", ({"touch_type": "visit$"},)),
            ),
            "offline",
        ),
        "channel_sources": {c: c for c in ("direct", "paid_search", "organic_search", "referral", "email", "webinar")}
        | {"unassigned": "other"},
        "attribution": Attribution(
            {
                m.name: m
                for m in (
                    AttributionModel("first", {"first": Decimal(1)}),
                    AttributionModel("last", {"last": Decimal(1)}),
                    AttributionModel("linear", is_even=True),
                    AttributionModel(
                        "position", {"first": Decimal("0.4"), "middle": Decimal("0.2"), "last": Decimal("0.4")}
                    ),
                    AttributionModel("last_non_direct", {"last": Decimal(1)}, skip_channels=("direct",)),
                )
            },
            AttributionPath("roles"),
        ),
        "rates": (
            CurrencyRate("BRL", date(2024, 1, 1), Decimal("0.2")),
            CurrencyRate("BRL", date(2024, 4, 1), Decimal("0.19")),
        ),
        "vocabularies": {
            "lead_source.salesforce": Vocabulary(
                "lead_source.salesforce", "lead_source", {"webinar": "webinar", "web": "direct"}
            )
        },
        "terms": {"lead_source": ("webinar", "direct")},
    }
    return Settings(**(values | changes))


def at(days: float = 0, **more: float) -> datetime:
    """A moment so long after START."""
    return START + timedelta(days=days, **more)


class StagingRows:
    """Writes staging rows on one connection; each write is queued for the build."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def put(self, entity: str, source_id: str, **values: Any) -> None:
        """Insert or replace one row. What is not given has the plainest value."""
        table = staging.ENTITIES[entity]
        source_key = source_id.split("#", maxsplit=1)[0]
        system, stream, record = source_key.split(":", 2)
        row = {
            "source_id": source_id,
            "source_key": source_key,
            "source_system": system,
            "source_stream": stream,
            "source_record_id": record,
            "created_at": START,
            "version_at": START,
            "is_deleted": False,
            "load_id": 1,
            **values,
        }
        before = self.get(entity, source_id)
        self.connection.execute(table.delete().where(table.c.source_id == source_id))
        after = self.connection.execute(table.insert().values(row).returning(table)).mappings().one()
        if before is None:
            self._queue(entity, source_key, None)
        elif changed := [name for name in before if name != "load_id" and before[name] != after[name]]:
            self._queue(entity, source_key, changed)

    def get(self, entity: str, source_id: str) -> Mapping[str, Any] | None:
        """What `put` would write one row anew from, if it is there."""
        table = staging.ENTITIES[entity]
        row = self.connection.execute(sa.select(table).where(table.c.source_id == source_id)).mappings().one_or_none()
        return {name: value for name, value in row.items() if name != "source_id"} if row else None

    def drop(self, entity: str, source_id: str) -> None:
        """Remove a row for good, as normalise does with parts that a record has no more."""
        table = staging.ENTITIES[entity]
        if self.connection.execute(table.delete().where(table.c.source_id == source_id)).rowcount:
            self._queue(entity, source_id.split("#", maxsplit=1)[0], None)

    def _queue(self, entity: str, source_key: str, changed: list[str] | None) -> None:
        """As warehouse.staging does it for whole batches; without the temporary tables that this costs."""
        row = {"entity": entity, "source_key": source_key, "load_id": 1, "changed_columns": changed}
        self.connection.execute(ops.staging_change.insert().values(row))


def contents(connection: sa.Connection, tables: Iterable[str] = BUILT) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the given tables, each sorted by its text; without the load that wrote them."""
    return {
        name: sorted((tuple(row) for row in connection.execute(_without_load(metadata.tables[name]))), key=repr)
        for name in tables
    }


def assert_a_full_build_changes_nothing(connection: sa.Connection, settings: Settings) -> None:
    """What incremental builds have made is what a full one makes, table by table."""
    incremental = contents(connection)
    build(connection, settings, full=True)
    full = contents(connection)
    for table in BUILT:
        assert incremental[table] == full[table], f"{table}: incremental and full differ"


def _without_load(table: sa.Table) -> sa.Select[Any]:
    return sa.select(*(c for c in table.columns if c.name != "load_id"))


def id_of(kind: str, source_id: str) -> uuid.UUID:
    """The stable id of the person, account or opportunity whose earliest record this is."""
    return uuid.UUID(hashlib.md5(f"{kind}:{source_id}".encode(), usedforsecurity=False).hexdigest())


def rows(connection: sa.Connection, table: str, order: str) -> list[Mapping[str, Any]]:
    """All rows of one table as mappings, in the given order."""
    query = sa.select(metadata.tables[table]).order_by(sa.text(order))
    return [dict(r) for r in connection.execute(query).mappings()]


def empty(connection: sa.Connection) -> None:
    """Empty everything that builders and builds write."""
    for name in (
        *BUILT,
        "ops.staging_change",
        "ops.identity_decision",
        *(t.fullname for t in staging.ENTITIES.values()),
    ):
        connection.execute(metadata.tables[name].delete())
