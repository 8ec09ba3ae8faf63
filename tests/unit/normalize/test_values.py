"""One type each: forms that people and systems write."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from transforms.normalize.columns import FUNCTIONS
from transforms.normalize.emails import read_email
from transforms.normalize.ids import ids, long_salesforce_id
from transforms.normalize.numbers import booleans, decimals, read_decimal
from transforms.normalize.phones import phones, read_phone
from transforms.normalize.places import parameters, read_country, read_domain, urls
from transforms.normalize.times import dates, read_timestamp


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ana@Acme.example", "ana@acme.example"),
        ("ana+news@acme.example.", "ana+news@acme.example"),
        ("<ana@acme.example>;", "ana@acme.example"),
        ("mailto:ana@acme.example", "ana@acme.example"),
        ("ana@Müller.de", "ana@xn--mller-kva.de"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("not-an-email", None),
        ("a@b@c.example", None),
        ("@", None),
        ("n/a", None),
        ("a@localhost", None),
    ],
)
def test_addresses(text: str, address: str | None) -> None:
    assert read_email(text) == address


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("0xx11 91234-5678", "BR", "+5511912345678"),
        ("(11) 98765-4321", "BR", "+5511987654321"),
        ("+49 (0) 151 12345678", "BR", "+4915112345678"),
        ("0049 151 12345678", "DE", "+4915112345678"),
        ("1-212-555-1234", "US", "+12125551234"),
        ("+1 312 555 1234 x12", None, "+13125551234"),
        ("090-8123-4567", "JP", "+819081234567"),
        ("090-8123-4567", None, None),
        ("0000000000", "US", None),
        ("+1 000 000 0000", None, None),
        ("123", "US", None),
        ("ligar depois das 18h", "BR", None),
    ],
)
def test_telephone_numbers(text: str, region: str | None, number: str | None) -> None:
    assert read_phone(text, region) == number
    assert phones(pl.Series([text]), pl.Series([region], dtype=pl.String), None).to_list() == [number]


def test_a_default_country_is_used_where_the_record_has_none() -> None:
    texts = pl.Series(["(11) 98765-4321", "(415) 555-2671", None])
    assert phones(texts, pl.Series([None, "US", "US"], dtype=pl.String), "BR").to_list() == [
        "+5511987654321",
        "+14155552671",
        None,
    ]
    assert phones(texts, None, "BR").to_list()[0] == "+5511987654321"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("br", "BR"),
        ("BRA", "BR"),
        ("Brasil", "BR"),
        ("United States", "US"),
        ("EUA", "US"),
        ("UK", "GB"),
        ("日本", "JP"),
        ("Mars", None),
    ],
)
def test_countries(text: str, code: str | None) -> None:
    assert read_country(text) == code


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.acme.com.br/x?y", "acme.com.br"),
        ("br.acme.example", "acme.example"),
        ("ACME.example.", "acme.example"),
        ("shop.github.io", "shop.github.io"),
        ("http://user:pw@acme.co.uk:8080", "acme.co.uk"),
        ("localhost", None),
        ("10.0.0.1", None),
        ("http://[::1]/", None),
        ("not a domain", None),
        ("com.br", None),
        ("", None),
    ],
)
def test_domains(text: str, domain: str | None) -> None:
    assert read_domain(text) == domain


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-05T01:02:03Z", datetime(2024, 3, 5, 1, 2, 3, tzinfo=UTC)),
        ("2024-03-05T01:02:03.1234567Z", datetime(2024, 3, 5, 1, 2, 3, 123456, tzinfo=UTC)),
        ("2024-03-05T01:02:03.000+0000", datetime(2024, 3, 5, 1, 2, 3, tzinfo=UTC)),
        ("2024-03-05T01:02:03-03:00", datetime(2024, 3, 5, 4, 2, 3, tzinfo=UTC)),
        ("2024-03-05 01:02", datetime(2024, 3, 5, 1, 2, tzinfo=UTC)),
        ("1709600523123", datetime(2024, 3, 5, 1, 2, 3, 123000, tzinfo=UTC)),
        ("1.709600523123E12", datetime(2024, 3, 5, 1, 2, 3, 123000, tzinfo=UTC)),
        ("1709600523", datetime(2024, 3, 5, 1, 2, 3, tzinfo=UTC)),
        ("2024-03-05", datetime(2024, 3, 5, 3, tzinfo=UTC)),
        ("20240305", datetime(2024, 3, 5, 3, tzinfo=UTC)),
        ("05/03/2024", datetime(2024, 3, 5, 3, tzinfo=UTC)),
        ("12/31/2024", datetime(2024, 12, 31, 3, tzinfo=UTC)),
        ("05/03-2024", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("99999999999999999999", None),
        ("2024-02-30", None),
        ("soon", None),
    ],
)
def test_times_in_a_zone_three_hours_behind(text: str, moment: datetime | None) -> None:
    assert read_timestamp(text, "America/Sao_Paulo", day_first=True) == moment


def test_month_first_where_the_map_says_so() -> None:
    assert read_timestamp("05/03/2024", "UTC", day_first=False) == datetime(2024, 5, 3, tzinfo=UTC)


def test_dates_are_days_of_the_reporting_zone() -> None:
    texts = pl.Series(["2024-03-05", "2024-03-05T01:00:00Z", "05/03/2024", "1709600523123", "x", None])
    days = dates(texts, "America/Sao_Paulo", day_first=True).to_list()
    assert days == [date(2024, 3, 5), date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 4), None, None]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.56", "1234.56"),
        ("R$ 1.234,56", "1234.56"),
        ("1.234.567", "1234567"),
        ("1,234", "1234"),
        ("12,5", "12.5"),
        ("1.234", "1.234"),
        ("(12.50)", "-12.50"),
        ("-0.1", "-0.1"),
        ("1.23E+4", "12300"),
        ("€ 5", "5"),
        ("50-200", None),
        ("many", None),
        ("1e999", None),
        ("NaN", None),
        ("", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    read = decimals(pl.Series([text]), pl.Decimal(20, 4))[0]
    assert read == (None if number is None else Decimal(number))
    if number is not None:
        assert read_decimal(text) == Decimal(number)


def test_amounts_are_rounded_half_to_even_and_never_float() -> None:
    texts = pl.Series(["0.00005", "0.00015", "9999999999999999.9999", "10000000000000000", "0.1"])
    read = decimals(texts, pl.Decimal(20, 4)).to_list()
    assert read == [Decimal(0), Decimal("0.0002"), Decimal("9999999999999999.9999"), None, Decimal("0.1")]


def test_booleans() -> None:
    texts = pl.Series(["true", "FALSE", "1", "não", "Sim", "perhaps", None])
    assert booleans(texts).to_list() == [True, False, True, False, True, None, None]


def test_ids() -> None:
    assert long_salesforce_id("5003000000D8cuI") == "5003000000D8cuIAAR"
    texts = pl.Series(["5003000000D8cuI", "5003000000D8cuIAAR", None])
    assert ids(texts, "hubspot", "salesforce:case").to_list() == ["salesforce:case:5003000000D8cuIAAR"] * 2 + [None]
    assert ids(pl.Series(["12.0", "12"]), "hubspot", "companies").to_list() == ["hubspot:companies:12"] * 2
    assert ids(pl.Series(["0.10"]), "hubspot", None).to_list() == ["0.10"]


def test_web_addresses_and_their_parameters() -> None:
    kept = ["https://x.example/?a=b c", "x.example/p", "/pricing", "android-app://com.google.android.gm/"]
    assert urls(pl.Series(kept)).to_list() == kept
    assert urls(pl.Series(["not a url", "javascript:alert(1)", "x"])).to_list() == [None] * 3
    pages = pl.Series(
        ["https://x.example/?UTM_Source=A%00%20b+c&utm_source=2", "https://x.example/?xutm_source=1", "/?utm_source="]
    )
    assert parameters(pages, "utm_source").to_list() == ["A b c", None, None]


@pytest.mark.parametrize(
    ("closed", "won", "chance", "status"),
    [
        ("true", "true", None, "won"),
        ("false", "true", None, "won"),
        ("true", "false", "0.0", "lost"),
        ("true", None, "1.0", "won"),
        ("true", None, "0.0", "lost"),
        ("true", None, None, "lost"),
        ("false", "false", "0.0", "open"),
        (None, None, "1", "won"),
        (None, None, "0", "lost"),
        (None, None, "0.5", "open"),
        (None, None, None, "open"),
    ],
)
def test_deal_status(closed: str | None, won: str | None, chance: str | None, status: str) -> None:
    columns = [pl.Series([v], dtype=pl.String) for v in (closed, won, chance)]
    assert FUNCTIONS["deal_status"](columns).to_list() == [status]
    if chance is None:
        assert FUNCTIONS["deal_status"](columns[:2]).to_list() == [status]
