"""Presigned POST, the signing side."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey import MisuseError, Signer
from valetkey.sigv4.keys import signing_key

SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OWN = ["x-amz-algorithm", "x-amz-credential", "x-amz-date"]


def policy(fields: Mapping[str, str]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(b64decode(fields["policy"]))
    return parsed


def test_form(signer: Signer, at: datetime) -> None:
    post = signer.presign_post("b", "k", expires=timedelta(minutes=5), at=at)
    assert post.url == "http://127.0.0.1:9000/b"
    assert post.expires_at == at + timedelta(minutes=5)
    assert list(post.fields) == ["key", *OWN, "policy", "x-amz-signature"]
    assert policy(post.fields) == {
        "expiration": "2013-05-24T00:05:00Z",
        "conditions": [{"bucket": "b"}, {"key": "k"}, *({name: post.fields[name]} for name in OWN)],
    }
    key = signing_key(SECRET_KEY, "20130524", "us-east-1")
    assert post.fields["x-amz-signature"] == key.hex_signature(post.fields["policy"].encode())


def test_form_of_a_virtual_host(at: datetime) -> None:
    post = Signer("AKID", SECRET_KEY).presign_post("bucket", "k", at=at)
    assert post.url == "https://bucket.s3.us-east-1.amazonaws.com/"


def test_each_field_is_covered_by_a_condition(signer: Signer, at: datetime) -> None:
    fields = {
        "acl": "private",
        "Content-Type": "image/png",
        "x-amz-meta-a": "1",
        "success_action_status": "201",
    }
    post = signer.presign_post(
        "b",
        "k",
        fields=fields,
        conditions=[["starts-with", "$content-type", "image/"], {"X-Amz-Meta-A": "1"}],
        content_length_range=(0, 10),
        at=at,
    )
    assert policy(post.fields)["conditions"][:7] == [
        {"bucket": "b"},
        {"key": "k"},
        ["starts-with", "$content-type", "image/"],
        {"X-Amz-Meta-A": "1"},
        {"acl": "private"},
        {"success_action_status": "201"},
        ["content-length-range", 0, 10],
    ]
    assert fields.items() <= post.fields.items()


def test_key_that_takes_the_name_of_the_file(signer: Signer, at: datetime) -> None:
    post = signer.presign_post("b", "in/${filename}", at=at)
    assert policy(post.fields)["conditions"][1] == ["starts-with", "$key", "in/"]
    assert post.fields["key"] == "in/${filename}"


def test_session_token_is_a_field_and_a_condition(at: datetime) -> None:
    signer = Signer("AKID", SECRET_KEY, session_token="token")
    post = signer.presign_post("bucket", "k", at=at)
    assert post.fields["x-amz-security-token"] == "token"
    assert {"x-amz-security-token": "token"} in policy(post.fields)["conditions"]


def test_unicode_survives(signer: Signer, at: datetime) -> None:
    post = signer.presign_post("b", "März 日本", fields={"x-amz-meta-a": "ü"}, at=at)
    assert {"key": "März 日本"} in policy(post.fields)["conditions"]
    assert {"x-amz-meta-a": "ü"} in policy(post.fields)["conditions"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"key": ""}, "key is empty"),
        ({"key": "${filename}.txt"}, "at the end"),
        ({"bucket": "a/b"}, "not a bucket name"),
        ({"expires": 0}, "between 1 and"),
        ({"at": datetime(2013, 5, 24)}, "naive"),  # noqa: DTZ001
        ({"at": datetime.max.replace(tzinfo=UTC)}, "year 9999"),
        ({"fields": {"Policy": "x"}}, "leave out the field Policy"),
        ({"fields": {"file": "x"}}, "leave out the field file"),
        ({"content_length_range": (2, 1)}, "least"),
        ({"content_length_range": (-1, 1)}, "least"),
        ({"conditions": [{"a": "1", "b": "2"}]}, "exactly one"),
        ({"conditions": [["eq", "acl", "private"]]}, "'\\$acl'"),
        ({"conditions": [["eq", "$acl"]]}, "not a condition"),
        ({"conditions": ["eq"]}, "not a condition"),
    ],
)
def test_misuse(changes: dict[str, object], sentence: str, signer: Signer, at: datetime) -> None:
    call: dict[str, object] = {"bucket": "b", "key": "k", "at": at, **changes}
    with pytest.raises(MisuseError, match=sentence):
        Signer.presign_post(signer, **call)  # type: ignore[arg-type]
