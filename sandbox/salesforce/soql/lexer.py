"""Cuts a SOQL text into tokens."""

import re
from typing import NamedTuple

from sandbox.salesforce.errors import ApiError, malformed

_TOKEN = re.compile(
    r"""\s+
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)(?![\w:.-])
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w:.-])
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<symbol><=|>=|!=|<>|[=<>(),:*])
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "_", "%": "%"}

_CONTEXT = 60
"""Characters of the query that an error message shows before and after the place."""


class Token(NamedTuple):
    """A piece of a query: kind is string, datetime, date, number, name, symbol or end."""

    kind: str
    text: str
    at: int


def complain(code: str, text: str, at: int, message: str) -> ApiError:
    """An error in Salesforce's form: the query with a mark below the place, then what is wrong."""
    line = text[max(0, at - _CONTEXT) : at + _CONTEXT].replace("\n", " ")
    mark = " " * min(at, _CONTEXT) + "^"
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return ApiError(400, code, f"\n{line}\n{mark}\nERROR at Row:{row}:Column:{column}\n{message}")


def tokens(text: str) -> list[Token]:
    """All tokens of `text`, with one of kind `end` last.

    Raises:
        ApiError: MALFORMED_QUERY where a character belongs to no token.
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if text[at] == "'":
                raise malformed("line 1:-1 mismatched character '<EOF>' expecting '''")
            raise complain("MALFORMED_QUERY", text, at, f"unexpected token: '{text[at:].split(maxsplit=1)[0]}'")
        if match.lastgroup:
            found.append(Token(match.lastgroup, match.group(), at))
        at = match.end()
    found.append(Token("end", "<EOF>", len(text)))
    return found


def unescape(body: str) -> str:
    """The text that a string literal's body stands for.

    Raises:
        ApiError: MALFORMED_QUERY for an escape that SOQL does not know.
    """
    if "\\" not in body:
        return body
    result, pieces = [], iter(body)
    for char in pieces:
        if char == "\\":
            escape = next(pieces)
            if escape.lower() not in _ESCAPES:
                raise malformed(f"Illegal escape sequence '\\{escape}' in string literal")
            result.append(_ESCAPES[escape.lower()])
        else:
            result.append(char)
    return "".join(result)
