"""Names as they are compared: without case, accents, punctuation and pictures."""

_ACCENTS = r"[\u0300-\u036f]"


def name_key(column: str) -> str:
    """SQL for a name in the form in which it is compared, `ana de souza` for `Ana de SOUZA,` and `weiss` for `Weiß`; '' for none."""
    letters = f"regexp_replace(normalize(lower(coalesce({column}, '')), NFKD), '{_ACCENTS}', '', 'g')"
    return f"trim(regexp_replace(replace({letters}, 'ß', 'ss'), '[^[:alnum:]]+', ' ', 'g'))"
