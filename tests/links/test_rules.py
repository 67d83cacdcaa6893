"""What a grant says to a request, from tables."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from tests.links.stock import NOW_MS, grant, link

from valetkey.links.errors import LinkRefusedError, Rule, UploadSizeError
from valetkey.links.model import Cutoff, Revocations, State, Verb
from valetkey.links.rules import (
    require_address,
    require_asked,
    require_content_type,
    require_open,
    require_size,
    require_unrevoked,
)


@pytest.mark.parametrize(
    ("more", "state", "at_ms", "rule"),
    [
        pytest.param({}, State.ACTIVE, NOW_MS, None, id="open"),
        pytest.param({}, State.PAUSED, NOW_MS, Rule.PAUSED, id="paused"),
        pytest.param({}, State.REVOKED, NOW_MS, Rule.REVOKED, id="revoked"),
        pytest.param({"ends_ms": NOW_MS + 1}, State.ACTIVE, NOW_MS, None, id="last millisecond"),
        pytest.param({"ends_ms": NOW_MS}, State.ACTIVE, NOW_MS, Rule.EXPIRED, id="the end itself"),
        pytest.param({"starts_ms": NOW_MS}, State.ACTIVE, NOW_MS, None, id="the start itself"),
        pytest.param({"starts_ms": NOW_MS + 1}, State.ACTIVE, NOW_MS, Rule.NOT_YET_VALID, id="too early"),
        pytest.param({"ends_ms": NOW_MS}, State.REVOKED, NOW_MS, Rule.REVOKED, id="revoked and over"),
    ],
)
def test_a_link_holds_from_its_start_to_its_end(
    more: dict[str, Any], state: State, at_ms: int, rule: Rule | None
) -> None:
    asked = replace(link(**more), state=state)
    if rule is None:
        require_open(asked, now_ms=at_ms)
        return
    with pytest.raises(LinkRefusedError) as refused:
        require_open(asked, now_ms=at_ms)
    assert refused.value.rule is rule


GET, PUT, DELETE, MULTIPART, LIST = Verb.GET, Verb.PUT, Verb.DELETE, Verb.MULTIPART, Verb.LIST


@pytest.mark.parametrize(
    ("verbs", "place", "operation", "bucket", "key", "prefix", "rule"),
    [
        ((GET,), "key", "GetObject", "bucket", "key", "", None),
        ((GET,), "key", "HeadObject", "bucket", "key", "", None),
        ((Verb.HEAD,), "key", "HeadObject", "bucket", "key", "", None),
        ((Verb.HEAD,), "key", "GetObject", "bucket", "key", "", Rule.OPERATION),
        ((GET,), "key", "PutObject", "bucket", "key", "", Rule.OPERATION),
        ((GET,), "key", "GetObjectAcl", "bucket", "key", "", Rule.OPERATION),
        ((GET,), "key", "GetObjectTagging", "bucket", "key", "", Rule.OPERATION),
        ((GET, PUT), "key", "CopyObject", "bucket", "key", "", Rule.OPERATION),
        ((GET,), "key", "GetObject", "other", "key", "", Rule.KEY),
        ((GET,), "key", "GetObject", "bucket", "key2", "", Rule.KEY),
        ((GET,), "key", "GetObject", "bucket", None, "", Rule.KEY),
        ((GET,), "dir/*", "GetObject", "bucket", "dir/a", "", None),
        ((GET,), "dir/*", "GetObject", "bucket", "dir", "", Rule.KEY),
        ((GET,), "dir/*", "GetObject", "bucket", "dirs", "", Rule.KEY),
        ((PUT,), "dir/*", "PutObject", "bucket", "dir/a/b", "", None),
        ((DELETE,), "key", "DeleteObject", "bucket", "key", "", None),
        ((DELETE,), "dir/*", "DeleteObjects", "bucket", None, "", Rule.OPERATION),
        ((MULTIPART,), "key", "UploadPart", "bucket", "key", "", None),
        ((MULTIPART,), "key", "UploadPartCopy", "bucket", "key", "", Rule.OPERATION),
        ((MULTIPART,), "key", "PutObject", "bucket", "key", "", Rule.OPERATION),
        ((PUT,), "key", "CreateMultipartUpload", "bucket", "key", "", Rule.OPERATION),
        ((LIST,), "dir/*", "ListObjectsV2", "bucket", None, "dir/", None),
        ((LIST,), "dir/*", "ListObjectsV2", "bucket", None, "dir/sub/", None),
        ((LIST,), "dir/*", "ListObjectsV2", "bucket", None, "", Rule.KEY),
        ((LIST,), "dir/*", "ListObjectsV2", "bucket", None, "di", Rule.KEY),
        ((GET,), "dir/*", "ListObjectsV2", "bucket", None, "dir/", Rule.OPERATION),
        ((LIST,), "dir/*", "ListObjectVersions", "bucket", None, "dir/", Rule.OPERATION),
        ((LIST,), "*", "ListObjectsV2", "bucket", None, "", None),
        (tuple(Verb), "*", "PutBucketPolicy", "bucket", None, "", Rule.OPERATION),
        (tuple(Verb), "*", "DeleteBucket", "bucket", None, "", Rule.OPERATION),
        (tuple(Verb), "*", "ListBuckets", None, None, "", Rule.KEY),
    ],
)
def test_a_grant_covers_its_operations_on_its_keys(
    verbs: tuple[Verb, ...],
    place: str,
    operation: str,
    bucket: str | None,
    key: str | None,
    prefix: str,
    rule: Rule | None,
) -> None:
    granted = grant(verbs=verbs, key=place.rstrip("*"), is_prefix=place.endswith("*"))
    if rule is None:
        require_asked(granted, operation=operation, bucket=bucket, key=key, prefix=prefix)
        return
    with pytest.raises(LinkRefusedError) as refused:
        require_asked(granted, operation=operation, bucket=bucket, key=key, prefix=prefix)
    assert refused.value.rule is rule


@pytest.mark.parametrize(
    ("networks", "address", "is_allowed"),
    [
        ((), "203.0.113.9", True),
        (("10.0.0.0/8",), "10.1.2.3", True),
        (("10.0.0.0/8",), "11.1.2.3", False),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", True),
        (("10.0.0.0/8", "2001:db8::/32"), "2001:db8::7", True),
        (("2001:db8::/32",), "10.1.2.3", False),
        (("10.0.0.0/8",), "", False),
        (("0.0.0.0/0",), "nonsense", False),
    ],
)
def test_an_address_is_within_a_network_or_refused(
    networks: tuple[str, ...], address: str, is_allowed: bool
) -> None:
    if is_allowed:
        require_address(grant(addresses=networks), address)
        return
    with pytest.raises(LinkRefusedError) as refused:
        require_address(grant(addresses=networks), address)
    assert refused.value.rule is Rule.ADDRESS


@pytest.mark.parametrize(
    ("types", "sent", "is_allowed"),
    [
        ((), "anything/at-all", True),
        (("image/png",), "image/png", True),
        (("image/png",), "IMAGE/PNG; charset=x", True),
        (("image/*",), "image/webp", True),
        (("image/*",), "image/", False),
        (("image/*",), "imagery/png", False),
        (("image/png", "text/csv"), "text/csv", True),
        (("image/png",), "text/html", False),
        (("image/png",), "", False),
        (("image/*",), "image/png,text/html", False),
        (("image/png",), "image/png; x=y, text/html", False),
        (("image/*",), "image/a b", False),
    ],
)
def test_an_upload_has_one_of_the_types(types: tuple[str, ...], sent: str, is_allowed: bool) -> None:
    if is_allowed:
        require_content_type(grant(content_types=types), sent)
        return
    with pytest.raises(LinkRefusedError) as refused:
        require_content_type(grant(content_types=types), sent)
    assert refused.value.rule is Rule.CONTENT_TYPE


@pytest.mark.parametrize(
    ("least", "most", "size", "is_whole", "is_allowed"),
    [
        (0, None, 10**12, True, True),
        (5, 10, 5, True, True),
        (5, 10, 10, True, True),
        (5, 10, 4, True, False),
        (5, 10, 11, True, False),
        (5, 10, 4, False, True),
        (5, 10, 11, False, False),
        (5, None, 4, True, False),
    ],
)
def test_an_upload_has_a_size_within_the_bounds(
    least: int, most: int | None, size: int, is_whole: bool, is_allowed: bool
) -> None:
    bounded = grant(least_size=least, most_size=most)
    if is_allowed:
        require_size(bounded, size, is_whole=is_whole)
        return
    with pytest.raises(UploadSizeError) as refused:
        require_size(bounded, size, is_whole=is_whole)
    assert refused.value.size_bytes == size


def cutoff(**more: object) -> Cutoff:
    plain = Cutoff(
        id="1",
        account_id="a" * 64,
        access_key=None,
        bucket=None,
        key=None,
        is_prefix=False,
        before_ms=NOW_MS,
        created_ms=NOW_MS,
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # the fields' own types


@pytest.mark.parametrize(
    ("taken_back", "signed_ms", "is_refused"),
    [
        (cutoff(access_key="AK"), NOW_MS - 1, True),
        (cutoff(access_key="AK"), NOW_MS, False),
        (cutoff(access_key="OTHER"), NOW_MS - 1, False),
        (cutoff(bucket="bucket"), NOW_MS - 1, True),
        (cutoff(bucket="other"), NOW_MS - 1, False),
        (cutoff(bucket="bucket", key="dir/a"), NOW_MS - 1, True),
        (cutoff(bucket="bucket", key="dir/"), NOW_MS - 1, False),
        (cutoff(bucket="bucket", key="dir/", is_prefix=True), NOW_MS - 1, True),
        (cutoff(bucket="bucket", key="dirs", is_prefix=True), NOW_MS - 1, False),
        (cutoff(access_key="AK", bucket="bucket"), NOW_MS - 1, True),
        (cutoff(access_key="AK", bucket="other"), NOW_MS - 1, False),
        pytest.param(cutoff(access_key="AK"), None, True, id="SigV2 does not say when"),
    ],
)
def test_what_was_signed_before_a_cutoff_is_refused(
    taken_back: Cutoff, signed_ms: int | None, is_refused: bool
) -> None:
    known = Revocations.gather((), [taken_back])

    def ask() -> None:
        require_unrevoked(
            known, digest=b"d", access_key="AK", bucket="bucket", key="dir/a", signed_ms=signed_ms
        )

    if not is_refused:
        ask()
        return
    with pytest.raises(LinkRefusedError) as refused:
        ask()
    assert refused.value.rule is Rule.REVOKED


def test_cutoffs_for_other_keys_and_buckets_are_not_even_looked_at() -> None:
    class Untouchable(Cutoff):
        def fits(self, **_: object) -> bool:
            raise AssertionError("this is looked at")

    of_others = [
        Untouchable(**asdict(cutoff(**more))) for more in ({"access_key": "B"}, {"bucket": "others"})
    ]
    known = Revocations.gather((), [*of_others, cutoff(bucket="bucket")])
    require_unrevoked(known, digest=b"d", access_key="AK", bucket="mine", key="k", signed_ms=NOW_MS - 1)
    with pytest.raises(LinkRefusedError):
        require_unrevoked(known, digest=b"d", access_key="AK", bucket="bucket", key="k", signed_ms=NOW_MS - 1)


def test_one_signature_is_refused_and_no_other() -> None:
    known = Revocations.gather([b"one"], [])
    with pytest.raises(LinkRefusedError):
        require_unrevoked(known, digest=b"one", access_key="AK", bucket="b", key="k", signed_ms=NOW_MS)
    require_unrevoked(known, digest=b"two", access_key="AK", bucket="b", key="k", signed_ms=NOW_MS)
