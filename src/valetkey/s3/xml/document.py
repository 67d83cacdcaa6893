"""Documents that a bucket or an object keeps and gives back: their outer element."""

from __future__ import annotations

from typing import Final

from valetkey.s3.xml.writer import NAMESPACE

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


CONTROL_NAMESPACE: Final = "http://awss3control.amazonaws.com/doc/2018-08-20/"
"""Of the documents of S3 Control."""


def document(root: str, content: str, *, namespace: str = NAMESPACE) -> str:
    """Return the document with the element `root` around `content`, which is markup already."""
    return f'{DECLARATION}<{root} xmlns="{namespace}">{content}</{root}>'
