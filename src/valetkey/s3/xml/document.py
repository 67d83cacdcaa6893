"""Documents that a bucket or an object keeps and gives back: their outer element."""

from __future__ import annotations

from typing import Final

from valetkey.s3.xml.writer import NAMESPACE

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def document(root: str, content: str) -> str:
    """Return the document with the element `root` around `content`, which is markup already."""
    return f'{DECLARATION}<{root} xmlns="{NAMESPACE}">{content}</{root}>'
