"""What a party is and how it is reached, from the records that Tryton embeds in it."""

from typing import Any

from connectors.tryton.values import Record

MAIN = ("email", "phone", "mobile", "website")
"""Types of contact mechanism of which the first active one is the party's main one, as Tryton's own forms show it.

Tryton's party has fields of these names; they are not read, because they name an inactive mechanism where inactive records
are shown, and cost a query each.
"""


COMPANY_IDENTIFIERS = {
    "br_cnpj",
    "eu_vat",
    "us_ein",
    "pt_nif_company",
    "fr_siren",
    "fr_siret",
    "de_handelsregisternummer",
}
"""Kinds of identifier that only legal entities have. eu_vat may also be a sole trader's, who trades as a business."""

PERSON_IDENTIFIERS = {"br_cpf", "us_ssn", "us_itin", "es_dni", "es_nie", "it_codicefiscale", "fr_nif", "de_idnr"}
"""Kinds of identifier that only natural persons have."""

CATEGORIES = {
    "company": True,
    "companies": True,
    "organization": True,
    "empresa": True,
    "empresas": True,
    "pessoa jurídica": True,
    "person": False,
    "persons": False,
    "people": False,
    "pessoa": False,
    "pessoas": False,
    "pessoa física": False,
}
"""Names of party categories, in lower case, that say it."""


def add_main(party: Record) -> None:
    """Order a plain party's mechanisms and addresses as Tryton shows them, and set its main ones beside them (or null)."""
    for link in ("contact_mechanisms", "addresses"):
        if link in party:
            party[link].sort(key=_position)
    for kind in MAIN:
        values = (each["value"] for each in party["contact_mechanisms"] if each["active"] and each["type"] == kind)
        party[kind] = next(values, None)
    if "addresses" in party:
        party["address"] = next((each for each in party["addresses"] if each["active"]), None)


def _position(record: Record) -> tuple[Any, ...]:
    sequence = record["sequence"]
    return (sequence is not None, sequence or 0, record["id"])


def is_company(party: Record) -> bool | None:
    """Whether a plain party is a company, by its categories, then its identifiers; None: no evidence.

    Tryton's party is either and has no field that says which.
    """
    named = {
        CATEGORIES[name] for each in party["categories"] if (name := (each["name"] or "").strip().lower()) in CATEGORIES
    }
    if len(named) == 1:
        return named.pop()
    types = {each["type"] for each in party["identifiers"]}
    if types & COMPANY_IDENTIFIERS:
        return True
    return False if types & PERSON_IDENTIFIERS else None
