"""How the files of bulk extracts are written.

Null is the word `null`, an empty text is empty; a cell is quoted where it has the delimiter, a quote or a line break. The
attributes of an activity are a JSON object in one cell.
"""

import csv
import io
from collections.abc import Iterable
from typing import Any

DELIMITERS = {"CSV": ",", "TSV": "\t", "SSV": ";"}

Row = list[Any]


def file_of(format_: str, headers: Iterable[str], rows: Iterable[Row]) -> bytes:
    """The file in UTF-8, with a header."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=DELIMITERS[format_], lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
