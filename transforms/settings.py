"""What the build takes from the glossary, and the guards of identity: plain data, put into temporary tables for the SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
import sqlalchemy as sa

from glossary.loader import Glossary
from glossary.model import Attribution, ChannelModel, CurrencyRate, Vocabulary
from transforms.identity.guards import NO_COMPANIES, PLACEHOLDERS, ROLE_MAILBOXES, free_mail_domains, public_suffixes

EXPECTED = frozenset({"lead", "mql", "sal", "sql", "opportunity", "customer"})
"""Stages that everybody passes: they are inferred where a history skips them. The others may be left out."""
CLOSERS = frozenset({"customer", "recycled", "disqualified", "churned"})
"""Stages that end a pass through the funnel."""
CRM_FIRST = ("salesforce", "tryton", "hubspot", "marketo")
"""Whose word counts more where systems differ: the CRM, then the business system, then marketing automation."""
WEAK_SOURCES = frozenset({"other", "offline"})
"""Lead sources that say how a record was made rather than where the person came from."""

_COLUMNS: Mapping[str, str] = {
    "setting_stage": "stage text, position int, is_main boolean, is_expected boolean, is_closer boolean",
    "setting_rate": "currency text, from_on date, rate numeric",
    "setting_system": "system text, priority int",
    "setting_source": "lead_source text, channel text, is_weak boolean",
    "setting_channel": "channel text, lead_source text",
    "setting_role": "mailbox text",
    "setting_placeholder": "email text",
    "setting_no_company": "name text",
    "setting_free_domain": "domain text",
    "setting_suffix": "suffix text",
}

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class Settings:
    """Everything a build needs to know besides the records.

    funnel: stages on the main line, in order.
    beside: stages beside it.
    channel_sources: channel -> lead source that it means.
    unwanted_referrals: hosts that say nothing of where somebody came from.
    vocabularies: name -> vocabulary, for the nearest term of an unknown word.
    system_priority: systems, the most trusted first.
    shared_value_cap: a value that more records share than this ties none of them.
    group_size_cap: somebody of more records than this is shown as a conflict.
    """

    time_zone: str
    reporting_currency: str
    funnel: Sequence[str]
    beside: Sequence[str]
    lead_sources: Sequence[str]
    channel_model: ChannelModel
    original_source_model: ChannelModel
    channel_sources: Mapping[str, str]
    unwanted_referrals: Sequence[str]
    attribution: Attribution
    rates: Sequence[CurrencyRate]
    vocabularies: Mapping[str, Vocabulary]
    terms: Mapping[str, Sequence[str]]
    system_priority: Sequence[str] = CRM_FIRST
    role_mailboxes: frozenset[str] = ROLE_MAILBOXES
    placeholders: frozenset[str] = PLACEHOLDERS
    no_companies: frozenset[str] = NO_COMPANIES
    free_domains: frozenset[str] = field(default_factory=free_mail_domains)
    suffixes: frozenset[str] = field(default_factory=public_suffixes)
    shared_value_cap: int = 20
    group_size_cap: int = 100

    @classmethod
    def of(cls, glossary: Glossary) -> Self:
        """The settings that a loaded glossary stands for."""
        channels = glossary.terms["channel"].values()
        return cls(
            time_zone=glossary.money.reporting_time_zone,
            reporting_currency=glossary.money.reporting_currency,
            funnel=tuple(t.term for t in glossary.funnel if t.position is not None),
            beside=tuple(t.term for t in glossary.funnel if t.position is None),
            lead_sources=tuple(glossary.terms["lead_source"]),
            channel_model=glossary.channel_models["ga4"],
            original_source_model=glossary.channel_models["hubspot"],
            channel_sources={t.term: str(t.detail["lead_source"]) for t in channels if "lead_source" in t.detail},
            unwanted_referrals=glossary.unwanted_referrals,
            attribution=glossary.attribution,
            rates=glossary.money.rates,
            vocabularies=glossary.vocabularies,
            terms={kind: tuple(group) for kind, group in glossary.terms.items()},
        )

    def publish(self, connection: sa.Connection) -> None:
        """Put the settings into temporary tables (`setting_*`) that live until the transaction ends."""
        stages = [
            {
                "stage": stage,
                "position": position,
                "is_main": stage in self.funnel,
                "is_expected": stage in EXPECTED,
                "is_closer": stage in CLOSERS,
            }
            for position, stage in enumerate((*self.funnel, *self.beside), start=1)
        ]
        sources = [
            {"lead_source": s, "channel": s if s in self.channel_sources else None, "is_weak": s in WEAK_SOURCES}
            for s in self.lead_sources
        ]
        tables: Mapping[str, list[dict[str, Any]]] = {
            "setting_stage": stages,
            "setting_rate": [{"currency": r.currency, "from_on": r.from_on, "rate": r.rate} for r in self.rates],
            "setting_system": [{"system": s, "priority": i} for i, s in enumerate(self.system_priority, start=1)],
            "setting_source": sources,
            "setting_channel": [{"channel": c, "lead_source": s} for c, s in self.channel_sources.items()],
        }
        texts = {
            "setting_role": self.role_mailboxes,
            "setting_placeholder": self.placeholders,
            "setting_no_company": self.no_companies,
            "setting_free_domain": self.free_domains,
            "setting_suffix": self.suffixes,
        }
        make = (
            f"DROP TABLE IF EXISTS pg_temp.{name}; CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP"
            for name, columns in _COLUMNS.items()
        )
        connection.exec_driver_sql("; ".join(make))
        for name, rows in tables.items():
            query = f"SELECT * FROM jsonb_populate_recordset(NULL::pg_temp.{name}, CAST(:rows AS jsonb))"
            connection.execute(sa.text(f"INSERT INTO pg_temp.{name} {query}"), {"rows": _encode(rows).decode()})
        for name, values in texts.items():
            # One text: a driver's array of some thousands costs more than all the rest (profiled 2026-11).
            query = "SELECT string_to_table(:lines, chr(10))"
            connection.execute(sa.text(f"INSERT INTO pg_temp.{name} {query}"), {"lines": "\n".join(sorted(values))})
        connection.exec_driver_sql("; ".join(f"ANALYZE pg_temp.{name}" for name in _COLUMNS))
