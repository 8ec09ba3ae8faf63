"""Marketo: leads, activities, programs, members, lists, campaigns, mails, pages and forms, by REST and exports. See README.md."""

from collections.abc import Mapping

from connectors.base.model import Connector

__all__ = ["connect"]


def connect(credentials: Mapping[str, str]) -> Connector:
    """A connector to the instance of a custom service. Nothing is sent until it is used.

    Args:
        credentials: `base_url` (https://123-ABC-456.mktorest.com), `client_id`, `client_secret`; optional
            `calls_per_20_seconds` of all tasks together (50; 0 is no limit), `api_reserve`, the share of these that is left
            over (0.05), `poll_seconds` (60) between looks at an export job, and `start_date`, before which there is neither
            lead nor activity.

    Raises:
        ConfigurationError: one is missing or cannot be used.
    """
    # Here, so that DAG files, which need the declarations alone, load no HTTP: half a second.
    from connectors.marketo.auth import settings_from  # noqa: PLC0415
    from connectors.marketo.connector import Marketo  # noqa: PLC0415

    return Marketo(settings_from(credentials))
