from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.stock import NOW_MS, delete, open_store, put

from valetkey.store import NoSuchBucketError, Store, VersionSummary

MARKED = "m"
"""Stands for a delete marker where an id begins with it."""

STOCK = [
    ("a", ["v2", "v1"]),
    ("b/1", ["m2", "v1", "null"]),
    ("b/2", ["v1"]),
    ("c", ["null"]),
    ("é/1", ["v1"]),
]
EVERYTHING = [(key, name) for key, names in STOCK for name in names]


async def fill(store: Store, stock: list[tuple[str, list[str]]] = STOCK) -> None:
    """Make the versions, of which the first of each key is the newest; "null" may only be the oldest."""
    for key, names in stock:
        if "null" in names:
            await put(store, key, b"")
    await store.buckets.set_versioning("bucket", "Enabled")
    for key, names in stock:
        for name in reversed(names):
            if name.startswith(MARKED):
                await delete(store, key, marker_id=name)
            elif name != "null":
                await put(store, key, b"", version_id=name)


async def shown(store: Store, **query: str | int) -> tuple[list[tuple[str, str]], list[str]]:
    page = await store.list_versions("bucket", **query)  # type: ignore[arg-type] # names of one signature
    return [(one.key, one.version_id or "null") for one in page.entries], list(page.common_prefixes)


@pytest.mark.parametrize(
    ("query", "versions", "prefixes"),
    [
        pytest.param({}, EVERYTHING, [], id="everything"),
        pytest.param({"prefix": "b/"}, EVERYTHING[2:6], [], id="prefix"),
        pytest.param({"delimiter": "/"}, [*EVERYTHING[:2], EVERYTHING[6]], ["b/", "é/"], id="delimiter"),
        pytest.param({"delimiter": "é/"}, EVERYTHING[:7], ["é/"], id="longer delimiter"),
        pytest.param({"key_marker": "a"}, EVERYTHING[2:], [], id="behind a key"),
        pytest.param(
            {"key_marker": "a", "version_id_marker": "v2"}, EVERYTHING[1:], [], id="behind a version"
        ),
        pytest.param(
            {"key_marker": "b/1", "version_id_marker": "m2"}, EVERYTHING[3:], [], id="behind a marker"
        ),
        pytest.param(
            {"key_marker": "b/1", "version_id_marker": "null"}, EVERYTHING[5:], [], id="behind the oldest"
        ),
        pytest.param(
            {"key_marker": "a", "version_id_marker": "gone"},
            EVERYTHING,
            [],
            id="behind a version that is gone",
        ),
        pytest.param({"version_id_marker": "v1"}, EVERYTHING, [], id="version alone says nothing"),
        pytest.param(
            {"key_marker": "b/1", "version_id_marker": "m2", "delimiter": "/"},
            [EVERYTHING[6]],
            ["é/"],
            id="behind a version inside a group",
        ),
        pytest.param({"key_marker": "b/", "delimiter": "/"}, [EVERYTHING[6]], ["é/"], id="behind a group"),
        pytest.param(
            {"key_marker": "a", "version_id_marker": "v2", "prefix": "b/2"},
            [("b/2", "v1")],
            [],
            id="marker before the prefix",
        ),
        pytest.param(
            {"key_marker": "a", "version_id_marker": "v2", "prefix": "a\0"},
            [],
            [],
            id="marker just before the prefix",
        ),
        pytest.param({"limit": 0}, [], [], id="no page at all"),
    ],
)
async def test_page_shows_what_was_asked_for(
    store: Store, query: dict[str, str | int], versions: list[tuple[str, str]], prefixes: list[str]
) -> None:
    await fill(store)
    assert await shown(store, **query) == (versions, prefixes)


@pytest.mark.parametrize("limit", range(1, 9))
@pytest.mark.parametrize("delimiter", ["", "/"])
async def test_pages_join_without_gap_or_repetition(store: Store, limit: int, delimiter: str) -> None:
    await fill(store)
    whole = await store.list_versions("bucket", delimiter=delimiter)
    entries: list[VersionSummary] = []
    prefixes: list[str] = []
    key_marker, version_id_marker, goes_on = "", "", True
    while goes_on:
        page = await store.list_versions(
            "bucket",
            delimiter=delimiter,
            key_marker=key_marker,
            version_id_marker=version_id_marker,
            limit=limit,
        )
        entries.extend(page.entries)
        prefixes.extend(page.common_prefixes)
        key_marker, version_id_marker = page.next_key_marker or "", page.next_version_id_marker or ""
        goes_on = page.is_truncated
    assert (tuple(entries), tuple(prefixes)) == (whole.entries, whole.common_prefixes)


