"""Grants as issuers write them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.links.stock import NOW_MS

from valetkey.links.errors import InvalidGrantError
from valetkey.links.grant_form import alter_grant, parse_grant
from valetkey.links.model import DAY_MS, MAX_LIFETIME_MS, Grant, Verb

PLAIN: dict[str, Any] = {"operations": ["GET"], "bucket": "bucket", "key": "key"}


def parsed(**more: Any) -> Grant:
    return parse_grant({**PLAIN, **more}, now_ms=NOW_MS)


def test_what_is_left_out_has_no_limit_and_ends_in_a_week() -> None:
    assert parsed() == Grant(verbs=(Verb.GET,), bucket="bucket", key="key", ends_ms=NOW_MS + 7 * DAY_MS)


def test_all_that_can_be_stated_comes_through_the_ledger() -> None:
    full = parsed(
        operations=["PUT", "MULTIPART", "PUT"],
        ends="2026-12-24T18:00:00+01:00",
        starts="2026-12-01T00:00:00Z",
        version="v1",
        etag="e",
        max_uses=3,
        max_bytes=10,
        max_objects=2,
        min_size=1,
        max_size=9,
        content_types=["image/*"],
        create_only=True,
        addresses=["10.1.2.0/24", "2001:db8::/32"],
        filename="Grüße.txt",
        content_type="text/plain",
        cache_control="no-store",
        label="l",
        tags={"a": "b"},
    )
    assert full.verbs == (Verb.PUT, Verb.MULTIPART)
    assert full.ends_ms - full.starts_ms == (23 * 24 + 17) * 3_600_000  # type: ignore[operator]
    assert Grant.from_json(full.to_json()) == full


def test_a_prefix_may_be_a_whole_bucket() -> None:
    whole = parse_grant({"operations": "LIST", "bucket": "bucket", "prefix": ""}, now_ms=NOW_MS)
    assert (whole.key, whole.is_prefix) == ("", True)


@pytest.mark.parametrize(
    ("more", "member"),
    [
        ({"foo": 1}, "foo"),
        ({"operations": []}, "operations"),
        ({"operations": ["PATCH"]}, "operations"),
        ({"operations": [["GET"]]}, "operations"),
        ({"operations": None}, "operations"),
        ({"operations": ["LIST"]}, "operations"),
        ({"bucket": "../etc"}, "bucket"),
        ({"bucket": None}, "bucket"),
        ({"key": ""}, "key"),
        ({"key": 7}, "key"),
        ({"key": "x" * 1025}, "key"),
        ({"key": "\ud800"}, "key"),
        ({"prefix": "x"}, "key"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": True}, "max_uses"),
        ({"max_uses": 1.5}, "max_uses"),
        ({"max_uses": "1"}, "max_uses"),
        ({"max_uses": 10**30}, "max_uses"),
        ({"min_size": 5, "max_size": 4}, "min_size"),
        ({"content_types": ["image"]}, "content_types"),
        ({"content_types": "image/png"}, "content_types"),
        ({"addresses": ["10.0.0.1/8"]}, "addresses"),
        ({"addresses": ["example.com"]}, "addresses"),
        ({"addresses": [7]}, "addresses"),
        ({"create_only": "yes"}, "create_only"),
        ({"filename": "a/b"}, "filename"),
        ({"filename": " "}, "filename"),
        ({"filename": "a\r\nSet-Cookie: x"}, "filename"),
        ({"content_type": "a\r\nb"}, "content_type"),
        ({"cache_control": "é"}, "cache_control"),
        ({"tags": {"a": 1}}, "a"),
        ({"tags": []}, "tags"),
        ({"ends": "2026-12-24"}, "ends"),
        ({"ends": "tomorrow"}, "ends"),
        ({"ends": 12}, "ends"),
        ({"ends": "2026-12-24T00:00:00Z", "expires_in": 5}, "ends"),
        ({"ends": "9999-12-31T23:59:59-12:00"}, "ends"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": MAX_LIFETIME_MS // 1000 + 1}, "ends"),
        ({"starts": "2036-01-01T00:00:00Z"}, "starts"),
        ({"version": ""}, "version"),
        ({"etag": '""'}, "etag"),
    ],
)
def test_what_is_no_grant_is_refused_with_its_place(more: dict[str, Any], member: str) -> None:
    with pytest.raises(InvalidGrantError) as refused:
        parsed(**more)
    assert refused.value.member == member


@given(
    st.dictionaries(
        st.sampled_from([*PLAIN, "ends", "tags", "addresses", "max_uses", "x"]), st.from_type(object)
    )
)
def test_whatever_is_stated_is_a_grant_or_refused(values: dict[str, Any]) -> None:
    with suppress(InvalidGrantError):
        parse_grant(values, now_ms=NOW_MS)


def test_an_etag_may_be_stated_as_headers_have_it() -> None:
    assert parsed(etag='"abc"').etag == parsed(etag="abc").etag == "abc"


def test_altering_keeps_what_is_not_stated() -> None:
    before = parsed(max_uses=3, label="one", max_size=10)
    after = alter_grant(before, {"label": "two", "max_size": None, "expires_in": 60}, now_ms=NOW_MS)
    assert (after.max_uses, after.label, after.most_size, after.ends_ms) == (3, "two", None, NOW_MS + 60_000)


@pytest.mark.parametrize("member", ["bucket", "key", "prefix", "operations"])
def test_what_a_link_is_for_cannot_be_altered(member: str) -> None:
    with pytest.raises(InvalidGrantError):
        alter_grant(parsed(), {member: "x"}, now_ms=NOW_MS)
