"""Salesforce's way to say no: an HTTP status and a list with one message and error code."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json;charset=UTF-8"


class ApiError(Exception):
    """An answer that is an error.

    Args:
        status: HTTP status.
        code: Salesforce's errorCode.
        message: its text.
        fields: names of the fields at fault, where Salesforce names them.
    """

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> bytes:
        """The JSON that is sent."""
        item: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            item["fields"] = self.fields
        return msgspec.json.encode([item])


def malformed(message: str) -> ApiError:
    """A query that cannot be parsed."""
    return ApiError(400, "MALFORMED_QUERY", message)


def not_found() -> ApiError:
    """A resource that does not exist."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


async def answer_error(_: Request, error: Exception) -> Response:
    """Starlette's handler for `ApiError`."""
    if not isinstance(error, ApiError):
        raise error
    return Response(error.body(), error.status, media_type=JSON)
