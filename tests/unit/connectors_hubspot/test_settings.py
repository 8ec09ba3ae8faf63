import pytest

from connectors.base.quota import RESERVE
from connectors.hubspot import connect
from connectors.hubspot.auth import settings_from
from errors import ConfigurationError, CredentialsError

TOKEN = "pat-na1-canary"


@pytest.mark.parametrize("token", ["", "  ", "pat canary", "pat\ncanary", "pat-canáry", '"pat\x00canary"'])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        connect({"access_token": token})
    assert "canary" not in str(caught.value)
    assert caught.value.remedy


def test_no_credentials_at_all() -> None:
    with pytest.raises(CredentialsError, match="no access token"):
        connect({})


def test_defaults_and_blanks() -> None:
    settings = settings_from({"access_token": f" {TOKEN}\n", "base_url": "", "search_per_second": "", "time_zone": ""})
    assert settings.base_url == "https://api.hubapi.com"
    assert settings.search_per_second == 5
    assert settings.reserve == RESERVE
    assert settings.time_zone.key == "UTC"
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize("url", ["api.hubapi.com", "ftp://x", "https://", "http://[::1", "http://x:99999"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        connect({"access_token": TOKEN, "base_url": url})


@pytest.mark.parametrize("rate", ["fast", "-1", "nan", "inf"])
def test_a_rate_that_is_none(rate: str) -> None:
    with pytest.raises(ConfigurationError, match="search_per_second"):
        connect({"access_token": TOKEN, "search_per_second": rate})


@pytest.mark.parametrize(("rate", "value"), [("0", 0.0), ("0.5", 0.5), ("5", 5.0)])
def test_a_rate(rate: str, value: float) -> None:
    assert settings_from({"access_token": TOKEN, "search_per_second": rate}).search_per_second == value


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "/etc/localtime"])
def test_a_zone_that_is_none(zone: str) -> None:
    with pytest.raises(ConfigurationError, match="time_zone"):
        connect({"access_token": TOKEN, "time_zone": zone})
