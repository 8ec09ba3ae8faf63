"""Between Airflow and the jobs."""

from datetime import UTC, datetime, timedelta

import pendulum
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException

from connectors.base.model import Window
from connectors.base.windows import span_of
from dags._glue import airflow_errors, plain
from errors import ConfigurationError, QuotaError, UnreachableError

AT = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


def test_times_of_airflow_are_made_plain() -> None:
    """An interval that ends in one of Pendulum's could not be counted in milliseconds."""
    there = pendulum.instance(AT).in_timezone("America/Sao_Paulo")
    assert type(plain(there)) is datetime
    assert (plain(there), plain(there).utcoffset()) == (AT, timedelta(0))
    assert span_of(Window("contacts", plain(there), plain(there), "backfill")).start == 1_778_051_289_124


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (ConfigurationError("No key."), AirflowFailException),
        (QuotaError("Used up.", until=AT), AirflowRescheduleException),
        (QuotaError("Used up."), QuotaError),
        (UnreachableError("No answer."), UnreachableError),
    ],
)
def test_what_errors_mean_to_airflow(error: Exception, becomes: type[Exception]) -> None:
    with pytest.raises(becomes) as caught, airflow_errors():
        raise error
    if isinstance(caught.value, AirflowRescheduleException):
        assert caught.value.reschedule_date == AT
