"""Fetching the file of an export: a broken download goes on where it broke off, a file that does not fit is fetched anew."""

import logging
import time

import requests
import urllib3

from connectors.base.session import path_of
from connectors.marketo.answers import code_of
from connectors.marketo.api import Api
from connectors.marketo.spool import DamagedError, Spool

log = logging.getLogger(__name__)

TRIES = 5
CHUNK = 1 << 16
"""Bytes: what is lost at most where a connection breaks."""


def fetch(api: Api, path: str, spool: Spool, size: int | None, checksum: str | None) -> None:
    """The file into the spool, whole.

    Args:
        api: the instance.
        path: of the file.
        spool: empty.
        size: in bytes, as the job tells it; None: it does not.
        checksum: the SHA-256, likewise.

    Raises:
        DamagedError: it stays broken, or other than the job says.
    """
    problem = DamagedError("nothing")
    for attempt in range(TRIES):
        if attempt:
            time.sleep(min(api.settings.poll_seconds, 2.0**attempt))
        if not _download(api, path, spool):
            # "Completed" is said before the file can be had.
            problem = DamagedError("no file yet")
            continue
        if size is not None and spool.size < size:
            problem = DamagedError(f"{spool.size} of {size} bytes")
            continue
        try:
            spool.prove(size, checksum)
        except DamagedError as error:
            problem = error
            log.info("marketo: %s is damaged (%s), fetching it again", path_of(path), error)
            spool.restart()
            continue
        return
    raise problem


def _download(api: Api, path: str, spool: Spool) -> bool:
    """Fetch what is missing; whether there was a file. A connection that breaks leaves the beginning in the spool."""
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={spool.size}-"} if spool.size else {})}
    with api.send("GET", path, headers=headers, stream=True) as response:
        if response.status_code >= requests.codes.bad_request or code_of(response):
            return False
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {spool.size}-")
        if response.status_code != requests.codes.partial_content or not goes_on:
            spool.restart()
        try:
            spool.append(response.raw.stream(CHUNK, decode_content=True))
        except urllib3.exceptions.HTTPError as error:
            log.info("marketo: a file broke off (%s) after %d bytes", type(error).__name__, spool.size)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                spool.restart()  # a place in the packed file is none in the unpacked one
    return True
