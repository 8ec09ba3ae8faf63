"""JSON with half surrogate pairs, read as all vendors' is (connectors.base.exact)."""

from connectors.base.exact import decode_page, decode_record, readable

__all__ = ["decode_page", "decode_record", "readable"]
