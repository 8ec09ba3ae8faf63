"""The quick ways through whole columns give exactly what the libraries give one value at a time."""

from datetime import UTC, datetime
from decimal import Decimal

import phonenumbers
import polars as pl
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transforms.normalize.emails import emails, read_email
from transforms.normalize.numbers import decimals, integers, read_decimal
from transforms.normalize.phones import FEW, phones, plan, read_phone
from transforms.normalize.times import read_timestamp, timestamps

ZONES = ("UTC", "America/Sao_Paulo", "Asia/Kolkata")

_label = st.text("abz019-", min_size=1, max_size=8)
_local = st.text("abAZ09._+-'é ", min_size=1, max_size=12)
_ends = st.sampled_from(
    ["com", "example", "test", "local", "invalid", "onion", "c", "br", "1", "x1", "xn--p1ai", "localhost"]
)
addresses = st.builds(
    lambda local, labels, end: f"{local}@{'.'.join([*labels, end])}", _local, st.lists(_label, max_size=3), _ends
) | st.text("ab@.<>; ", max_size=12)

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
_codes = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)).map(str)
_digits = st.text("0123456789", min_size=1, max_size=16)
_written = st.text("0123456789 ().-", min_size=3, max_size=20)
numbers_written = st.one_of(
    st.builds(lambda c, d: f"+{c}{d}", _codes, _digits),
    st.builds(lambda c, d: f"+{c} {d}", _codes, _written),
    st.builds(lambda c, d: f"00{c}{d}", _codes, _digits),
    _digits,
    _digits.map(lambda d: f"0{d}"),
    _written,
    st.text("0123456789+x() /-a", max_size=16),
)


@given(st.lists(addresses, min_size=1, max_size=20))
@example(
    ["Ana.Souza+x@ACME.example", "a@b.local", "a@ab--cd.com", "a@xn--mller-kva.de", "a@-b.com", "a" * 65 + "@b.com"]
)
@example(["a@" + ".".join(["b" * 63] * 4) + ".com", "a@" + "b" * 64 + ".com", ".a@b.com", "a.@b.com", "a..b@b.com"])
def test_addresses(texts: list[str]) -> None:
    texts = [t.strip() for t in texts]
    assert emails(pl.Series(texts, dtype=pl.String)).to_list() == [read_email(t) for t in texts]


@given(addresses)
@example("'@0.com")
@example("''a@b.com")
def test_an_address_is_what_email_validator_says(text: str) -> None:
    # Quotes before an address are taken off, although an apostrophe may begin one.
    said = [address for given_ in (text.lstrip("'"), text) if (address := _validated(given_))]
    if said:
        read = read_email(text)
        assert read == said[0]
        assert read_email(read) == read


def _validated(text: str) -> str | None:
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{valid.local_part}@{valid.ascii_domain}".lower()


@given(st.lists(st.tuples(numbers_written, st.sampled_from([*REGIONS, None])), min_size=1, max_size=20))
def test_telephone_numbers(pairs: list[tuple[str, str | None]]) -> None:
    texts = pl.Series([t for t, _ in pairs], dtype=pl.String)
    regions = pl.Series([r for _, r in pairs], dtype=pl.String)
    one_by_one = [read_phone(t, r) for t, r in pairs]
    assert phones(texts, regions, None).to_list() == one_by_one
    times = FEW // len(pairs) + 1
    assert phones(pl.concat([texts] * times), pl.concat([regions] * times), None).to_list() == one_by_one * times


@pytest.mark.parametrize("region", ["BR", "US", "DE", "IN", "PT", "JP", "GB", "AE", "FR", "MX", "IT", "CN", "NG"])
@given(data=st.data())
@settings(max_examples=25)
def test_telephone_numbers_of_a_country(region: str, data: st.DataObject) -> None:
    rules = plan(region)
    assert rules is not None
    length = data.draw(st.sampled_from(sorted(rules.lengths)))
    number = data.draw(st.text("0123456789", min_size=length, max_size=length))
    shown = [f"+{rules.code}{number}", number, f"0{number}", f"{rules.code}{number}", f"({number[:2]}) {number[2:]}"]
    times = FEW // len(shown) + 1
    read = phones(pl.Series(shown * times), pl.Series([region] * len(shown) * times), None).to_list()
    assert read == [read_phone(text, region) for text in shown] * times


