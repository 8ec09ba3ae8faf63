"""Each failure is one clear error of the project's tree, without key, body or personal data."""

import logging

import pytest

from connectors.tryton import KEYS, TrytonConnector, connect
from errors import AnswerError, ConfigurationError, CredentialsError, ScopeError, SmarketingError, UnreachableError
from tests.unit.connectors_tryton.conftest import Read, a_mechanism, a_party
from tests.unit.connectors_tryton.fake import DATABASE, KEY, FakeTryton

PERSONAL = "canary.person@shop.example"


@pytest.fixture(autouse=True)
def one_party(tryton: FakeTryton) -> None:
    tryton.put("party.party", **a_party(1, contact_mechanisms=[a_mechanism(1, PERSONAL)]))


def _to(connector: TrytonConnector, **changed: str) -> TrytonConnector:
    return connect({"base_url": connector.rest.session.base_url, "database": DATABASE, "key": KEY, **changed})


@pytest.mark.parametrize("statuses", [[500], [502, 503, 504], [429]])
def test_passing_faults_are_tried_again(tryton: FakeTryton, read: Read, statuses: list[int]) -> None:
    tryton.statuses = statuses
    assert [change.record_id for change in read("party")] == ["1"]


def test_a_server_that_stays_down_is_unreachable(tryton: FakeTryton, read: Read) -> None:
    tryton.statuses = [503] * 100
    with pytest.raises(UnreachableError):
        read("party")


def test_a_wrong_key_is_refused_once(tryton: FakeTryton, connector: TrytonConnector) -> None:
    with pytest.raises(CredentialsError):
        _to(connector, key="wrong").now()
    assert len(tryton.calls) == 1


def test_a_model_that_the_key_may_not_read_is_a_missing_scope(tryton: FakeTryton, read: Read) -> None:
    tryton.hidden = {"sale.opportunity"}
    with pytest.raises(ScopeError, match=r"connectors/tryton/README\.md"):
        read("opportunity")
    assert [change.record_id for change in read("party")] == ["1"]


def test_a_wrong_database_says_what_to_correct(connector: TrytonConnector) -> None:
    with pytest.raises(ConfigurationError, match="database"):
        _to(connector, database="other").now()


def test_a_page_that_is_not_trytons_says_so(tryton: FakeTryton, read: Read) -> None:
    tryton.html = True
    with pytest.raises(AnswerError, match="base_url"):
        read("party")


def test_a_value_in_a_new_wrapping_is_not_guessed(tryton: FakeTryton, read: Read) -> None:
    tryton.put("party.party", **a_party(2, name={"__class__": "quaternion", "id": {"__class__": "quaternion"}}))
    with pytest.raises(AnswerError, match="KeyError"):
        read("party")


@pytest.mark.parametrize("missing", KEYS)
def test_incomplete_credentials_are_named(missing: str) -> None:
    given = {"base_url": "https://erp.example", "database": "d", "key": "k"}
    with pytest.raises(ConfigurationError, match=missing):
        connect({**given, missing: ""})


def test_an_address_must_be_one() -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        connect({"base_url": "erp.example", "database": "d", "key": "k"})


def test_streams_of_modules_that_are_not_installed_are_empty(
    tryton: FakeTryton, connector: TrytonConnector, read: Read
) -> None:
    del tryton.models["marketing.email"]
    stream = connector.streams["mailing_list_email"]
    assert read("mailing_list_email") == []
    assert list(connector.read_keys(stream)) == []
    assert list(connector.read_ids(stream, ["1"])) == []


def test_fields_of_modules_that_are_not_installed_are_not_asked_for(tryton: FakeTryton, read: Read) -> None:
    tryton.missing_fields = {"marketing_scenario_unsubscribed"}
    assert b"marketing_scenario_unsubscribed" not in read("party")[0].payload


def test_the_doctor_is_content_with_a_good_connection(connector: TrytonConnector) -> None:
    assert [(check.name, check.is_ok) for check in connector.check()] == [
        ("key", True),
        ("clock", True),
        ("rights", True),
        ("companies", True),
    ]


def test_the_doctor_names_each_thing_that_is_wrong(tryton: FakeTryton, connector: TrytonConnector) -> None:
    tryton.hidden = {"marketing.email"}
    tryton.companies = []
    del tryton.models["marketing.automation.scenario"]
    found = {check.name: check for check in connector.check()}
    assert {name for name, check in found.items() if not check.is_ok} == {"rights", "companies"}
    assert "marketing.email" in found["rights"].message
    assert "scenario" in found["module"].message
    (check,) = _to(connector, key="wrong").check()
    assert (check.name, check.is_ok) == ("key", False)


def test_no_failure_tells_the_key_or_a_person(
    tryton: FakeTryton, connector: TrytonConnector, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    for statuses in ([503] * 100, [400], [403], [404], [410]):
        tryton.statuses = list(statuses)
        with pytest.raises(SmarketingError) as raised:
            read("party")
        told += [str(raised.value), raised.value.detail]
    tryton.statuses = [500]
    read("party")
    text = " ".join([*told, caplog.text, *(check.message for check in connector.check())])
    assert KEY not in text
    assert PERSONAL not in text
