"""Person or company: Tryton's party has no such field, so the evidence it offers is read."""

from connectors.tryton.values import Record

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


def is_company(party: Record) -> bool | None:
    """Whether a plain party is a company, by its categories, then its identifiers; None: Tryton offers no evidence."""
    named = {
        CATEGORIES[name] for each in party["categories"] if (name := (each["name"] or "").strip().lower()) in CATEGORIES
    }
    if len(named) == 1:
        return named.pop()
    types = {each["type"] for each in party["identifiers"]}
    if types & COMPANY_IDENTIFIERS:
        return True
    return False if types & PERSON_IDENTIFIERS else None
