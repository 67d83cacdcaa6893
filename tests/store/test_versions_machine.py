"""Versions, listings and uploads against a plain model: whatever is done to both, they hold and show the same.

Two stores on one folder stand for two processes, and take turns.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.store.stock import (
    NOW_MS,
    PART_BYTES,
    blob_files,
    body_of,
    copy,
    count_rows,
    delete,
    etag_of,
    named_blobs,
    open_store,
    put,
    put_part,
    read,
)
from tests.store.versions_model import ModelBucket, ModelVersion

from valetkey.store import (
    ContentReader,
    Deleted,
    DeleteMarkerError,
    Deletion,
    NewObject,
    NoSuchKeyError,
    PreconditionFailedError,
    Store,
    StoredObject,
    WriteRule,
)

T = TypeVar("T")

KEYS = ["a", "a\0", "a/", "a/b", "a//b", "ab", "b/x", "é/1", "é/2", "éb", "\U0001f600"]
keys = st.sampled_from(KEYS)
few_keys = st.sampled_from(["a", "a/b", "é/1"])
"""So few that versions pile up."""
sizes = st.sampled_from([0, 1, 1000, 1001, 5000, 70_000])
prefixes = st.text(alphabet="ab/é\0", max_size=3)
delimiters = st.one_of(
    st.sampled_from(["", "/", "//", "b", "/b", "é", "é/", "\U0001f600", "\0"]),
    st.text(alphabet="ab/é\0", max_size=3),
)
statuses = st.sampled_from(["Enabled", "Suspended"])


@dataclass(frozen=True, slots=True)
class OpenReader:
    reader: ContentReader
    body: bytes


class VersionsMachine(RuleBasedStateMachine):
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

    # What changes the bucket

    @initialize(status=statuses)
    def begin_with(self, status: str) -> None:
        """Mostly there are versions, and sometimes what comes first is from before."""
        if status == "Enabled":
            self.set_versioning(status)

    @rule(status=statuses)
    def set_versioning(self, status: str) -> None:
        self.run(self.store.buckets.set_versioning("bucket", status))
        self.model.versioning = status
        assert self.other.buckets.find("bucket").versioning == status

    @rule(key=keys | few_keys, size=sizes, tag=st.sampled_from(["", "x"]))
    def put(self, key: str, size: int, tag: str) -> None:
        body, version_id = self.new_body(size), self.new_id()
        tags = {"tag": tag} if tag else {}
        placed = self.run(put(self.store, key, body, tags=tags, version_id=version_id, now_ms=self.now_ms()))
        self.model.put(key, ModelVersion(version_id=version_id, body=body, tags=tuple(tags.items())))
        self.expect_placed(key, placed)

    @rule(key=keys, size=sizes)
    def create(self, key: str, size: int) -> None:
        body, version_id = self.new_body(size), self.new_id()
        rule = WriteRule(create_only=True)
        try:
            self.run(put(self.store, key, body, version_id=version_id, now_ms=self.now_ms(), rule=rule))
        except PreconditionFailedError:
            assert self.model.current(key) is not None
        else:
            assert self.model.current(key) is None
            self.model.put(key, ModelVersion(version_id=version_id, body=body))

    @rule(some=st.lists(keys, min_size=1, max_size=4, unique=True), size=sizes)
    def put_at_once(self, some: list[str], size: int) -> None:
        versions = {key: ModelVersion(version_id=self.new_id(), body=self.new_body(size)) for key in some}

        async def put_all() -> None:
            await asyncio.gather(
                *(
                    put(self.store, key, version.body or b"", version_id=version.name)
                    for key, version in versions.items()
                )
            )

        self.run(put_all())
        for key, version in versions.items():
            self.model.put(key, version)

    @rule(key=keys | few_keys)
    def delete(self, key: str) -> None:
        marker_id = self.new_id()
        deleted = self.run(delete(self.store, key, marker_id=marker_id, now_ms=self.now_ms()))
        self.model.delete(key, marker_id=marker_id)
        expected = None if self.model.versioning is None else self.model.keys[key][0].name
        assert (deleted.version_id, deleted.marker_id) == (None, expected)

    @precondition(lambda self: self.model.keys)
    @rule(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        key, version = self.draw_version(data, only_contents=False)
        deleted = self.run(delete(self.store, key, version_id=version.name))
        assert deleted == Deleted(
            key=key,
            version_id=version.name,
            marker_id=version.name if version.body is None else None,
            is_versioned=self.model.versioning is not None,
        )
        self.model.delete_version(key, version.name)

    @rule(key=few_keys)
    def delete_null_version(self, key: str) -> None:
        self.run(delete(self.store, key, version_id="null"))
        self.model.delete_version(key, "null")

    @rule(data=st.data(), some=st.lists(keys, max_size=3))
    def delete_several(self, data: st.DataObject, some: list[str]) -> None:
        wanted = [Deletion(key=key) for key in some]
        if self.model.keys:
            versions = st.lists(st.sampled_from(self.model.all_versions()), max_size=3)
            wanted += [Deletion(key=key, version_id=one.name) for key, one in data.draw(versions)]
        ids = [self.new_id() for _ in wanted]
        drawn = iter(ids)
        outcomes = self.run(
            self.store.delete_objects(
                "bucket", wanted, new_marker_id=lambda: next(drawn), now_ms=self.now_ms()
            )
        )
        assert [isinstance(outcome, Deleted) for outcome in outcomes] == [True] * len(wanted)
        for deletion, marker_id in zip(wanted, ids, strict=True):
            if deletion.version_id is None:
                self.model.delete(deletion.key, marker_id=marker_id)
            else:
                self.model.delete_version(deletion.key, deletion.version_id)

    @precondition(lambda self: self.model.contents())
    @rule(data=st.data(), key=keys)
    def copy(self, data: st.DataObject, key: str) -> None:
        source, version = self.draw_version(data)
        self.copy_to(source, version, key)

    @precondition(lambda self: self.model.contents())
    @rule(data=st.data())
    def copy_onto_itself(self, data: st.DataObject) -> None:
        source, version = self.draw_version(data)
        self.copy_to(source, version, source)

    def copy_to(self, source: str, version: ModelVersion, key: str) -> None:
        version_id = self.new_id()
        placed = self.run(
            copy(
                self.store,
                source,
                key,
                source_version_id=version.name,
                version_id=version_id,
                now_ms=self.now_ms(),
            )
        )
        self.model.put(key, replace(version, version_id=version_id))
        self.expect_placed(key, placed)

    @precondition(lambda self: self.model.contents())
    @rule(data=st.data(), value=st.sampled_from(["", "y", "ü"]))
    def tag(self, data: st.DataObject, value: str) -> None:
        key, version = self.draw_version(data)
        tags = {"tag": value} if value else {}
        amended = self.run(
            self.store.amend_object("bucket", key, version.name, lambda found: replace(found, tags=tags))
        )
        assert amended.tags == tags
        versions = self.model.keys[key]
        versions[versions.index(version)] = replace(version, tags=tuple(tags.items()))

    # Multipart uploads

    @rule(key=keys)
    def begin_upload(self, key: str) -> None:
        upload_id = self.new_id()
        self.run(self.store.uploads.create("bucket", key, upload_id=upload_id, headers={}, now_ms=NOW_MS))
        self.uploads[upload_id] = (key, {})

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), number=st.integers(1, 4), size=st.sampled_from([PART_BYTES, 70_000]))
    def put_part(self, data: st.DataObject, number: int, size: int) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.uploads)))
        body = self.new_body(size)
        self.run(put_part(self.store, upload_id, number, body))
        self.uploads[upload_id][1][number] = body

    @precondition(lambda self: self.uploads and self.large_versions())
    @rule(data=st.data(), number=st.integers(1, 4))
    def copy_part(self, data: st.DataObject, number: int) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.uploads)))
        key, version = data.draw(st.sampled_from(self.large_versions()))
        assert version.body is not None
        start = data.draw(st.integers(0, len(version.body) - PART_BYTES))
        end = data.draw(st.integers(start + PART_BYTES, len(version.body)))
        body = version.body[start:end]
        source = self.store.find_object("bucket", key, version.name)
        work = self.store.uploads.copy_part(
            upload_id,
            number,
            source,
            start=start,
            end=end,
            etag=etag_of(body),
            checksum=None,
            now_ms=NOW_MS,
        )
        assert self.run(work).size == end - start
        self.uploads[upload_id][1][number] = body

    def large_versions(self) -> list[tuple[str, ModelVersion]]:
        """Return the versions that lie in files, and are large enough for a part."""
        return [(key, one) for key, one in self.model.contents() if len(one.body or b"") >= PART_BYTES]

    @precondition(lambda self: any(parts for _, parts in self.uploads.values()))
    @rule(data=st.data())
    def complete_upload(self, data: st.DataObject) -> None:
        ready = sorted(upload_id for upload_id, (_, parts) in self.uploads.items() if parts)
        upload_id = data.draw(st.sampled_from(ready))
        key, stored = self.uploads.pop(upload_id)
        chosen = sorted(data.draw(st.sets(st.sampled_from(sorted(stored)), min_size=1)))
        body = b"".join(stored[number] for number in chosen)
        version_id = self.new_id()
        work = self.store.uploads.complete(
            "bucket",
            key,
            upload_id,
            parts=[(number, etag_of(stored[number])) for number in chosen],
            new=NewObject(etag=etag_of(body), headers={}),
            version_id=version_id,
            now_ms=self.now_ms(),
        )
        placed = self.run(work)
        assert placed.parts_count == len(chosen)
        self.model.put(key, ModelVersion(version_id=version_id, body=body))
        self.expect_placed(key, placed)

    @precondition(lambda self: self.uploads)
    @rule(data=st.data())
    def abort_upload(self, data: st.DataObject) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.uploads)))
        key, _ = self.uploads.pop(upload_id)
        self.run(self.store.uploads.abort("bucket", key, upload_id))

    # What reads

    @precondition(lambda self: self.model.contents() and len(self.readers) < 3)
    @rule(data=st.data())
    def open_reader(self, data: st.DataObject) -> None:
        """Begin to read a range, and leave the rest for later."""
        key, version = self.draw_version(data)
        assert version.body is not None
        start = data.draw(st.integers(0, len(version.body)))
        end = data.draw(st.integers(start, len(version.body)))
        found = self.store.find_object("bucket", key, version.name)

        async def begin() -> None:
            reader = self.store.open_content(found, start, end)
            first = await anext(reader, b"")
            self.readers.append(OpenReader(reader, version.body[start + len(first) : end]))  # type: ignore[index] # not None
            assert version.body[start : start + len(first)] == first  # type: ignore[index] # not None

        self.run(begin())

    @precondition(lambda self: self.readers)
    @rule()
    def finish_reader(self) -> None:
        opened = self.readers.pop(0)

        async def read_on() -> bytes:
            with opened.reader:
                return b"".join([block async for block in opened.reader])

        assert self.run(read_on()) == opened.body

    @rule(prefix=prefixes, delimiter=delimiters, limit=st.integers(1, 4))
    def page_through_objects(self, prefix: str, delimiter: str, limit: int) -> None:
        expected = self.model.list_objects(prefix, delimiter)
        after, goes_on = "", True
        while goes_on:
            page = self.run(
                self.store.list_objects(
                    "bucket", prefix=prefix, delimiter=delimiter, after=after, limit=limit
                )
            )
            shown, expected = expected[:limit], expected[limit:]
            assert [(entry.key, entry.size, entry.etag) for entry in page.entries] == [
                (item[0], len(item[1].body or b""), etag_of(item[1].body or b""))
                for item in shown
                if not isinstance(item, str)
            ]
            assert list(page.common_prefixes) == [item for item in shown if isinstance(item, str)]
            assert page.is_truncated == bool(expected)
            after, goes_on = page.next_after or "", page.is_truncated

    @rule(prefix=prefixes, delimiter=delimiters, limit=st.integers(1, 4))
    def page_through_versions(self, prefix: str, delimiter: str, limit: int) -> None:
        expected = self.model.list_versions(prefix, delimiter)
        key_marker, version_id_marker, goes_on = "", "", True
        while goes_on:
            page = self.run(
                self.store.list_versions(
                    "bucket",
                    prefix=prefix,
                    delimiter=delimiter,
                    key_marker=key_marker,
                    version_id_marker=version_id_marker,
                    limit=limit,
                    with_tags=True,
                )
            )
            shown, expected = expected[:limit], expected[limit:]
            assert [
                (one.key, one.version_id, one.is_latest, one.is_marker, one.size, one.etag, one.tags)
                for one in page.entries
            ] == [described(*item) for item in shown if not isinstance(item, str)]
            assert list(page.common_prefixes) == [item for item in shown if isinstance(item, str)]
            assert page.is_truncated == bool(expected)
            key_marker, version_id_marker = page.next_key_marker or "", page.next_version_id_marker or ""
            goes_on = page.is_truncated

    # Housekeeping

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

    def close_readers(self) -> None:
        for opened in self.readers:
            opened.reader.close()
        self.readers.clear()

    # What holds at all times

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        for key, version in self.model.all_versions():
            if version.body is None:
                try:
                    self.other.find_object("bucket", key, version.name)
                except DeleteMarkerError:
                    continue
                raise AssertionError(f"{key!r} has no marker {version.name}")
            assert self.run(read(self.other, key, version_id=version.name)) == version.body
        for key in KEYS:
            current = self.model.current(key)
            for store in (self.store, self.other):
                assert self.find_current(store, key) == (None if current is None else described_now(current))

    def find_current(self, store: Store, key: str) -> tuple[object, ...] | None:
        try:
            found = store.find_object("bucket", key)
        except NoSuchKeyError as error:
            versions = self.model.keys.get(key)
            assert error.marker_id == (versions[0].name if versions else None)
            return None
        return found.version_id, found.size, found.etag, dict(found.tags)

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


def described(key: str, version: ModelVersion, is_latest: bool) -> tuple[object, ...]:
    if version.body is None:
        return key, version.version_id, is_latest, True, 0, "", None
    size, etag = len(version.body), etag_of(version.body)
    return key, version.version_id, is_latest, False, size, etag, dict(version.tags)


def described_now(version: ModelVersion) -> tuple[object, ...]:
    body = version.body or b""
    return version.version_id, len(body), etag_of(body), dict(version.tags)


TestVersionsMachine = VersionsMachine.TestCase
TestVersionsMachine.settings = settings(max_examples=15, stateful_step_count=40)
