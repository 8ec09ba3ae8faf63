"""What is read from Tryton: one declaration per stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from connectors.base.model import Stream

DATES = ("create_date", "write_date")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a stream's records are read; stands under "reading" in `Stream.options`.

    model: Tryton's model.
    module: the module that brings the model; where it is not installed the stream is empty.
    fields: dotted paths; a path through a link embeds the linked records.
    optional: further fields, read where their module is installed.
    dated: linked records that belong to the record: their own dates count as the record's, since editing them alone leaves
        the record's dates as they were.
    booleans: fields that are true or false (SQLite answers 1 and 0).
    is_archivable: an inactive record is archived, which the warehouse sees as deleted.
    needs: models whose read right the key's user must have.
    """

    model: str
    module: str
    fields: tuple[str, ...]
    optional: tuple[str, ...] = ()
    dated: tuple[str, ...] = ()
    booleans: tuple[str, ...] = ()
    is_archivable: bool = False
    needs: tuple[str, ...] = ()


def _of(link: str, *fields: str) -> tuple[str, ...]:
    return tuple(f"{link}.{field}" for field in fields)


MECHANISM = ("type", "value", "name", "active", "sequence", *DATES)
MARKETING = ("marketing_campaign", "marketing_medium", "marketing_source")
UTM = tuple(f"{link}.name" for link in MARKETING)

READINGS: Mapping[str, Reading] = MappingProxyType(
    {
        "employee": Reading(
            "company.employee",
            "company",
            (
                *("party.name", "party.active", "company", "start_date", "end_date"),
                *DATES,
                *_of("party", *DATES),
                *_of("party.contact_mechanisms", *MECHANISM),
            ),
            dated=("party", "party.contact_mechanisms"),
            booleans=("active",),
        ),
        "party": Reading(
            "party.party",
            "party",
            (
                *("name", "code", "active", "replaced_by", "lang.code", *DATES),
                *_of("categories", "name"),
                *_of("identifiers", "type", "code", *DATES),
                *_of("contact_mechanisms", *MECHANISM),
                *_of("addresses", "party_name", "city", "postal_code", "active", "sequence", *DATES),
                *("addresses.country.code", "addresses.subdivision.code"),
            ),
            optional=("marketing_scenario_unsubscribed.name",),
            dated=("contact_mechanisms", "addresses", "identifiers"),
            booleans=("active",),
            is_archivable=True,
        ),
        "opportunity": Reading(
            "sale.opportunity",
            "sale_opportunity",
            (
                *("number", "reference", "description", "state", "lost_reason", "conversion_probability", *DATES),
                *("amount", "currency.code", "start_date", "end_date", "company", "party", "employee", "converted_by"),
                "contact.party",
                *_of("lines", "sequence", "product", "description", "quantity", "unit.symbol", *DATES),
            ),
            optional=UTM,
            dated=("lines",),
            needs=("sale.opportunity",),
        ),
        "mailing_list_email": Reading(
            "marketing.email",
            "marketing_email",
            ("email", "active", "list_.name", "party", *DATES),
            booleans=("active",),
            needs=("marketing.email",),
        ),
        "scenario": Reading(
            "marketing.automation.scenario",
            "marketing_automation",
            (
                *("name", "model", "domain", "state", "unsubscribable", *DATES),
                *_of("activities", "name", "action", "event", "negative", "condition", "delay", "email_title", *DATES),
            ),
            optional=_of("activities", *UTM),
            dated=("activities",),
            booleans=("unsubscribable", "negative"),
            needs=("marketing.automation.scenario", "marketing.automation.activity"),
        ),
        "automation_record": Reading(
            "marketing.automation.record",
            "marketing_automation",
            ("scenario.name", "record", "blocked", *DATES),
            booleans=("blocked",),
            needs=("marketing.automation.record", "marketing.automation.scenario"),
        ),
        "automation_activity": Reading(
            "marketing.automation.record.activity",
            "marketing_automation",
            (
                *("state", "at", "email_opened", "email_clicked", *DATES),
                *("record.record", "record.scenario.name"),
                *_of("activity", "name", "action", "event", "negative", "email_title"),
            ),
            optional=_of("activity", *UTM),
            booleans=("email_opened", "email_clicked", "negative"),
            needs=(
                "marketing.automation.record.activity",
                "marketing.automation.record",
                "marketing.automation.activity",
            ),
        ),
    }
)

# A row's dates are those of its transaction's start, and it shows when that commits: imports may take long.
LOOKBACK = timedelta(hours=1)

STREAMS: Mapping[str, Stream] = MappingProxyType(
    {
        name: Stream(name, lookback=LOOKBACK, finds_deletes="keys", path=reading.model, options={"reading": reading})
        for name, reading in READINGS.items()
    }
)
