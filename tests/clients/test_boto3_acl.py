"""Two accounts share buckets and objects by access control lists, with boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.clients.boto import S3Client, open_client, refusal

from valetkey.testing.server import RunningServer, running_server

OTHER_ID: Final = "b" * 64
OTHER_KEY: Final = ("VKOTHER0000000000000", "a secret of the other account, long enough")
DENIED: Final = (403, "AccessDenied")
ALL_BLOCKED: Final = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return refusal(caught.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Who meets at the server: the owner of the buckets, another account, and a stranger."""

    owner: S3Client
    owner_id: str
    other: S3Client
    stranger: S3Client


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("shared")
    access_key, secret_key = OTHER_KEY
    (folder / "accounts.ini").write_text(
        f"[other]\nid = {OTHER_ID}\nemail = Other@example.com\n"
        f"access_key = {access_key}\nsecret_key = {secret_key}\n"
    )
    environment = {
        "VALETKEY_ACCOUNTS_FILE": str(folder / "accounts.ini"),
        "VALETKEY_OBJECT_OWNERSHIP": "ObjectWriter",
    }
    with running_server(folder / "data", workers=2, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def company(shared_server: RunningServer) -> Iterator[Company]:
    owner = open_client(shared_server, "s3v4")
    access_key, secret_key = OTHER_KEY
    other = open_client(replace(shared_server, access_key=access_key, secret_key=secret_key), "s3v4")
    stranger = boto3.client(
        "s3",
        endpoint_url=shared_server.endpoint,
        region_name=shared_server.region,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    yield Company(owner=owner, owner_id=owner.list_buckets()["Owner"]["ID"], other=other, stranger=stranger)
    for client in (owner, other, stranger):
        client.close()


@pytest.fixture
def shared(company: Company, new_name: Callable[[str], str]) -> str:
    """A bucket where lists count, empty and private."""
    name = new_name("shared")
    company.owner.create_bucket(Bucket=name)
    return name


def granted(acl: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted(
        (grant["Grantee"].get("ID") or grant["Grantee"]["URI"], grant["Permission"])
        for grant in acl["Grants"]
    )


def test_a_bucket_that_nothing_is_said_of_is_its_owners(company: Company, shared: str) -> None:
    acl = company.owner.get_bucket_acl(Bucket=shared)
    assert acl["Owner"] == {"ID": company.owner_id, "DisplayName": "root"}
    assert granted(acl) == [(company.owner_id, "FULL_CONTROL")]
    assert refused(company.other.list_objects_v2, Bucket=shared) == DENIED
    assert refused(company.other.get_object, Bucket=shared, Key="none") == DENIED
    missing = (404, "OwnershipControlsNotFoundError")
    assert refused(company.owner.get_bucket_ownership_controls, Bucket=shared) == missing


@pytest.mark.parametrize("grantee", ["id", "email"])
def test_another_account_is_granted_a_bucket(company: Company, shared: str, grantee: str) -> None:
    whom = {"id": f"id={OTHER_ID}", "email": 'emailAddress="other@EXAMPLE.com"'}[grantee]
    company.owner.put_bucket_acl(
        Bucket=shared, GrantRead=whom, GrantWrite=whom, GrantFullControl=f"id={company.owner_id}"
    )
    company.other.put_object(Bucket=shared, Key="theirs", Body=b"theirs")
    listing = company.other.list_objects_v2(Bucket=shared, FetchOwner=True)
    assert [(entry["Key"], entry["Owner"]) for entry in listing["Contents"]] == [
        ("theirs", {"ID": OTHER_ID, "DisplayName": "other"})
    ]
    assert refused(company.other.get_bucket_acl, Bucket=shared) == DENIED
    assert refused(company.stranger.list_objects_v2, Bucket=shared) == DENIED


def test_what_another_account_writes_is_its_own(company: Company, shared: str) -> None:
    company.owner.put_bucket_acl(Bucket=shared, ACL="public-read-write")
    company.other.put_object(Bucket=shared, Key="theirs", Body=b"theirs")
    assert company.other.get_object(Bucket=shared, Key="theirs")["Body"].read() == b"theirs"
    assert refused(company.owner.get_object, Bucket=shared, Key="theirs") == DENIED
    assert refused(company.owner.put_object_acl, Bucket=shared, Key="theirs", ACL="public-read") == DENIED
    assert company.other.get_object_acl(Bucket=shared, Key="theirs")["Owner"]["ID"] == OTHER_ID
    company.other.put_object_acl(Bucket=shared, Key="theirs", ACL="bucket-owner-read")
    assert company.owner.get_object(Bucket=shared, Key="theirs")["Body"].read() == b"theirs"
    company.owner.delete_object(Bucket=shared, Key="theirs")


def test_the_bucket_owner_may_be_preferred(company: Company, shared: str) -> None:
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    company.owner.put_bucket_ownership_controls(Bucket=shared, OwnershipControls=rules)
    assert (
        company.owner.get_bucket_ownership_controls(Bucket=shared)["OwnershipControls"]["Rules"]
        == rules["Rules"]
    )
    company.owner.put_bucket_acl(Bucket=shared, ACL="public-read-write")
    for key, options, owner_id in (
        ("handed-over", {"ACL": "bucket-owner-full-control"}, company.owner_id),
        ("kept", {}, OTHER_ID),
    ):
        company.other.put_object(Bucket=shared, Key=key, **options)
        upload = company.other.create_multipart_upload(Bucket=shared, Key=key, **options)
        part = {"Bucket": shared, "Key": key, "UploadId": upload["UploadId"]}
        done = company.other.upload_part(**part, PartNumber=1, Body=b"part")
        told = company.owner.list_multipart_uploads(Bucket=shared)["Uploads"]
        assert [(one["Owner"]["ID"], one["Initiator"]["ID"]) for one in told] == [(owner_id, OTHER_ID)]
        company.other.complete_multipart_upload(
            **part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": done["ETag"]}]}
        )
    owners = {
        entry["Key"]: entry["Owner"]["ID"] for entry in company.owner.list_objects(Bucket=shared)["Contents"]
    }
    assert owners == {"handed-over": company.owner_id, "kept": OTHER_ID}


def test_a_copy_is_private_whatever_its_source_was(company: Company, shared: str) -> None:
    company.owner.put_object(Bucket=shared, Key="open", Body=b"open", ACL="public-read")
    source = {"Bucket": shared, "Key": "open"}
    company.owner.copy_object(Bucket=shared, Key="copy", CopySource=source)
    assert company.stranger.get_object(Bucket=shared, Key="open")["Body"].read() == b"open"
    assert refused(company.stranger.get_object, Bucket=shared, Key="copy") == DENIED
    company.owner.copy_object(Bucket=shared, Key="copy", CopySource=source, ACL="public-read")
    assert company.stranger.get_object(Bucket=shared, Key="copy")["Body"].read() == b"open"


def test_a_source_is_copied_by_whoever_may_read_it(
    company: Company, shared: str, new_name: Callable[[str], str]
) -> None:
    company.owner.put_object(Bucket=shared, Key="open", Body=b"open", ACL="authenticated-read")
    company.owner.put_object(Bucket=shared, Key="shut", Body=b"shut")
    mine = new_name("others")
    company.other.create_bucket(Bucket=mine)
    copy = company.other.copy_object
    copy(Bucket=mine, Key="copy", CopySource={"Bucket": shared, "Key": "open"})
    for key in ("shut", "none"):
        assert refused(copy, Bucket=mine, Key="copy", CopySource={"Bucket": shared, "Key": key}) == DENIED


def test_each_version_has_a_list_of_its_own(company: Company, shared: str) -> None:
    company.owner.put_bucket_versioning(Bucket=shared, VersioningConfiguration={"Status": "Enabled"})
    first, second = (
        company.owner.put_object(Bucket=shared, Key="key", Body=body)["VersionId"] for body in (b"1", b"2")
    )
    place = {"Bucket": shared, "Key": "key"}
    before = company.owner.head_object(**place, VersionId=first)["LastModified"]
    company.owner.put_object_acl(**place, VersionId=first, ACL="public-read")
    assert company.owner.head_object(**place, VersionId=first)["LastModified"] == before
    assert company.stranger.get_object(**place, VersionId=first)["Body"].read() == b"1"
    assert refused(company.stranger.get_object, **place, VersionId=second) == DENIED
    assert refused(company.stranger.get_object, **place) == DENIED


def test_lists_that_are_public_are_blocked(company: Company, shared: str) -> None:
    owner = company.owner
    missing = (404, "NoSuchPublicAccessBlockConfiguration")
    assert refused(owner.get_public_access_block, Bucket=shared) == missing
    owner.put_bucket_acl(Bucket=shared, ACL="public-read")
    owner.put_object(Bucket=shared, Key="open", Body=b"open", ACL="public-read")
    owner.put_public_access_block(Bucket=shared, PublicAccessBlockConfiguration=ALL_BLOCKED)
    assert owner.get_public_access_block(Bucket=shared)["PublicAccessBlockConfiguration"] == ALL_BLOCKED
    for acl in ("public-read", "public-read-write", "authenticated-read"):
        assert refused(owner.put_bucket_acl, Bucket=shared, ACL=acl) == DENIED
        assert refused(owner.put_object_acl, Bucket=shared, Key="open", ACL=acl) == DENIED
        assert refused(owner.put_object, Bucket=shared, Key="new", ACL=acl) == DENIED
    assert refused(company.stranger.list_objects, Bucket=shared) == DENIED
    assert refused(company.stranger.get_object, Bucket=shared, Key="open") == DENIED
    owner.delete_public_access_block(Bucket=shared)
    assert company.stranger.get_object(Bucket=shared, Key="open")["Body"].read() == b"open"


def test_lists_are_disabled_only_where_the_buckets_own_grants_nothing(company: Company, shared: str) -> None:
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    company.owner.put_bucket_acl(Bucket=shared, ACL="public-read-write")
    company.other.put_object(Bucket=shared, Key="theirs", Body=b"theirs")
    disable = company.owner.put_bucket_ownership_controls
    refusal_of_list = (400, "InvalidBucketAclWithObjectOwnership")
    assert refused(disable, Bucket=shared, OwnershipControls=enforced) == refusal_of_list
    company.owner.put_bucket_acl(Bucket=shared, ACL="private")
    disable(Bucket=shared, OwnershipControls=enforced)
    # Now it is the bucket owner's.
    assert company.owner.get_object(Bucket=shared, Key="theirs")["Body"].read() == b"theirs"
    assert refused(company.other.get_object, Bucket=shared, Key="theirs") == DENIED
    (entry,) = company.owner.list_objects(Bucket=shared)["Contents"]
    assert entry["Owner"]["ID"] == company.owner_id
    company.owner.delete_bucket_ownership_controls(Bucket=shared)
    assert company.other.get_object(Bucket=shared, Key="theirs")["Body"].read() == b"theirs"
