"""Links as a program without any S3 client uses them."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import Request, urlopen


def download(url: str) -> bytes:
    """Return what a link leads to."""
    with urlopen(url, timeout=30) as answer:
        content: bytes = answer.read()
        return content


def upload(url: str, content: bytes) -> int:
    """Send content to a link and return the status."""
    with urlopen(Request(url, data=content, method="PUT"), timeout=30) as answer:
        status: int = answer.status
        return status


def refused(url: str) -> int:
    """Return the status with which a link is refused."""
    try:
        download(url)
    except HTTPError as error:
        with error:
            return error.code
    raise AssertionError(f"{url} was let in.")
