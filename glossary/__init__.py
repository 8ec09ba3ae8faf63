"""The words both teams share, as YAML with a validating loader.

`load(overlay)` reads the shipped files under `glossary/data/`, lays a user's folder over them, checks everything and returns
a frozen `Glossary`: terms, vocabularies (vendor words), channel rules, attribution models, money, and one field map per
vendor. `Glossary.published_rows()` are the rows of the schema `glossary`. Nothing here knows the warehouse.
"""

from glossary.channels import CONDITION_FIELDS, classify, referrer_host
from glossary.loader import Glossary, load
from glossary.model import (
    FIELD_TYPES,
    UNMAPPED,
    AttributionModel,
    ChannelModel,
    CurrencyRate,
    EntityMap,
    FieldMap,
    FieldSpec,
    Money,
    Rule,
    StreamMap,
    Term,
    Vocabulary,
    fold,
)

__all__ = [
    "CONDITION_FIELDS",
    "FIELD_TYPES",
    "UNMAPPED",
    "AttributionModel",
    "ChannelModel",
    "CurrencyRate",
    "EntityMap",
    "FieldMap",
    "FieldSpec",
    "Glossary",
    "Money",
    "Rule",
    "StreamMap",
    "Term",
    "Vocabulary",
    "classify",
    "fold",
    "load",
    "referrer_host",
]
