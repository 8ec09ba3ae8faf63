"""E-mail addresses: lower case, domain in IDNA ASCII, or null where it is no address.

Plain ASCII addresses are judged in whole columns by a pattern that admits only what email-validator admits unchanged
(tests/properties proves it); the rest goes to email-validator, one distinct value at a time. No DNS is asked.
"""

import re
import string
from functools import lru_cache
from typing import Final

import polars as pl
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

_PLAIN: Final = r"^[a-z0-9_+-]{1,64}(\.[a-z0-9_+-]{1,64})*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"
_TOO_LONG: Final = r"^[^@]{65,}@|@.{254,}$|^.{255,}$"
# `--` at a label's third place means punycode or is refused; a domain that holds it anywhere takes the long way.
# The validator refuses these endings, but `test`, which sandboxes use, is let through.
_SPECIAL: Final = "|".join(re.escape(name) for name in SPECIAL_USE_DOMAIN_NAMES if name != "test")
_LONG_WAY: Final = rf"@.*--|[@.]({_SPECIAL})$|{_TOO_LONG}"
_BEFORE: Final = re.compile(r"(?:mailto:|[\s<\"'])+", re.IGNORECASE)
_AFTER: Final = f"{string.whitespace}\u00a0>\"'.,;"


def emails(text: pl.Series) -> pl.Series:
    """Text to addresses; null where it is none."""
    if text.null_count() == len(text):
        return text
    frame = text.str.to_lowercase().rename("t").to_frame()
    t = pl.col("t")
    read = frame.select(pl.when(t.str.contains(_PLAIN) & ~t.str.contains(_LONG_WAY)).then(t).alias("v"))["v"]
    if read.null_count() > text.null_count():
        rest = text.filter(read.is_null() & text.is_not_null()).unique()
        words = {word: read_email(word) for word in rest}
        read = read.zip_with(read.is_not_null(), text.replace_strict(words, default=None, return_dtype=pl.String))
    return read.alias(text.name)


@lru_cache(maxsize=65_536)
def read_email(text: str) -> str | None:
    """One address, normalised; None where it is none.

    What surrounds an address by mistake is taken off first: blanks, `mailto:`, quotes, angle brackets, a trailing point,
    comma or semicolon. Where nothing valid is left, it is read as it stands (an apostrophe may begin an address).
    """
    begin = _BEFORE.match(text)
    return _valid(text[begin.end() if begin else 0 :].rstrip(_AFTER)) or _valid(text.strip())


def _valid(text: str) -> str | None:
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError):
        return None
    return f"{valid.local_part.lower()}@{valid.ascii_domain.lower()}"
