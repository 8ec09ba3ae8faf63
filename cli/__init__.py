"""`smarketing`: parses, calls, prints. What it does is in `pipeline`; how it looks is here."""

from cli.app import main

__all__ = ["main"]
