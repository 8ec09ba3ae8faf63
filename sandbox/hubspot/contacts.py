"""Contacts with likely values, for pages that are only read: names, addresses, phones, stages, sources."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.hubspot.answers import iso

_GIVEN_NAMES = """Ana Beatriz Bruno Carla Chen Daniel Deniz Elena Emil Fatima Felix Gita Hana Henrik Inês Iris Jonas João Júlia
    Kenji Lara Leila Lukas Mariana Mei Miguel Nadia Noah Olga Oscar Paulo Priya Rafael Renée Rosa Sanjay Sofia Søren
    Thaís Tiago Uma Vera Wei Yara Yuki Zoë"""
_GIVEN = _GIVEN_NAMES.split()
_FAMILY_NAMES = """Abreu Almeida Bauer Becker Castro Cohen Costa Dias Engel Evans Ferreira Fischer Gupta Haddad Hoffmann Ito
    Jensen Kaya Kimura Klein Lima Lopes Martin Mendes Müller Nakamura Novak O'Brien Oliveira Patel Pereira Ramos Rao
    Richter Rocha Santos Sato Schmidt Silva Singh Souza Tanaka Teixeira Vargas Weber Yamada Zhang"""
_FAMILY = _FAMILY_NAMES.split()
_COMPANY_WORDS = """Alder Amber Basalt Birch Cedar Cobalt Coral Delta Ember Falcon Fern Granite Harbor Indigo Juniper Lagoon
    Lumen Maple Meadow Nimbus Opal Orbit Pebble Quartz Raven Saffron Sierra Slate Summit Tundra Violet Willow"""
_COMPANY = _COMPANY_WORDS.split()
_TRADE = ("Logistics", "Software", "Foods", "Health", "Energy", "Studio", "Metals", "Textiles", "Finance", "Robotics")
_TITLES = ("Head of Marketing", "Sales Director", "CEO", "IT Manager", "Buyer", "Product Owner", "Analyst", "CFO", "")
_PLACES = (
    ("Brazil", "São Paulo", "+5511", 9),
    ("Brazil", "Recife", "+5581", 9),
    ("Portugal", "Porto", "+35191", 7),
    ("United States", "Austin", "+1512", 7),
    ("Germany", "München", "+4989", 8),
    ("India", "Pune", "+9120", 8),
    ("Japan", "大阪市", "+816", 8),
)
_STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "other")
_STAGE_WEIGHTS = (30, 40, 12, 7, 5, 5, 1)
_STATUSES = (
    "NEW",
    "OPEN",
    "IN_PROGRESS",
    "OPEN_DEAL",
    "UNQUALIFIED",
    "ATTEMPTED_TO_CONTACT",
    "CONNECTED",
    "BAD_TIMING",
)
_SOURCES = (
    ("ORGANIC_SEARCH", "google", ""),
    ("PAID_SEARCH", "spring-offer", "crm software"),
    ("EMAIL_MARKETING", "newsletter", "march"),
    ("SOCIAL_MEDIA", "LinkedIn", ""),
    ("REFERRALS", "partner.example", "/blog"),
    ("DIRECT_TRAFFIC", "www.vendor.example", ""),
    ("OFFLINE", "IMPORT", "list.csv"),
    ("PAID_SOCIAL", "LinkedIn", "launch"),
    ("AI_REFERRALS", "assistant.example", ""),
)

_PROPERTIES = """email firstname lastname hs_object_id createdate lastmodifieddate jobtitle company phone mobilephone country city
    lifecyclestage hs_lead_status hubspotscore hubspot_owner_id associatedcompanyid hs_analytics_source
    hs_analytics_source_data_1 hs_analytics_source_data_2 hs_analytics_first_timestamp hs_analytics_first_url
    hs_analytics_first_referrer hs_email_optout hs_additional_emails hs_merged_object_ids hs_calculated_merged_vids
    salesforceleadid salesforcecontactid disqualification_reason"""
NAMES = _PROPERTIES.split()
"""The properties, most used first; beyond them `custom_01`, `custom_02`, ..."""

BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
FIRST_ID = 101
_SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_PHONE_SHARE = 0.6


def names(properties: int) -> list[str]:
    """The names of so many properties."""
    return (NAMES + [f"custom_{n:02d}" for n in range(1, properties + 1)])[:properties]


def contacts(count: int, properties: int, seed: int) -> Iterator[dict[str, Any]]:
    """So many contacts as elements of a list page, in order of id. The same arguments give the same contacts."""
    chance = random.Random(seed)
    wanted = sorted(names(properties))
    id_ = FIRST_ID
    for n in range(count):
        created = _SINCE + timedelta(minutes=8 * n, milliseconds=chance.randrange(400_000))
        modified = created + timedelta(seconds=chance.randrange(1, 8_000_000))
        fields = _fields(chance, n, created)
        fields |= {"hs_object_id": str(id_), "createdate": iso(created), "lastmodifieddate": iso(modified)}
        yield {
            "id": str(id_),
            "properties": {name: fields[name] if name in fields else _custom(chance, name) for name in wanted},
            "createdAt": iso(created),
            "updatedAt": iso(modified),
            "archived": False,
        }
        id_ += chance.randrange(1, 60)


def _fields(chance: random.Random, n: int, created: datetime) -> dict[str, str | None]:
    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    company = f"{chance.choice(_COMPANY)} {chance.choice(_TRADE)}"
    host = f"{company.replace(' ', '-').lower()}.example"
    country, city, prefix, digits = chance.choice(_PLACES)
    source, detail, further = chance.choice(_SOURCES)
    stage = chance.choices(_STAGES, _STAGE_WEIGHTS)[0]

    def phone() -> str | None:
        has_one = chance.random() < _PHONE_SHARE
        return prefix + "".join(chance.choices("0123456789", k=digits)) if has_one else None

    return {
        "email": f"{_plain(given)}.{_plain(family)}{n}@{host}",
        "firstname": given,
        "lastname": family,
        "jobtitle": chance.choice(_TITLES),
        "company": company,
        "phone": phone(),
        "mobilephone": phone() if chance.random() < _PHONE_SHARE / 2 else None,
        "country": country,
        "city": city,
        "lifecyclestage": stage,
        "hs_lead_status": chance.choice(_STATUSES) if stage != "subscriber" else None,
        "hubspotscore": str(chance.randrange(101)),
        "hubspot_owner_id": str(60_001 + chance.randrange(20)) if stage != "subscriber" else None,
        "associatedcompanyid": str(5_000_001 + chance.randrange(10_000)),
        "hs_analytics_source": source,
        "hs_analytics_source_data_1": detail,
        "hs_analytics_source_data_2": further or None,
        "hs_analytics_first_timestamp": iso(created - timedelta(minutes=chance.randrange(1, 90))),
        "hs_analytics_first_url": f"https://www.vendor.example/{detail}?utm_source={source.lower()}",
        "hs_analytics_first_referrer": f"https://{detail}/" if detail.endswith(".example") else None,
        "hs_email_optout": "true" if chance.random() < 0.05 else "false",
        "hs_additional_emails": None,
        "hs_merged_object_ids": None,
        "hs_calculated_merged_vids": None,
        "salesforceleadid": "00Q5f00000" + "".join(chance.choices(BASE36, k=8)) if chance.random() < 0.5 else None,
        "salesforcecontactid": None,
        "disqualification_reason": "budget" if stage == "other" else None,
    }


def _plain(word: str) -> str:
    return "".join(c for c in word.lower() if c.isascii() and c.isalpha())


def _custom(chance: random.Random, name: str) -> str | None:
    kind = int(name[-2:]) % 4
    if kind == 0:
        return None
    return (f"{chance.randrange(10_000)}", f"{chance.choice(_COMPANY)} {chance.choice(_TRADE)}", "true")[kind - 1]
