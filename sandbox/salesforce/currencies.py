"""The org's currencies: the object CurrencyType, which a multi-currency org has, with the rates that Salesforce converts sums at."""

from datetime import UTC, datetime

from sandbox.salesforce.ids import make_id
from sandbox.salesforce.rows import View

CORPORATE = "USD"
RATES = {"USD": 1.0, "BRL": 5.3815, "EUR": 0.8663, "GBP": 0.7581, "INR": 88.6651, "JPY": 154.32}
"""Currency -> how many units of it are one of the corporate currency. Made up."""

_SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def currency_types(prefix: str) -> list[View]:
    """One record per currency."""
    return [
        View(
            make_id(prefix, number),
            _SINCE,
            _SINCE,
            deleted=False,
            merged_into=None,
            fields={
                "IsoCode": code,
                "ConversionRate": rate,
                "DecimalPlaces": 0 if code == "JPY" else 2,
                "IsActive": True,
                "IsCorporate": code == CORPORATE,
            },
        )
        for number, (code, rate) in enumerate(RATES.items(), 1)
    ]
