"""The store and its model side by side: what holds at all times, whatever rules are applied to both."""

import asyncio
import hashlib
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.store.stock import (
    NOW_MS,
    blob_files,
    body_of,
    count_rows,
    etag_of,
    named_blobs,
    open_store,
    read,
)
from tests.store.versions_model import ModelBucket, ModelVersion

from valetkey.store import ContentReader, DeleteMarkerError, NoSuchKeyError, Store, StoredObject

T = TypeVar("T")

KEYS = ["a", "a\0", "a/", "a/b", "a//b", "ab", "b/x", "é/1", "é/2", "éb", "\U0001f600"]


@dataclass(frozen=True, slots=True)
class OpenReader:
    reader: ContentReader
    rest: bytes
    """What it has still to yield."""


class Bench(RuleBasedStateMachine):
    """Two stores on one folder stand for two processes, and take turns."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name) / "data"
        self.store: Store = open_store(self.folder)
        self.other: Store = open_store(self.folder)
        self.model = ModelBucket()
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self.readers: list[OpenReader] = []
        self.drawn = 0
        self.run(self.store.buckets.create("bucket", now_ms=NOW_MS))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    def new_id(self) -> str:
        """Return an id that says nothing about when it was drawn."""
        self.drawn += 1
        return hashlib.sha256(b"%d" % self.drawn).hexdigest()[:16]

    def new_body(self, size: int) -> bytes:
        return body_of(self.new_id(), size)

    def now_ms(self) -> int:
        """Return an instant of a clock that is put back now and then."""
        return NOW_MS + self.drawn * 7 % 11

    def draw_version(self, data: st.DataObject, *, only_contents: bool = True) -> tuple[str, ModelVersion]:
        found = self.model.contents() if only_contents else self.model.all_versions()
        return data.draw(st.sampled_from(found))

    @rule()
    def change_places(self) -> None:
        self.store, self.other = self.other, self.store

    @rule()
    def reopen(self) -> None:
        self.close_readers()
        self.run(self.store.close())
        self.store = open_store(self.folder)

    @rule()
    def settle(self) -> None:
        """After a sweep that nobody's reading hinders there is a file for each name, and no other."""
        self.close_readers()
        for store in (self.store, self.other):
            self.run(store.sweep(now_s=4e9, min_age_s=0))
        assert blob_files(self.folder) == named_blobs(self.folder)
        self.expect_rows()

    # What holds at all times

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        for key, version in self.model.all_versions():
            if version.body is None:
                with pytest.raises(DeleteMarkerError):
                    self.other.find_object("bucket", key, version.name)
                continue
            assert self.run(read(self.other, key, version_id=version.name)) == version.body
        for key in KEYS:
            for store in (self.store, self.other):
                self.expect_current(store, key)

    def expect_current(self, store: Store, key: str) -> None:
        current, versions = self.model.current(key), self.model.keys.get(key)
        if current is not None:
            found = store.find_object("bucket", key)
            assert (found.version_id, found.size, found.etag, dict(found.tags)) == described_now(current)
            return
        with pytest.raises(NoSuchKeyError) as caught:
            store.find_object("bucket", key)
        assert caught.value.marker_id == (versions[0].name if versions else None)

    @invariant()
    def has_a_file_for_each_name(self) -> None:
        files = blob_files(self.folder)
        assert named_blobs(self.folder) <= files

    def expect_placed(self, key: str, placed: StoredObject) -> None:
        assert placed.version_id == self.model.keys[key][0].version_id
        assert self.store.find_object("bucket", key) == placed

    def expect_rows(self) -> None:
        rows = count_rows(self.folder)
        parts = sum(len(parts) for _, parts in self.uploads.values())
        assert rows["objects"] + rows["versions"] == len(self.model.all_versions())
        assert rows["contents"] == len(self.model.contents()) + parts
        assert (rows["doomed"], rows["uploads"], rows["parts"]) == (0, len(self.uploads), parts)

    def teardown(self) -> None:
        self.close_readers()
        self.run(self.store.close())
        # What one could not remove beside the readers of the other is left to a sweep.
        self.run(self.other.sweep(now_s=4e9, min_age_s=0))
        self.run(self.other.close())
        self.expect_rows()
        assert blob_files(self.folder) == named_blobs(self.folder)
        self.loop.close()
        self.place.cleanup()

    def close_readers(self) -> None:
        for opened in self.readers:
            opened.reader.close()
        self.readers.clear()


def described(key: str, version: ModelVersion, is_latest: bool) -> tuple[object, ...]:
    if version.body is None:
        return key, version.version_id, is_latest, True, 0, "", None
    size, etag = len(version.body), etag_of(version.body)
    return key, version.version_id, is_latest, False, size, etag, dict(version.tags)


def described_now(version: ModelVersion) -> tuple[object, ...]:
    body = version.body or b""
    return version.version_id, len(body), etag_of(body), dict(version.tags)
