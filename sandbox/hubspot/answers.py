"""Answers and errors in HubSpot's form."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode

JSON = "application/json;charset=utf-8"


class ApiError(Exception):
    """An error that is answered rather than raised further.

    Args:
        status: HTTP status.
        category: HubSpot's category, e.g. VALIDATION_ERROR.
        message: for a person.
        extra: further members of the body.
        headers: further headers.
    """

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def body(self, correlation_id: str) -> bytes:
        """The JSON body."""
        return _encode(
            {
                "status": "error",
                "message": self.message,
                "correlationId": correlation_id,
                "category": self.category,
                **self.extra,
            }
        )


def invalid(message: str, **extra: Any) -> ApiError:
    """400 VALIDATION_ERROR."""
    return ApiError(400, "VALIDATION_ERROR", message, extra)


def not_found(message: str = "resource not found") -> ApiError:
    """404 OBJECT_NOT_FOUND."""
    return ApiError(404, "OBJECT_NOT_FOUND", message)


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(_encode(body), status, media_type=JSON)


def iso(at: datetime) -> str:
    """A timestamp as HubSpot writes it: UTC, milliseconds, cut off rather than rounded."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def millis(at: datetime) -> int:
    """Milliseconds since 1970, cut off."""
    return (at - _EPOCH) // _MS


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = datetime.resolution * 1000


def limit_of(request: Request, default: int, most: int) -> int:
    """The `limit` of a request.

    Raises:
        ApiError: 400 when it is no number from 1 to `most`.
    """
    text = request.query_params.get("limit")
    return default if text is None else limit_from(text, most)


def limit_from(value: Any, most: int) -> int:
    """A limit from a query or a body.

    Raises:
        ApiError: 400 when it is no number from 1 to `most`.
    """
    try:
        limit = int(value)
    except (TypeError, ValueError):
        raise invalid("Invalid limit: a whole number is expected") from None
    if not 1 <= limit <= most:
        raise invalid(f"Invalid limit {limit}: it must be from 1 to {most}")
    return limit


def flag_of(request: Request, name: str) -> bool:
    """A true/false query parameter, false by default."""
    return request.query_params.get(name, "false").lower() == "true"


def names_of(request: Request, name: str) -> list[str]:
    """A list parameter, given as comma list, repeated, or both."""
    return [part for text in request.query_params.getlist(name) for part in text.split(",") if part]


async def body_of(request: Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        ApiError: 400 when it is none.
    """
    try:
        body = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: an object is expected")
    return body


def inputs_of(body: Mapping[str, Any], most: int) -> Sequence[Mapping[str, Any]]:
    """The `inputs` of a batch.

    Raises:
        ApiError: 400 when they are no list of objects with an id, or more than `most`.
    """
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(i, dict) and i.get("id") is not None for i in inputs):
        raise invalid("Invalid input JSON: inputs must be a list of objects with an id")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch request is {most}; received {len(inputs)}")
    return inputs


def paging(after: str, request: Request) -> dict[str, Any]:
    """The `paging` member that leads to the next page."""
    link = request.url.include_query_params(after=after)
    return {"next": {"after": after, "link": str(link)}}


def batch(results: list[Any], errors: list[dict[str, Any]], now: datetime) -> Response:
    """A batch answer: 200, or 207 when some inputs failed."""
    at = iso(now)
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return answer(body, 207 if errors else 200)


def unserved(id_: str) -> dict[str, Any]:
    """The element for an input that could not be served for the moment."""
    return failure("INTERNAL_ERROR", "Something went wrong with this input.", {"ids": [id_]})


def failure(category: str, message: str, context: dict[str, list[str]], **extra: Any) -> dict[str, Any]:
    """One element of a batch's `errors`."""
    return {
        "status": "error",
        "category": category,
        "message": message,
        "context": context,
        "links": {},
        "errors": [],
        **extra,
    }
