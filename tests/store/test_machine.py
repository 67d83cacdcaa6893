"""The store against a dictionary: whatever is done to both, they hold the same."""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.store.stock import (
    NOW_MS,
    PART_BYTES,
    blob_files,
    body_of,
    count_rows,
    etag_of,
    named_blobs,
    open_store,
    put,
    put_part,
    read,
)

from valetkey.store import NewObject, NoSuchKeyError, PreconditionFailedError, Store, WriteRule

T = TypeVar("T")

keys = st.sampled_from(["a", "a/", "a/b", "a/b/c", "a0", "b/x", "b/y", "ü/1", "ü/2", "z"])
sizes = st.sampled_from([0, 1, 999, 1000, 1001, 5000, 300_000])
part_sizes = st.lists(st.sampled_from([PART_BYTES, PART_BYTES + 1, 70_000]), max_size=3)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name) / "data"
        self.store: Store = open_store(self.folder)
        self.model: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self.drawn = 0
        self.run(self.store.buckets.create("bucket", now_ms=NOW_MS))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    def new_body(self, size: int) -> bytes:
        self.drawn += 1
        return body_of(f"{self.drawn}", size)

    @rule(key=keys, size=sizes)
    def put(self, key: str, size: int) -> None:
        body = self.new_body(size)
        self.run(put(self.store, key, body))
        self.model[key] = body

    @rule(key=keys, size=sizes)
    def create(self, key: str, size: int) -> None:
        body = self.new_body(size)
        try:
            self.run(put(self.store, key, body, rule=WriteRule(create_only=True)))
        except PreconditionFailedError:
            assert key in self.model
        else:
            assert key not in self.model
            self.model[key] = body

    @rule(some=st.lists(keys, min_size=1, max_size=4, unique=True), size=sizes)
    def put_at_once(self, some: list[str], size: int) -> None:
        bodies = {key: self.new_body(size) for key in some}

        async def put_all() -> None:
            await asyncio.gather(*(put(self.store, key, body) for key, body in bodies.items()))

        self.run(put_all())
        self.model |= bodies

    @rule(key=keys)
    def delete(self, key: str) -> None:
        assert self.run(self.delete(store, key)) == (key in self.model)
        self.model.pop(key, None)

    @rule(some=st.lists(keys, max_size=5))
    def delete_several(self, some: list[str]) -> None:
        self.run(self.store.delete_objects("bucket", some))
        for key in some:
            self.model.pop(key, None)

    @rule(source=keys, key=keys)
    def copy(self, source: str, key: str) -> None:
        try:
            self.run(self.store.copy_object("bucket", source, "bucket", key, now_ms=NOW_MS))
        except NoSuchKeyError:
            assert source not in self.model
        else:
            self.model[key] = self.model[source]

    @rule(key=keys)
    def begin_upload(self, key: str) -> None:
        self.drawn += 1
        upload_id = f"{self.drawn}"
        self.run(self.store.uploads.create("bucket", key, upload_id=upload_id, headers={}, now_ms=NOW_MS))
        self.uploads[upload_id] = (key, {})

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), number=st.integers(1, 4), size=st.sampled_from([PART_BYTES, 70_000]))
    def put_part(self, data: st.DataObject, number: int, size: int) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.uploads)))
        body = self.new_body(size)
        self.run(put_part(self.store, upload_id, number, body))
        self.uploads[upload_id][1][number] = body

    @precondition(lambda self: any(parts for _, parts in self.uploads.values()))
    @rule(data=st.data())
    def complete_upload(self, data: st.DataObject) -> None:
        ready = sorted(upload_id for upload_id, (_, parts) in self.uploads.items() if parts)
        upload_id = data.draw(st.sampled_from(ready))
        key, stored = self.uploads[upload_id]
        chosen = sorted(data.draw(st.sets(st.sampled_from(sorted(stored)), min_size=1)))
        self.run(
            self.store.uploads.complete(
                "bucket",
                key,
                upload_id,
                parts=[(number, etag_of(stored[number])) for number in chosen],
                new=NewObject(etag=f"e-{len(chosen)}", headers={}),
                now_ms=NOW_MS,
            )
        )
        self.model[key] = b"".join(stored[number] for number in chosen)
        del self.uploads[upload_id]

    @precondition(lambda self: self.uploads)
    @rule(data=st.data())
    def abort_upload(self, data: st.DataObject) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.uploads)))
        key, _ = self.uploads.pop(upload_id)
        self.run(self.store.uploads.abort("bucket", key, upload_id))

    @rule(key=keys, data=st.data())
    def read_range(self, key: str, data: st.DataObject) -> None:
        body = self.model.get(key)
        if body is None:
            return
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, len(body)))

        async def read_part() -> bytes:
            found = self.store.find_object("bucket", key)
            with self.store.open_content(found, start, end) as reader:
                return b"".join([block async for block in reader])

        assert self.run(read_part()) == body[start:end]

    @rule(
        prefix=st.sampled_from(["", "a", "a/", "ü"]),
        delimiter=st.sampled_from(["", "/"]),
        limit=st.integers(1, 4),
    )
    def page_through(self, prefix: str, delimiter: str, limit: int) -> None:
        shown, after, goes_on = [], "", True
        while goes_on:
            page = self.run(
                self.store.list_objects(
                    "bucket", prefix=prefix, delimiter=delimiter, after=after, limit=limit
                )
            )
            shown.extend([*(entry.key for entry in page.entries), *page.common_prefixes])
            after, goes_on = page.next_after or "", page.is_truncated
        names = set()
        for key in self.model:
            if key.startswith(prefix):
                head, mark, _ = key[len(prefix) :].partition(delimiter or "\0")
                names.add(prefix + head + mark)
        assert sorted(shown, key=str.encode) == sorted(names, key=str.encode)

    @rule()
    def reopen(self) -> None:
        self.run(self.store.close())
        self.store = open_store(self.folder)

    @rule()
    def sweep(self) -> None:
        """After a sweep there is a file for each name, and no other."""
        self.run(self.store.sweep(now_s=4e9, min_age_s=0))
        assert blob_files(self.folder) == named_blobs(self.folder)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        page = self.run(self.store.list_objects("bucket"))
        assert {entry.key: entry.size for entry in page.entries} == {
            key: len(body) for key, body in self.model.items()
        }
        for key, body in self.model.items():
            assert self.run(read(self.store, key)) == body

    def teardown(self) -> None:
        self.run(self.store.close())
        rows = count_rows(self.folder)
        assert (rows["contents"], rows["doomed"]) == (len(self.model), 0)
        assert rows["uploads"] == len(self.uploads)
        assert blob_files(self.folder) == named_blobs(self.folder)
        self.loop.close()
        self.place.cleanup()


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=12, stateful_step_count=30)
