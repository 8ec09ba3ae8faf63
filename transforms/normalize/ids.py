"""Ids and references: `vendor:stream:id`, as source_key has them."""

from typing import Final

import polars as pl

_SHORT: Final = 15
_CHUNK: Final = 5
_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def long_salesforce_id(short: str) -> str:
    """The 18-character form of a 15-character Salesforce id.

    Each of the three added characters tells which of five characters are capitals (Salesforce's published scheme), so that
    ids that differ in case only stay apart where case is lost.
    """
    suffix = ""
    for start in range(0, _SHORT, _CHUNK):
        chunk = short[start : start + _CHUNK]
        suffix += _CHECK[sum(1 << place for place, letter in enumerate(chunk) if letter.isascii() and letter.isupper())]
    return short + suffix


def ids(text: pl.Series, vendor: str, ref: str | None) -> pl.Series:
    """Ids, and with `ref` (stream, or vendor:stream) references. 123.0 is read as 123: ids come as numbers, too."""
    if text.null_count() == len(text):
        return text
    bare = text.str.replace(r"^([0-9]+)\.0+$", "${1}")
    if ref is None:
        return bare
    other, _, stream = ref.rpartition(":")
    owner = other or vendor
    if owner == "salesforce":
        short = (bare.str.len_bytes() == _SHORT).fill_null(value=False)
        if short.any():
            words = {word: long_salesforce_id(word) for word in bare.filter(short).unique()}
            bare = bare.zip_with(~short, bare.replace_strict(words, default=None, return_dtype=pl.String))
    return (f"{owner}:{stream}:" + bare).alias(text.name)
