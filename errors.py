"""Every error a user can meet, classed by what the caller should do.

    SmarketingError
    ├── ConfigurationError        mend a setting; exit code 3, never retried
    │   ├── CredentialsError      the vendor refuses the key
    │   └── ScopeError            the key lacks a permission
    └── RunError                  exit code 1
        ├── VendorError           the vendor did not do its part
        │   ├── UnreachableError  no answer, or only server errors, after all retries: retry later
        │   ├── QuotaError        quota used up: deferred until `until`
        │   ├── AnswerError       an answer that cannot be read or does not fit the declaration
        │   └── CountMismatchError  read and expected counts differ after splitting: the window is not proved
        ├── WarehouseError        the database refused (disk full, no connection)
        └── GateError             a blocking expectation failed: nothing was published

Each carries one sentence for the operator (`str(error)`), the remedy, and detail for the engineer. None carries secrets,
record bodies or personal data.
"""

from datetime import datetime


class SmarketingError(Exception):
    """Base of all errors of the project.

    Args:
        message: one sentence: what failed, and where was looked.
        remedy: one sentence: what to do next.
        detail: for the engineer (status, path without query, counts); no bodies, no secrets.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigurationError(SmarketingError):
    """A setting is missing or wrong."""

    exit_code = 3


class CredentialsError(ConfigurationError):
    """The vendor refuses the key or secret."""


class ScopeError(ConfigurationError):
    """The key is accepted but lacks a permission."""


class RunError(SmarketingError):
    """A run failed; nothing half-done is visible."""


class VendorError(RunError):
    """The vendor did not do its part."""


class UnreachableError(VendorError):
    """No usable answer after all retries."""


class QuotaError(VendorError):
    """The vendor's quota is used up.

    Args:
        until: when it is expected to be free again (UTC).
    """

    def __init__(self, message: str, *, until: datetime | None = None, remedy: str = "", detail: str = "") -> None:
        super().__init__(message, remedy=remedy, detail=detail)
        self.until = until


class AnswerError(VendorError):
    """An answer that cannot be read or does not fit the declaration."""


class CountMismatchError(VendorError):
    """Fewer or more records were read than the vendor counts, after splitting and reading again."""


class WarehouseError(RunError):
    """The database refused.

    Args:
        sqlstate: PostgreSQL's code of the refusal; empty where there was no answer.
    """

    def __init__(self, message: str, *, sqlstate: str = "", remedy: str = "", detail: str = "") -> None:
        super().__init__(message, remedy=remedy, detail=detail)
        self.sqlstate = sqlstate


class GateError(RunError):
    """A blocking expectation failed."""
