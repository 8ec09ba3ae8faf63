"""What Salesforce's error bodies are read as."""

import pytest
import requests

from connectors.base.outcome import Outcome, outcome_of
from connectors.salesforce.answers import OUTCOMES, code_of


def answer(status: int, body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = body
    return response


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'[{"message":"Session expired","errorCode":"INVALID_SESSION_ID"}]', "INVALID_SESSION_ID"),
        (
            b'[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]',
            "REQUEST_LIMIT_EXCEEDED",
        ),
        (b'[{"message":"ConcurrentRequests Limit","errorCode":"REQUEST_LIMIT_EXCEEDED"}]', "CONCURRENT_LIMIT"),
        (b'{"error":"invalid_grant","error_description":"x"}', "invalid_grant"),
        (b'{"errorCode":"X"}', "X"),
        (b"<html>", ""),
        (b"", ""),
        (b"[]", ""),
        (b"[5]", ""),
        (b'[{"errorCode":5}]', ""),
        (b"null", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_codes(body: bytes, code: str) -> None:
    assert code_of(answer(400, body)) == code


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (200, "", Outcome.OK),
        (401, "INVALID_SESSION_ID", Outcome.REFRESH),
        (403, "REQUEST_LIMIT_EXCEEDED", Outcome.QUOTA),
        (403, "CONCURRENT_LIMIT", Outcome.RETRY),
        (403, "API_DISABLED_FOR_ORG", Outcome.SCOPE),
        (400, "QUERY_TIMEOUT", Outcome.MISSING),
        (500, "QUERY_TIMEOUT", Outcome.MISSING),
        (400, "MALFORMED_QUERY", Outcome.FATAL),
        (500, "UNKNOWN_EXCEPTION", Outcome.RETRY),
        (503, "SERVER_UNAVAILABLE", Outcome.RETRY),
        (429, "", Outcome.WAIT),
    ],
)
def test_outcomes(status: int, code: str, outcome: Outcome) -> None:
    assert outcome_of(status, code, OUTCOMES) is outcome
