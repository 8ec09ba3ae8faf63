"""Answers and errors in Marketo's form: errors are HTTP 200, too.

Source: developer guide of Marketo Engage, "Error Codes".
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode

JSON = "application/json;charset=UTF-8"
REQUEST_ID = "marketo_request_id"
"""Where the ASGI scope has the id of the request."""

NO_ASSETS = "No assets found for the given search criteria."


class ApiError(Exception):
    """An error that is answered in HTTP 200.

    Args:
        code: Marketo's, a number as text.
        message: for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def body(self, request_id: str) -> bytes:
        """The JSON that is sent."""
        errors = [{"code": self.code, "message": self.message}]
        return _encode({"requestId": request_id, "success": False, "errors": errors})


class HttpError(Exception):
    """One of the few errors that are HTTP's own: 401, 404, 413, 414, 416, 502.

    Args:
        status: HTTP status.
        text: the body, plain.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def missing(name: str) -> ApiError:
    """A parameter that must be there."""
    return ApiError("1002", f"Missing value for the required parameter '{name}'")


def mistyped(value: str, type_: str) -> ApiError:
    """A parameter of the wrong type."""
    return ApiError("1001", f"Invalid value '{value}'. Required of type '{type_}'")


def answer(request: Request, rows: list[Any] | None, **more: Any) -> Response:
    """An answer of the lead database; rows None: no `result` at all; more: moreResult, nextPageToken."""
    body: dict[str, Any] = {"requestId": request.scope[REQUEST_ID]}
    if rows is not None:
        body["result"] = rows
    return Response(_encode(body | {"success": True} | more), media_type=JSON)


def asset_answer(request: Request, rows: list[Any]) -> Response:
    """An answer of the asset API; without rows a warning stands in their place."""
    body: dict[str, Any] = {"success": True, "errors": [], "requestId": request.scope[REQUEST_ID]}
    body |= {"warnings": [], "result": rows} if rows else {"warnings": [NO_ASSETS]}
    return Response(_encode(body), media_type=JSON)


def stamp(at: datetime) -> str:
    """As the lead database writes it: 2026-05-01T12:00:00Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def asset_stamp(at: datetime) -> str:
    """As the asset API writes it: 2026-05-01T12:00:00Z+0000."""
    return f"{stamp(at)}+0000"


def moment_of(text: str, name: str) -> datetime:
    """An aware UTC datetime from ISO 8601; without a zone it is UTC.

    Raises:
        ApiError: 704, it is none.
    """
    try:  # a plus sign that was not encoded arrives as a blank
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise ApiError("704", f"Invalid date format for '{name}'") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def number_of(request: Request, name: str, default: int, most: int) -> int:
    """A positive number from the query, at most `most`.

    Raises:
        ApiError: 1001, it is no number; 1003, it is too large.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise mistyped(text, "Integer")
    if int(text) > most:
        raise ApiError("1003", f"{name} must not exceed {most}")
    return int(text)


def names_of(request: Request, name: str) -> list[str]:
    """A list parameter, given as comma list, repeated, or both."""
    parts = (part.strip() for text in request.query_params.getlist(name) for part in text.split(","))
    return [part for part in parts if part]


def ids_of(request: Request, name: str, most: int) -> list[int]:
    """A list of whole numbers.

    Raises:
        ApiError: 1001, one is none; 1003, there are too many.
    """
    texts = names_of(request, name)
    if wrong := next((text for text in texts if not text.isdecimal()), None):
        raise mistyped(wrong, "Integer")
    if len(texts) > most:
        raise ApiError("1003", f"{name} must not have more than {most} values")
    return [int(text) for text in texts]
