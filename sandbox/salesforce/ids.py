"""Salesforce Ids of 18 characters: prefix, counter, and a suffix that makes them safe where case is not told apart."""

from itertools import count

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_INSTANCE = "5g00000"
_numbers = count(1)


def new_id(prefix: str) -> str:
    """A fresh Id for what the API itself makes (jobs, cursors)."""
    return make_id(prefix, next(_numbers))


def make_id(prefix: str, number: int) -> str:
    """The Id with a prefix of three characters and a number below 62^5."""
    digits = ""
    for _ in range(5):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return with_suffix(f"{prefix}{_INSTANCE}{digits}")


def with_suffix(short: str) -> str:
    """The Id of 18 characters for one of 15: three characters tell which of the others are upper case.

    Each stands for five characters, the first of them as the lowest bit. (Salesforce help, "15 and 18 character Ids".)
    """
    blocks = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(_SUFFIX[sum(1 << i for i, c in enumerate(block) if c.isupper())] for block in blocks)
