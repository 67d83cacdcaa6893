"""What an account was allowed in its own bucket, it is not allowed in one that takes its name meanwhile."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pytest
from tests.raw.door import Door
from tests.raw.held import Held
from tests.raw.wire import Reply

LIFECYCLE: Final = (
    b"<LifecycleConfiguration><Rule><ID>x</ID><Filter/><Status>Enabled</Status>"
    b"<Expiration><Date>2020-01-01</Date></Expiration></Rule></LifecycleConfiguration>"
)
DELETE: Final = b"<Delete><Object><Key>secret</Key></Object></Delete>"
TAGGING: Final = b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
VERSIONING: Final = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
CORS: Final = (
    b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    b"</CORSRule></CORSConfiguration>"
)
OWNERSHIP: Final = (
    b"<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
)


def public_policy(bucket: str) -> bytes:
    return (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "'
        + "b" * 64
        + f'"}}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/*"}}]}}'
    ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    method: str
    body: bytes
    name: str = ""
    """Of the object; empty for a request about the bucket."""
    query: str | None = None
    has_digest: bool = False

    def hold(self, door: Door, bucket: str) -> Held:
        path = f"/{bucket}/{self.name}" if self.name else f"/{bucket}"
        return Held(
            door,
            self.method,
            path,
            self.body.replace(b"BUCKET", bucket.encode()),
            query=[(self.query, "")] if self.query else [],
            headers=digest_of(self.body) if self.has_digest else None,
        )


def digest_of(body: bytes) -> Mapping[str, str]:
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return {"content-md5": base64.b64encode(digest).decode()}


def state_of(owner: Door, bucket: str) -> list[Reply]:
    """Return all that the attempts could change in a bucket."""
    settings = ("lifecycle", "policy", "cors", "versioning", "versions", "ownershipControls")
    replies = [owner.signed("GET", f"/{bucket}", query=[(name, "")]) for name in settings]
    replies.append(owner.signed("GET", f"/{bucket}/secret"))
    replies.append(owner.signed("GET", f"/{bucket}/secret", query=[("tagging", "")]))
    return replies


def shown(replies: list[Reply]) -> list[tuple[int, bytes]]:
    return [(reply.status, reply.body.partition(b"<RequestId>")[0]) for reply in replies]


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(Attempt(method="PUT", name="secret", body=b"forged"), id="object"),
        pytest.param(Attempt(method="PUT", name="another", body=b"planted"), id="new-object"),
        pytest.param(
            Attempt(method="PUT", query="lifecycle", body=LIFECYCLE, has_digest=True), id="lifecycle"
        ),
        pytest.param(Attempt(method="POST", query="delete", body=DELETE, has_digest=True), id="delete"),
        pytest.param(Attempt(method="PUT", name="secret", query="tagging", body=TAGGING), id="tagging"),
        pytest.param(Attempt(method="PUT", query="versioning", body=VERSIONING), id="versioning"),
        pytest.param(Attempt(method="PUT", query="cors", body=CORS, has_digest=True), id="cors"),
        pytest.param(
            Attempt(method="PUT", query="ownershipControls", body=OWNERSHIP, has_digest=True), id="ownership"
        ),
        pytest.param(Attempt(method="PUT", query="policy", body=public_policy("BUCKET")), id="policy"),
    ],
)
def test_a_body_that_is_held_back_does_nothing_to_the_next_owners_bucket(
    alice: Door, bob: Door, request: pytest.FixtureRequest, attempt: Attempt
) -> None:
    bucket = f"taken-{request.node.callspec.id}"
    assert bob.signed("PUT", f"/{bucket}").status == 200
    assert bob.signed("PUT", f"/{bucket}/secret", body=b"bob").status == 200
    with attempt.hold(bob, bucket) as held:
        assert bob.signed("DELETE", f"/{bucket}/secret").status == 204
        assert bob.signed("DELETE", f"/{bucket}").status == 204
        assert alice.signed("PUT", f"/{bucket}").status == 200
        assert alice.signed("PUT", f"/{bucket}/secret", body=b"alice").status == 200
        before = shown(state_of(alice, bucket))
        assert held.let_go().refusal == (404, "NoSuchBucket")
    assert shown(state_of(alice, bucket)) == before


def test_a_part_that_is_held_back_has_no_upload_any_more(alice: Door, bob: Door) -> None:
    bucket = "taken-part"
    assert bob.signed("PUT", f"/{bucket}").status == 200
    begun = bob.signed("POST", f"/{bucket}/big", query=[("uploads", "")])
    upload_id = begun.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
    query = [("partNumber", "1"), ("uploadId", upload_id)]
    with Held(bob, "PUT", f"/{bucket}/big", b"part", query=query) as held:
        assert bob.signed("DELETE", f"/{bucket}").status == 204
        assert alice.signed("PUT", f"/{bucket}").status == 200
        assert held.let_go().refusal == (404, "NoSuchUpload")
    uploads = alice.signed("GET", f"/{bucket}", query=[("uploads", "")])
    assert b"<Upload>" not in uploads.body


def test_the_owner_goes_on_in_a_bucket_that_stays(bob: Door) -> None:
    with Held(bob, "PUT", bob.path("kept"), b"content") as held:
        assert held.let_go().status == 200
    assert bob.content("kept") == b"content"
