"""Amounts without a currency: single-currency accounts do not name theirs, so the overlay does."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from errors import ConfigurationError
from glossary import Glossary, load
from transforms.normalize import RawRecord, normalize

AT = datetime(2026, 5, 1, tzinfo=UTC)


def currencies(glossary: Glossary) -> dict[str, str | None]:
    deals = {
        "bare": b'{"Id": "006000000000001AAA", "Amount": 100}',
        "named": b'{"Id": "006000000000002AAA", "Amount": 100, "CurrencyIsoCode": "EUR"}',
        "empty": b'{"Id": "006000000000003AAA"}',
    }
    records = [RawRecord(name, AT, 1, deal) for name, deal in deals.items()]
    frame = normalize(records, "salesforce", "opportunity", glossary).frames["opportunity"]
    return dict(zip(frame["source_record_id"], frame["currency"], strict=True))


def test_the_overlay_names_the_currency_of_bare_amounts(tmp_path: Path) -> None:
    (tmp_path / "field_maps").mkdir()
    (tmp_path / "field_maps" / "salesforce.yml").write_text("home_currency: BRL\n")
    assert currencies(load(tmp_path)) == {"bare": "BRL", "named": "EUR", "empty": None}


def test_without_it_no_currency_is_guessed() -> None:
    assert currencies(load()) == {"bare": None, "named": "EUR", "empty": None}


def test_what_is_no_currency_is_refused_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "field_maps").mkdir()
    (tmp_path / "field_maps" / "salesforce.yml").write_text("home_currency: reais\n")
    with pytest.raises(ConfigurationError, match=r"salesforce\.yml:1.*currency code"):
        load(tmp_path)
