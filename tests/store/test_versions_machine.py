"""Versions, listings and uploads against a plain model: whatever is done to both, they hold and show the same."""

import asyncio
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from tests.store.stock import (
    NOW_MS,
    PART_BYTES,
    copy,
    delete,
    etag_of,
    put,
    put_part,
)
from tests.store.versions_bench import KEYS, Bench, OpenReader, described
from tests.store.versions_model import ModelVersion

from valetkey.store import Deleted, Deletion, NewObject, PreconditionFailedError, WriteRule

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


class VersionsMachine(Bench):
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

        body = version.body[start:end]

        async def begin() -> None:
            reader = self.store.open_content(found, start, end)
            first = await anext(reader, b"")
            self.readers.append(OpenReader(reader, body[len(first) :]))
            assert body.startswith(first)

        self.run(begin())

    @precondition(lambda self: self.readers)
    @rule()
    def finish_reader(self) -> None:
        opened = self.readers.pop(0)

        async def read_on() -> bytes:
            with opened.reader:
                return b"".join([block async for block in opened.reader])

        assert self.run(read_on()) == opened.rest

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


TestVersionsMachine = VersionsMachine.TestCase
TestVersionsMachine.settings = settings(max_examples=25, stateful_step_count=40)