async def test_page_that_begins_inside_a_key_shows_no_latest_version_of_it(store: Store) -> None:
    await fill(store)
    page = await store.list_versions("bucket", key_marker="a", version_id_marker="v2")
    assert [(one.key, one.is_latest) for one in page.entries] == [
        ("a", False),
        ("b/1", True),
        ("b/1", False),
        ("b/1", False),
        ("b/2", True),
        ("c", True),
        ("é/1", True),
    ]


async def test_page_says_where_the_next_one_begins(store: Store) -> None:
    await fill(store)
    page = await store.list_versions("bucket", limit=5)
    assert (page.is_truncated, page.next_key_marker, page.next_version_id_marker) == (True, "b/1", "null")
    page = await store.list_versions("bucket", limit=3, delimiter="/")
    assert (page.is_truncated, page.next_key_marker, page.next_version_id_marker) == (True, "b/", None)
    page = await store.list_versions("bucket", limit=len(EVERYTHING))
    assert (page.is_truncated, page.next_key_marker, page.next_version_id_marker) == (False, None, None)


async def test_who_deletes_page_by_page_leaves_nothing(store: Store) -> None:
    await fill(store)
    key_marker, version_id_marker, goes_on = "", "", True
    while goes_on:
        page = await store.list_versions(
            "bucket", key_marker=key_marker, version_id_marker=version_id_marker, limit=1
        )
        for one in page.entries:
            await delete(store, one.key, version_id=one.version_id or "null")
        key_marker, version_id_marker = page.next_key_marker or "", page.next_version_id_marker or ""
        goes_on = page.is_truncated
    assert await shown(store) == ([], [])
    await store.buckets.delete("bucket")


async def test_entry_shows_the_version(store: Store) -> None:
    await store.buckets.set_versioning("bucket", "Enabled")
    placed = await put(
        store, "key", b"body", version_id="v1", headers={"x-amz-storage-class": "GLACIER"}, tags={"a": "b"}
    )
    await delete(store, "key", marker_id="m1", now_ms=NOW_MS + 1)
    marker, version = (await store.list_versions("bucket", with_tags=True)).entries
    assert (marker.is_marker, marker.size, marker.etag, marker.modified_ms) == (True, 0, "", NOW_MS + 1)
    assert (marker.tags, marker.storage_class) == (None, None)
    assert (version.size, version.etag, version.modified_ms) == (4, placed.etag, NOW_MS)
    assert (version.tags, version.storage_class) == ({"a": "b"}, "GLACIER")


async def test_other_buckets_do_not_show(store: Store) -> None:
    await store.buckets.create("other", now_ms=NOW_MS)
    await put(store, "key", b"", bucket="other")
    assert await shown(store) == ([], [])
    with pytest.raises(NoSuchBucketError):
        await store.list_versions("nowhere")


keys = st.sampled_from(["a", "a\0", "a\0\0", "a/", "a/b", "é", "é/"])
names = st.lists(st.sampled_from(["v1", "v2", "v3", "m1", "m2"]), min_size=1, max_size=4, unique=True)
texts = st.text(alphabet="a/é\0", max_size=3)


@given(
    stock=st.dictionaries(keys, names, max_size=5),
    prefix=texts,
    delimiter=texts,
    key_marker=keys | texts,
    version_id_marker=st.sampled_from(["", "v1", "v2", "m1"]),
)
async def test_any_page_equals_the_slow_one(
    tmp_path_factory: pytest.TempPathFactory,
    stock: dict[str, list[str]],
    prefix: str,
    delimiter: str,
    key_marker: str,
    version_id_marker: str,
) -> None:
    store = open_store(Path(tmp_path_factory.mktemp("data")))
    await store.buckets.create("bucket", now_ms=NOW_MS)
    ordered = sorted(stock.items(), key=lambda item: item[0].encode())
    await fill(store, ordered)
    page = await shown(
        store,
        prefix=prefix,
        delimiter=delimiter,
        key_marker=key_marker,
        version_id_marker=version_id_marker,
    )
    await store.close()
    assert page == listed(ordered, prefix, delimiter, key_marker, version_id_marker)


def listed(
    stock: list[tuple[str, list[str]]], prefix: str, delimiter: str, key_marker: str, version_id_marker: str
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return what a page without end shows, the slow way: every version, one after another."""
    versions, prefixes = [], []
    for key, ids in stock:
        if not key.startswith(prefix):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        group = "" if end < 0 else key[: end + len(delimiter)]
        if group:
            if group.encode() > key_marker.encode() and not key_marker.startswith(group):
                prefixes.append(group)
        elif key.encode() > key_marker.encode():
            versions += [(key, name) for name in ids]
        elif key == key_marker and version_id_marker:
            shown_ones = ids.index(version_id_marker) + 1 if version_id_marker in ids else 0
            versions += [(key, name) for name in ids[shown_ones:]]
    return versions, list(dict.fromkeys(prefixes))
