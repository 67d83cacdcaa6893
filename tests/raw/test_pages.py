"""Listings page by page, as they stand on the wire, against a plain model of what the bucket holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.raw.door import Door, open_door
from tests.store.versions_model import ModelBucket, ModelVersion

from valetkey.testing.server import RunningServer

KEYS: Final = (
    "a",
    "a\x01",
    "a/",
    "a//b",
    "a/b\r\n",
    "a/b c+d%2F",
    "b&<c>/x",
    "b&<c>/y",
    "é/1",
    "é/2",
    "z\ufffe/y",
    "\U0001f600",
)
NAMESPACE: Final = "{http://s3.amazonaws.com/doc/2006-03-01/}"

_REFERENCE: Final = re.compile(r"&#x([0-9a-f]+);")
_STANDING_IN: Final = re.compile("[\ue000-\uefff]")

prefixes = st.sampled_from(["", "a", "a/", "a//", "b&<", "é/", "z", "none"])
delimiters = st.sampled_from(["", "/", "//", "b", "/b", "é", "\ufffe", "c>/"])
limits = st.integers(1, 4)
encodings = st.sampled_from([None, "url"])

Stock = tuple[Door, ModelBucket]
Names = list[tuple[str, ...]]


def send(door: Door, method: str, path: str, *query: tuple[str, str], body: bytes = b"") -> Any:
    reply = door.signed(method, path, query=query, body=body)
    assert reply.status in (200, 204), reply.body
    return reply


@pytest.fixture(scope="module")
def stock(server: RunningServer) -> Stock:
    """A bucket whose keys have up to three versions, some of them under a delete marker."""
    door, model = open_door(server, "pages"), ModelBucket()
    for status, keys in ((None, KEYS[::2]), ("Enabled", KEYS), ("Suspended", KEYS[::3])):
        if status is not None:
            document = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
            send(door, "PUT", "/pages", ("versioning", ""), body=document.encode())
            model.versioning = status
        for number, key in enumerate(keys):
            reply = send(door, "PUT", door.path(key), body=b"body")
            version_id = reply.header("x-amz-version-id")
            model.put(key, ModelVersion(version_id=version_id, body=b"body"))
            if status == "Enabled" and number % 4 == 0:
                reply = send(door, "DELETE", door.path(key))
                marker_id = reply.header("x-amz-version-id")
                assert marker_id is not None
                model.delete(key, marker_id=marker_id)
    return door, model


class Page:
    """A page of a listing, read as leniently as S3's clients do."""

    def __init__(self, body: bytes, encoding: str | None) -> None:
        # A parser of XML 1.0 refuses references to what it cannot hold, so others stand in for those.
        text = _REFERENCE.sub(lambda found: chr(0xE000 + (int(found[1], 16) & 0xFFF)), body.decode())
        self.root = ET.fromstring(text)
        self.encoding = encoding

    def text(self, name: str, *, within: ET.Element | None = None) -> str | None:
        node = (self.root if within is None else within).find(NAMESPACE + name)
        return None if node is None else self._plain(node.text or "")

    def _plain(self, text: str) -> str:
        return _STANDING_IN.sub(lambda found: _character(ord(found[0]) - 0xE000), text)

    def key(self, name: str, *, within: ET.Element | None = None) -> str | None:
        text = self.text(name, within=within)
        return text if text is None or self.encoding is None else unquote_plus(text)

    def names(self) -> Iterator[tuple[str, ...]]:
        """Yield what the page lists, in the order of its kinds."""
        for node in self.root:
            kind = node.tag.removeprefix(NAMESPACE)
            if kind == "CommonPrefixes":
                yield kind, self.key("Prefix", within=node) or ""
            elif kind == "Contents":
                yield kind, self.key("Key", within=node) or ""
            elif kind in ("Version", "DeleteMarker"):
                version_id = self.text("VersionId", within=node) or ""
                latest = self.text("IsLatest", within=node) or ""
                yield kind, self.key("Key", within=node) or "", version_id, latest


