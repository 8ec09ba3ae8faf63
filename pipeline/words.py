"""The words in force: the shipped glossary with a user's own folder laid over it, checked against tables and functions."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from glossary import Glossary, load
from transforms.normalize import KNOWN_COLUMNS, KNOWN_FUNCTIONS


class WordSettings(BaseSettings):
    """SMARKETING_GLOSSARY: a folder laid over glossary/data; empty: the shipped words alone."""

    model_config = SettingsConfigDict(env_prefix="SMARKETING_", env_file=".env", extra="ignore")

    glossary: str = ""


def words(overlay: Path | None = None) -> Glossary:
    """Load the glossary in force.

    Args:
        overlay: a folder; None: SMARKETING_GLOSSARY.

    Raises:
        ConfigurationError: all mistakes at once, each with file, line and remedy.
    """
    given = WordSettings().glossary
    return load(
        overlay or (Path(given) if given else None), known_columns=KNOWN_COLUMNS, known_functions=KNOWN_FUNCTIONS
    )