def test_the_quick_way_is_taken_for_plain_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str, region: str | None) -> str | None:
        raise AssertionError(f"{text} of {region} went to the library")

    monkeypatch.setattr("transforms.normalize.phones.read_phone", refuse)
    plain = {
        "+5511987654321": "BR",
        "(11) 98765-4321": "BR",
        "(415) 555-2671": "US",
        "030 1234567": "DE",
        "9876543210": "IN",
    }
    read = phones(pl.Series([*plain] * FEW), pl.Series([*plain.values()] * FEW), None).to_list()
    assert read == ["+5511987654321", "+5511987654321", "+14155552671", "+49301234567", "+919876543210"] * FEW


_moments = st.datetimes(datetime(1850, 1, 1), datetime(2250, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001
times_written = st.one_of(
    _moments.map(lambda d: d.isoformat().replace("+00:00", "Z")),
    _moments.map(lambda d: d.isoformat(timespec="milliseconds").replace("+00:00", "+0000")),
    _moments.map(lambda d: d.isoformat().replace("+00:00", "-03:00")),
    _moments.map(lambda d: d.isoformat(" ", timespec="seconds")),
    _moments.map(lambda d: str(int(d.timestamp() * 1000))),
    _moments.map(lambda d: d.strftime("%Y-%m-%d")),
    _moments.map(lambda d: d.strftime("%d/%m/%Y")),
    _moments.map(lambda d: d.strftime("%m.%d.%Y")),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|\+[0-9]{4}))?", fullmatch=True
    ),
    st.text("0123456789-:TZ.+ /", max_size=24),
)


@given(texts=st.lists(times_written, min_size=1, max_size=20), zone=st.sampled_from(ZONES), day_first=st.booleans())
@example(
    texts=["2024-02-30T00:00:00Z", "2024-06-30T23:59:60Z", "0000-01-01", "9999-12-31T23:59:59Z"],
    zone="UTC",
    day_first=True,
)
@example(texts=["2018-11-04", "2024-03-05", "05/03/2024", "12/31/2024"], zone="America/Sao_Paulo", day_first=False)
def test_times(*, texts: list[str], zone: str, day_first: bool) -> None:
    texts = [t.strip() for t in texts]
    read = timestamps(pl.Series(texts, dtype=pl.String), zone, day_first=day_first).to_list()
    assert read == [read_timestamp(t, zone, day_first=day_first) for t in texts]


amounts_written = st.one_of(
    st.decimals(-(10**18), 10**18, allow_nan=False, allow_infinity=False).map(str),
    st.decimals(-(10**6), 10**6, places=2).map(str),
    st.decimals(0, 10**6, places=2).map(lambda d: f"{d:,}"),
    st.integers(-(10**20), 10**20).map(str),
    st.text("0123456789.,-e+$ R", max_size=14),
)


@given(st.lists(amounts_written, min_size=1, max_size=20))
@example(["1e-64", "1e-999999", "-4e-5", "1e999999", "123456789012345678901234567890e-20"])
def test_amounts_are_exact(texts: list[str]) -> None:
    read = decimals(pl.Series([t.strip() or None for t in texts], dtype=pl.String), pl.Decimal(20, 4)).to_list()
    for text, value in zip(texts, read, strict=True):
        number = read_decimal(text) if text.strip() else None
        rounded = number.quantize(Decimal("0.0001")) if number is not None and abs(number) < 10**16 else None
        assert value == (rounded if rounded is not None and abs(rounded) < 10**16 else None)


@given(st.lists(amounts_written, min_size=1, max_size=20))
def test_whole_numbers(texts: list[str]) -> None:
    read = integers(pl.Series([t.strip() or None for t in texts], dtype=pl.String), pl.Int64()).to_list()
    for text, value in zip(texts, read, strict=True):
        number = read_decimal(text) if text.strip() else None
        fits = number is not None and number == number.to_integral_value() and abs(number) < 2**63
        assert value == (int(number) if fits and number is not None else None)