def _character(low_bits: int) -> str:
    return chr(low_bits) if low_bits < 0x100 else chr(0xF000 + low_bits)


def read_pages(
    door: Door,
    query: dict[str, str],
    encoding: str | None,
    following: Callable[[Page, Names], dict[str, str]],
) -> list[Names]:
    """Return the pages of a listing, each in the bytes' order of its keys and common prefixes."""
    if encoding is not None:
        query = {**query, "encoding-type": encoding}
    pages: list[Names] = []
    more: dict[str, str] = {}
    while True:
        asked = [(name, value) for name, value in {**query, **more}.items() if value or name == "versions"]
        page = Page(send(door, "GET", "/pages", *sorted(asked)).body, encoding)
        # Common prefixes stand behind the keys.
        names = sorted(page.names(), key=lambda name: name[1].encode())
        pages.append(names)
        if page.text("KeyCount") is not None:
            assert page.text("KeyCount") == str(len(names))
        if page.text("IsTruncated") != "true":
            return pages
        more = following(page, names)


def cut(names: Names, limit: int) -> list[Names]:
    return [names[start : start + limit] for start in range(0, len(names), limit)] or [[]]


def expected_objects(model: ModelBucket, prefix: str, delimiter: str) -> Names:
    return [
        ("CommonPrefixes", shown) if isinstance(shown, str) else ("Contents", shown[0])
        for shown in model.list_objects(prefix, delimiter)
    ]


def expected_versions(model: ModelBucket, prefix: str, delimiter: str) -> Names:
    names: Names = []
    for shown in model.list_versions(prefix, delimiter):
        if isinstance(shown, str):
            names.append(("CommonPrefixes", shown))
        else:
            key, version, is_latest = shown
            kind = "Version" if version.body is not None else "DeleteMarker"
            names.append((kind, key, version.name, str(is_latest).lower()))
    return names


@given(prefix=prefixes, delimiter=delimiters, limit=limits, encoding=encodings)
@settings(max_examples=40)
def test_pages_of_the_first_version(
    stock: Stock, prefix: str, delimiter: str, limit: int, encoding: str | None
) -> None:
    door, model = stock

    def following(page: Page, names: Names) -> dict[str, str]:
        # Without a delimiter there is no next marker: it is the last key.
        marker = page.key("NextMarker")
        assert (marker is None) == (not delimiter)
        return {"marker": marker or names[-1][1]}

    query = {"prefix": prefix, "delimiter": delimiter, "max-keys": str(limit)}
    pages = read_pages(door, query, encoding, following)
    assert pages == cut(expected_objects(model, prefix, delimiter), limit)


@given(prefix=prefixes, delimiter=delimiters, limit=limits, encoding=encodings)
@settings(max_examples=40)
def test_pages_of_the_second_version(
    stock: Stock, prefix: str, delimiter: str, limit: int, encoding: str | None
) -> None:
    door, model = stock

    def following(page: Page, _: Names) -> dict[str, str]:
        return {"continuation-token": page.text("NextContinuationToken") or ""}

    query = {"list-type": "2", "prefix": prefix, "delimiter": delimiter, "max-keys": str(limit)}
    pages = read_pages(door, query, encoding, following)
    assert pages == cut(expected_objects(model, prefix, delimiter), limit)


@given(prefix=prefixes, delimiter=delimiters, limit=limits, encoding=encodings)
@settings(max_examples=40)
def test_pages_of_versions(
    stock: Stock, prefix: str, delimiter: str, limit: int, encoding: str | None
) -> None:
    door, model = stock

    def following(page: Page, _: Names) -> dict[str, str]:
        return {
            "key-marker": page.key("NextKeyMarker") or "",
            "version-id-marker": page.text("NextVersionIdMarker") or "",
        }

    query = {"versions": "", "prefix": prefix, "delimiter": delimiter, "max-keys": str(limit)}
    pages = read_pages(door, query, encoding, following)
    assert pages == cut(expected_versions(model, prefix, delimiter), limit)
