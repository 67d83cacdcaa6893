"""What a browser's form is told of its upload where it asks for 201."""

from __future__ import annotations

from valetkey.s3.xml.document import DECLARATION
from valetkey.s3.xml.text import element


def render_post_response(*, location: str, bucket: str, key: str, etag: str) -> bytes:
    """Return the document, which has no namespace. `etag` is unquoted."""
    content = (
        element("Location", location)
        + element("Bucket", bucket)
        + element("Key", key)
        + element("ETag", f'"{etag}"')
    )
    return f"{DECLARATION}<PostResponse>{content}</PostResponse>".encode()
