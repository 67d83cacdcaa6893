from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.stock import NOW_MS, open_store, put

from valetkey.store import Checksum, NoSuchBucketError, Store

KEYS = ["a", "b/", "b/1", "b/2/x", "b/2/y", "b0", "c/x", "d", "é/1", "é/2"]


async def fill(store: Store, keys: Sequence[str]) -> None:
    for key in keys:
        await put(store, key, key.encode())


async def names(store: Store, **query: str | int) -> tuple[list[str], list[str]]:
    page = await store.list_objects("bucket", **query)  # type: ignore[arg-type] # names of one signature
    return [entry.key for entry in page.entries], list(page.common_prefixes)


@pytest.mark.parametrize(
    ("query", "keys", "prefixes"),
    [
        pytest.param({}, KEYS, [], id="everything"),
        pytest.param({"prefix": "b/"}, ["b/", "b/1", "b/2/x", "b/2/y"], [], id="prefix"),
        pytest.param({"delimiter": "/"}, ["a", "b0", "d"], ["b/", "c/", "é/"], id="delimiter"),
        pytest.param({"prefix": "b/", "delimiter": "/"}, ["b/", "b/1"], ["b/2/"], id="folder"),
        pytest.param({"prefix": "b", "delimiter": "/"}, ["b0"], ["b/"], id="half a name"),
        pytest.param(
            {"delimiter": "2/"}, ["a", "b/", "b/1", "b0", "c/x", "d", "é/1", "é/2"], ["b/2/"], id="long"
        ),
        pytest.param({"after": "b/2/x"}, ["b/2/y", "b0", "c/x", "d", "é/1", "é/2"], [], id="after a key"),
        pytest.param(
            {"after": "b/2"}, ["b/2/x", "b/2/y", "b0", "c/x", "d", "é/1", "é/2"], [], id="after no key"
        ),
        pytest.param(
            {"after": "b/1", "delimiter": "/"}, ["b0", "d"], ["c/", "é/"], id="after inside a group"
        ),
        pytest.param({"after": "b/", "delimiter": "/"}, ["b0", "d"], ["c/", "é/"], id="after a group"),
        pytest.param(
            {"prefix": "b/", "after": "a"}, ["b/", "b/1", "b/2/x", "b/2/y"], [], id="after before prefix"
        ),
        pytest.param({"prefix": "b/", "after": "c"}, [], [], id="after behind prefix"),
        pytest.param({"prefix": "nothing"}, [], [], id="nothing"),
        pytest.param({"limit": 0}, [], [], id="no page at all"),
    ],
)
async def test_page_shows_what_was_asked_for(
    store: Store, query: dict[str, str | int], keys: list[str], prefixes: list[str]
) -> None:
    await fill(store, KEYS)
    assert await names(store, **query) == (keys, prefixes)


@pytest.mark.parametrize("limit", range(1, 12))
@pytest.mark.parametrize("delimiter", ["", "/"])
async def test_pages_join_without_gap_or_repetition(store: Store, limit: int, delimiter: str) -> None:
    await fill(store, KEYS)
    whole = await names(store, delimiter=delimiter)
    shown: tuple[list[str], list[str]] = ([], [])
    after, goes_on = "", True
    while goes_on:
        page = await store.list_objects("bucket", delimiter=delimiter, after=after, limit=limit)
        shown[0].extend(entry.key for entry in page.entries)
        shown[1].extend(page.common_prefixes)
        assert len(page.entries) + len(page.common_prefixes) <= limit
        assert (page.next_after is not None) == page.is_truncated
        after, goes_on = page.next_after or "", page.is_truncated
    assert shown == whole


@pytest.mark.parametrize(("limit", "is_truncated"), [(6, False), (5, True), (1000, False)])
async def test_truncation_counts_keys_and_prefixes(store: Store, limit: int, is_truncated: bool) -> None:
    await fill(store, KEYS)
    page = await store.list_objects("bucket", delimiter="/", limit=limit)
    assert page.is_truncated is is_truncated


async def test_empty_page_is_never_truncated(store: Store) -> None:
    await fill(store, KEYS)
    assert (await store.list_objects("bucket", limit=0)).is_truncated is False


async def test_entry_shows_the_object(store: Store) -> None:
    checksum = Checksum(algorithm="CRC32C", value="AAAAAA==", type="FULL_OBJECT")
    await put(store, "key", b"body", headers={"x-amz-storage-class": "STANDARD_IA"}, checksum=checksum)
    found = store.find_object("bucket", "key")
    (entry,) = (await store.list_objects("bucket")).entries
    assert (entry.key, entry.size, entry.etag, entry.modified_ms) == ("key", 4, found.etag, NOW_MS)
    assert (entry.checksum_algorithm, entry.checksum_type) == ("CRC32C", "FULL_OBJECT")
    assert entry.storage_class == "STANDARD_IA"


async def test_other_buckets_do_not_show(store: Store) -> None:
    await store.buckets.create("other", now_ms=NOW_MS)
    await put(store, "key", b"", bucket="other")
    assert await names(store) == ([], [])
    with pytest.raises(NoSuchBucketError):
        await store.list_objects("nowhere")


def listed(keys: set[str], prefix: str, delimiter: str, after: str) -> list[str]:
    """Return all that a listing shows, the slow way: every key, one after another."""
    shown = set()
    for key in keys:
        if not key.startswith(prefix):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        name = key if end < 0 else key[: end + len(delimiter)]
        # A group comes after `after` unless that lies in it.
        if name.encode() > after.encode() and not (end >= 0 and after.startswith(name)):
            shown.add(name)
    return sorted(shown, key=str.encode)


texts = st.text(alphabet="ab/0é\U0001f600\x00", max_size=5)


@given(
    keys=st.sets(texts.filter(bool), max_size=12),
    prefix=texts,
    delimiter=st.sampled_from(["", "/", "a", "b/", "é"]),
    after=texts,
    limit=st.integers(1, 5),
)
async def test_any_listing_equals_the_slow_one(
    tmp_path_factory: pytest.TempPathFactory,
    keys: set[str],
    prefix: str,
    delimiter: str,
    after: str,
    limit: int,
) -> None:
    store = open_store(tmp_path_factory.mktemp("data"))
    await store.buckets.create("bucket", now_ms=NOW_MS)
    await fill(store, sorted(keys))
    page = await store.list_objects("bucket", prefix=prefix, delimiter=delimiter, after=after, limit=limit)
    await store.close()
    shown = sorted([*(entry.key for entry in page.entries), *page.common_prefixes], key=str.encode)
    expected = listed(keys, prefix, delimiter, after)
    assert shown == expected[:limit]
    assert page.is_truncated == (len(expected) > limit)
