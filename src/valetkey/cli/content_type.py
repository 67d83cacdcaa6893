"""What kind of content a local file holds, by its name."""

import codecs
import mimetypes
from pathlib import Path
from typing import BinaryIO, Final

OPAQUE_TYPE: Final = "application/octet-stream"

_COMPRESSED: Final = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": OPAQUE_TYPE,
}
"""A compressed file is shared as it is: as Content-Encoding, browsers would unpack it on the way."""

_SAMPLE_BYTES: Final = 64 * 1024


def guess_content_type(path: Path, file: BinaryIO) -> str:
    """Return the media type for `path`; text that begins as UTF-8 says so. `file` is left at its start."""
    media_type, encoding = mimetypes.guess_type(path.name)
    if encoding is not None:
        return _COMPRESSED.get(encoding, OPAQUE_TYPE)
    if media_type is None:
        return OPAQUE_TYPE
    if media_type.startswith("text/") and _begins_as_utf8(file):
        return f"{media_type}; charset=utf-8"
    return media_type


def _begins_as_utf8(file: BinaryIO) -> bool:
    sample = file.read(_SAMPLE_BYTES)
    file.seek(0)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(sample) < _SAMPLE_BYTES)
    except UnicodeDecodeError:
        return False
    return True
