"""Who is let in, and what is refused: identity, tokens, lengths, limits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import requests

from sandbox.marketo.limits import Limits
from sandbox.serve import Sandbox
from tests.contract.sandbox_marketo.conftest import Marketo, error_of, months

LEADS = "/rest/v1/leads.json"
TYPES = "/rest/v1/activities/types.json"


def test_all_callers_share_one_token_until_it_expires(marketo: Marketo, box: Sandbox) -> None:
    first, second = marketo.login().json(), marketo.login().json()
    assert first.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert first["access_token"] == second["access_token"]
    assert second["expires_in"] <= first["expires_in"] < 3_600
    box.advance(timedelta(minutes=30) / timedelta(days=1))
    later = marketo.login().json()
    assert later["access_token"] == first["access_token"]
    assert first["expires_in"] - later["expires_in"] == 1_800
    box.advance(timedelta(minutes=31) / timedelta(days=1))
    assert marketo.code(TYPES) == "602"
    assert marketo.login().json()["access_token"] != first["access_token"]
    assert marketo.rows(TYPES)


def test_identity_by_post(box: Sandbox) -> None:
    keys = box.credentials
    form = {
        "grant_type": "client_credentials",
        "client_id": keys["marketo_client_id"],
        "client_secret": keys["marketo_client_secret"],
    }
    assert requests.post(f"{box.marketo_url}/identity/oauth/token", data=form, timeout=20).json()["access_token"]


def test_a_wrong_client_or_secret_is_401(marketo: Marketo) -> None:
    for wrong in ({"client_id": "x"}, {"client_secret": "x"}, {"client_secret": ""}):
        answer = marketo.login(**wrong)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert marketo.login(grant_type="password").json()["error"] == "unsupported_grant_type"


def test_only_the_header_lets_in(box: Sandbox, marketo: Marketo) -> None:
    token = marketo.login().json()["access_token"]
    with Marketo(box) as stranger:
        assert stranger.code(TYPES) == "600"
        assert stranger.code(TYPES, access_token=token) == "600"
        stranger.headers["Authorization"] = "Bearer nobody:ab"
        assert stranger.code(TYPES) == "601"
        stranger.headers["Authorization"] = f"bearer {token}"
        assert stranger.rows(TYPES)


def test_what_there_is_not_is_610(marketo: Marketo) -> None:
    assert marketo.code("/rest/v1/nothing.json") == "610"
    assert marketo.code("/rest/v1/lead/abc.json") == "610"


def test_a_long_address_is_414_and_goes_as_a_post(marketo: Marketo) -> None:
    values = ",".join(f"person{n}@nowhere-at-all.example" for n in range(290))
    query = {"filterType": "email", "filterValues": values}
    assert marketo.get(LEADS, params=query).status_code == 414
    assert marketo.post(LEADS, params={"_method": "GET"}, data=query).json()["result"] == []
    assert marketo.post(LEADS, data={"_method": "GET", **query}).json()["success"]
    assert error_of(marketo.post(LEADS, data=query)) == "605"


def test_a_large_body_is_413(marketo: Marketo) -> None:
    assert marketo.post("/bulk/v1/leads/export/create.json", data=b" " * (1 << 20)).status_code == 200
    assert marketo.post("/bulk/v1/leads/export/create.json", data=b" " * ((1 << 20) + 1)).status_code == 413


def test_100_calls_in_20_seconds(marketo: Marketo, box: Sandbox, limits: Limits) -> None:
    assert (limits.burst, limits.concurrent, limits.daily, limits.export_bytes) == (100, 10, 50_000, 500_000_000)
    limits._calls.clear()
    seconds = 0.0
    limits._clock = lambda: seconds
    limits.latency = 0
    for _ in range(100):
        marketo.rows(TYPES)
    assert marketo.rows(TYPES), "not enforced"
    box.context.limits = True
    answer = marketo.get(TYPES)
    assert error_of(answer) == "606"
    assert answer.json()["errors"][0]["message"] == "Max rate limit '100' exceeded with in '20' secs"
    seconds = 19.9
    assert marketo.code(TYPES) == "606"
    seconds = 20.0
    assert marketo.rows(TYPES)


def test_10_calls_at_once(marketo: Marketo, box: Sandbox, limits: Limits) -> None:
    limits._calls.clear()
    limits.latency = 1.0
    box.context.limits = True

    def call(_: int) -> str | None:
        answer = requests.get(box.marketo_url + TYPES, headers=dict(marketo.headers), timeout=20).json()
        return None if answer["success"] else str(answer["errors"][0]["code"])

    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(call, range(16)))
    assert set(codes) == {None, "615"}
    assert codes.count(None) >= 10
    assert limits.running == 0
    assert call(0) is None


def test_the_daily_quota_ends_at_midnight_in_chicago(marketo: Marketo, box: Sandbox, limits: Limits) -> None:
    limits._calls.clear()
    box.context.limits = True
    used = marketo.rows("/rest/v1/stats/usage.json")[0]
    limits.daily = used["total"] + 1
    assert marketo.rows(TYPES)
    assert marketo.code(TYPES) == "607"
    local = box.world.now() - timedelta(hours=5)  # June: daylight saving time
    assert used["date"] == local.date().isoformat()
    midnight = (local + timedelta(days=1)).replace(hour=5, minute=0, second=0, microsecond=0)
    box.world.advance_to(midnight - timedelta(minutes=1))
    marketo.login()
    assert marketo.code(TYPES) == "607"
    box.world.advance_to(midnight)
    assert marketo.rows(TYPES)


def test_ten_jobs_in_the_queue_two_of_which_run(marketo: Marketo, box: Sandbox) -> None:
    filter_ = {"createdAt": months(box.world.now())[0]}
    jobs = [marketo.job("leads" if n % 2 else "activities", filter_, fields=FIELDS[n % 2]) for n in range(10)]
    kinds = ["leads" if n % 2 else "activities" for n in range(10)]
    made = marketo.post("/bulk/v1/leads/export/create.json", json={"filter": filter_, "fields": ["id"]}).json()
    extra = made["result"][0]["exportId"]
    full = marketo.post(f"/bulk/v1/leads/export/{extra}/enqueue.json")
    assert (error_of(full), full.json()["errors"][0]["message"]) == ("1029", "Too many jobs in queue")
    most = 0
    for _ in range(3):
        for kind, id_ in zip(kinds, jobs, strict=True):
            marketo.rows(f"/bulk/v1/{kind}/export/{id_}/status.json")
            told = [job["status"] for k in ("leads", "activities") for job in marketo.rows(f"/bulk/v1/{k}/export.json")]
            most = max(most, told.count("Processing"))
    assert most == 2
    assert all(marketo.done(kind, id_)["status"] == "Completed" for kind, id_ in zip(kinds, jobs, strict=True))
    assert marketo.post(f"/bulk/v1/leads/export/{extra}/enqueue.json").json()["success"]
    again = marketo.post(f"/bulk/v1/leads/export/{extra}/enqueue.json")
    assert again.json()["errors"][0] == {"code": "1029", "message": "Job already queued"}
    marketo.post(f"/bulk/v1/leads/export/{extra}/cancel.json")


FIELDS = (None, ["id", "email"])


def test_exports_have_a_daily_quota_of_bytes(marketo: Marketo, box: Sandbox, limits: Limits) -> None:
    limits._calls.clear()
    filter_ = {"createdAt": months(box.world.now())[0]}
    size = len(marketo.file("activities", filter_))
    box.context.limits = True
    limits.export_bytes = size
    body = {"filter": filter_}
    refused = marketo.post("/bulk/v1/activities/export/create.json", json=body).json()
    assert refused["errors"][0] == {"code": "1029", "message": "Export daily quota exceeded"}
    box.advance(1)
    marketo.login()
    assert marketo.post("/bulk/v1/activities/export/create.json", json=body).json()["success"]


def test_errors_are_counted_by_code(marketo: Marketo) -> None:
    before = {e["errorCode"]: e["count"] for e in marketo.rows("/rest/v1/stats/errors.json")[0]["errors"]}
    assert marketo.code("/rest/v1/nothing.json") == "610"
    assert marketo.code("/rest/v1/nothing.json") == "610"
    after = {e["errorCode"]: e["count"] for e in marketo.rows("/rest/v1/stats/errors.json")[0]["errors"]}
    assert after["610"] - before.get("610", 0) == 2


def test_every_request_is_logged_without_a_secret(marketo: Marketo, box: Sandbox) -> None:
    box.context.log.clear()
    marketo.login()
    marketo.rows(TYPES)
    lines = box.context.log.lines("marketo")
    assert [(line.path, line.status) for line in lines] == [("/identity/oauth/token", 200), (TYPES, 200)]
    assert box.credentials["marketo_client_secret"] not in str(lines)


def test_a_token_lasts_as_long_as_the_sandbox_is_told(box: Sandbox, marketo: Marketo) -> None:
    box.advance(1)
    box.context.credentials["marketo_token_seconds"] = "90"
    try:
        assert marketo.login().json()["expires_in"] == 89
    finally:
        del box.context.credentials["marketo_token_seconds"]
