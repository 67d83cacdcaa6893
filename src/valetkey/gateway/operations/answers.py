"""The few shapes that answers have."""

from __future__ import annotations

from valetkey.gateway.call import Answer
from valetkey.s3.documents import Document
from valetkey.s3.xml.writer import render

XML_TYPE = (b"content-type", b"application/xml")


def document(value: Document, *, headers: list[tuple[bytes, bytes]] | None = None) -> Answer:
    """Return 200 with `value` as XML."""
    body = render(value)
    return Answer(200, [XML_TYPE, *(headers or [])], body, len(body))


def kept_document(text: str, *, headers: list[tuple[bytes, bytes]] | None = None) -> Answer:
    """Return 200 with a document that is XML already."""
    body = text.encode()
    return Answer(200, [XML_TYPE, *(headers or [])], body, len(body))


def empty(*, headers: list[tuple[bytes, bytes]] | None = None) -> Answer:
    """Return 200 with an empty body."""
    return Answer(200, headers or [], b"", 0)


def no_content() -> Answer:
    """Return 204, which has neither a body nor headers about one."""
    return Answer(204, [])


def etag_header(etag: str) -> tuple[bytes, bytes]:
    """Return the `ETag` header for an unquoted `etag`."""
    return (b"etag", f'"{etag}"'.encode())
