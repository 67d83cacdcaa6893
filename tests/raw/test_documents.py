"""Bodies that are XML: read strictly, and never at the reader's expense."""

from __future__ import annotations

import base64
import hashlib

import pytest
from tests.raw.door import Door
from tests.raw.wire import Reply

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE bomb [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Delete><Object><Key>&b;</Key></Object></Delete>"""
FILE = b"""<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>"""


def delete(door: Door, document: bytes, *, has_digest: bool = True) -> Reply:
    digest = base64.b64encode(hashlib.md5(document).digest()).decode()
    headers = {"content-md5": digest} if has_digest else {}
    return door.signed("POST", f"/{door.bucket}", query=[("delete", "")], headers=headers, body=document)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"not xml", id="text"),
        pytest.param(b"<Delete>", id="unclosed"),
        pytest.param(b"<Delete></Delete>", id="no-key"),
        pytest.param(b"<Other><Object><Key>a</Key></Object></Other>", id="another-root"),
        pytest.param(b"<Delete><Object></Object></Delete>", id="object-without-key"),
        pytest.param(b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>", id="too-many"),
        pytest.param(b"<Delete><Object><Key>\xff</Key></Object></Delete>", id="no-utf-8"),
        pytest.param(BOMB, id="entities"),
        pytest.param(FILE, id="external-entity"),
        pytest.param(b"<Delete>" * 5000 + b"</Delete>" * 5000, id="deep"),
    ],
)
def test_a_deletion_that_makes_no_sense_deletes_nothing(door: Door, document: bytes) -> None:
    door.put("a", b"content")
    assert delete(door, document).refusal == (400, "MalformedXML")
    assert door.content("a") == b"content"


def test_a_deletion_of_nothing_is_told(door: Door) -> None:
    assert delete(door, b"").refusal == (400, "MissingRequestBodyError")


def test_a_deletion_needs_a_digest(door: Door) -> None:
    door.put("digest-needed", b"content")
    document = b"<Delete><Object><Key>digest-needed</Key></Object></Delete>"
    reply = delete(door, document, has_digest=False)
    assert reply.refusal == (400, "InvalidRequest")
    assert reply.fault.message == "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
    assert delete(door, document).status == 200
    assert door.content("digest-needed") is None


def test_a_deletion_that_was_altered_on_its_way_deletes_nothing(door: Door) -> None:
    door.put("altered-way", b"content")
    sent = b"<Delete><Object><Key>altered-way</Key></Object></Delete>"
    digest = base64.b64encode(hashlib.md5(sent.replace(b"altered", b"another")).digest()).decode()
    reply = door.signed(
        "POST", f"/{door.bucket}", query=[("delete", "")], headers={"content-md5": digest}, body=sent
    )
    assert reply.refusal == (400, "BadDigest")
    assert door.content("altered-way") == b"content"


def test_the_namespace_may_be_there_or_not(door: Door) -> None:
    for namespace in ("", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'):
        door.put("namespace", b"content")
        document = f"<Delete{namespace}><Object><Key>namespace</Key></Object></Delete>".encode()
        assert delete(door, document).status == 200
        assert door.content("namespace") is None


@pytest.mark.parametrize("document", [b"<x/>", b"nonsense", BOMB])
def test_a_bucket_is_not_created_from_nonsense(door: Door, document: bytes) -> None:
    target = door.key.presign("PUT", "/nonsense-bucket")
    assert door.send("PUT", target, body=document).refusal == (400, "MalformedXML")
    assert door.send("HEAD", door.key.presign("HEAD", "/nonsense-bucket")).status == 404


def test_a_document_is_not_read_beyond_its_bounds(door: Door) -> None:
    headers = {"Content-Length": str(10 * 1024**3), "Expect": "100-continue"}
    reply = door.send("PUT", door.key.presign("PUT", "/large-document"), headers=headers)
    assert reply.status == 400
    assert reply.fault.code in ("EntityTooLarge", "MaxMessageLengthExceeded", "MalformedXML")


@pytest.mark.parametrize(
    ("name", "value"),
    [("max-keys", "many"), ("max-keys", "-1"), ("encoding-type", "base64")],
)
def test_a_listing_is_asked_for_in_the_right_words(door: Door, name: str, value: str) -> None:
    target = door.key.presign("GET", f"/{door.bucket}", query=[(name, value)])
    assert door.send("GET", target).refusal == (400, "InvalidArgument")
