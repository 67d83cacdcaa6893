from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import botocore.compat
import botocore.parsers
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.answers import (
    BucketEntry,
    CompletedUpload,
    CopyResult,
    DeletedEntry,
    DeleteFailure,
    DeleteResult,
    Fault,
    InitiatedUpload,
    ListBuckets,
    ListObjectsV1,
    ListObjectsV2,
    ListParts,
    ListUploads,
    Location,
    Owner,
    PartEntry,
    UploadEntry,
)
from valetkey.s3.documents import Document
from valetkey.s3.object_answers import (
    CopyPartResult,
    ListVersions,
    ObjectAttributes,
    PartAttribute,
    PartsAttribute,
    PartsPage,
)
from valetkey.s3.xml.writer import render

GOLDEN = Path(__file__).parent / "golden"
AT_MS = 1_445_412_480_123
ETAG = "d41d8cd98f00b204e9800998ecf8427e"
ME = Owner(id="75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a", display_name="root")


@dataclass(frozen=True)
class Listed:
    key: str
    modified_ms: int
    etag: str = ""
    size: int = 0
    storage_class: str | None = None
    checksum_algorithm: str | None = None
    checksum_type: str | None = None
    owner_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ListedVersion(Listed):
    version_id: str | None
    is_latest: bool
    is_marker: bool = False


@dataclass(frozen=True)
class Kept:
    algorithm: str
    value: str
    type: str


CRC = Kept("CRC64NVME", "AAAAAAAAAAA=", "FULL_OBJECT")
SHA = Kept("SHA256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-2", "COMPOSITE")

LIST_V1 = ListObjectsV1(
    bucket="photos",
    prefix="a&b/",
    delimiter="/",
    marker="a&b/0",
    max_keys=2,
    encoding_type=None,
    is_truncated=True,
    next_marker="a&b/ü/",
    entries=(Listed(key='a&b/<"1">', modified_ms=AT_MS, etag=ETAG, size=0),),
    owner=ME,
    common_prefixes=("a&b/ü/",),
)
LIST_V2 = ListObjectsV2(
    bucket="photos",
    prefix="",
    delimiter="/",
    start_after="0 start",
    continuation_token=None,
    next_continuation_token="dG9rZW4=",
    max_keys=3,
    key_count=3,
    encoding_type="url",
    is_truncated=True,
    entries=(
        Listed(
            key="a b+c%ü*~\x01.txt",
            modified_ms=AT_MS,
            etag=f"{ETAG}-2",
            size=5_368_709_120,
            storage_class="STANDARD_IA",
            checksum_algorithm="CRC64NVME",
            checksum_type="FULL_OBJECT",
        ),
        Listed(key="plain", modified_ms=0, etag=ETAG, size=1),
    ),
    owner=None,
    common_prefixes=("dir one/",),
)

LIST_VERSIONS = ListVersions(
    bucket="photos",
    prefix="a b",
    delimiter="/",
    key_marker="a b",
    version_id_marker="v0",
    next_key_marker="a b/ü",
    next_version_id_marker="null",
    max_keys=3,
    encoding_type="url",
    is_truncated=True,
    entries=(
        ListedVersion(key="a b/ü", version_id="v2", is_latest=True, modified_ms=AT_MS, is_marker=True),
        ListedVersion(
            key="a b/ü",
            version_id=None,
            is_latest=False,
            modified_ms=AT_MS,
            etag=ETAG,
            size=7,
            checksum_algorithm="CRC64NVME",
            checksum_type="FULL_OBJECT",
        ),
    ),
    owner=ME,
    common_prefixes=("a b/c/",),
)
ATTRIBUTES = ObjectAttributes(
    etag=f"{ETAG}-2",
    checksum=SHA,
    parts=PartsAttribute(
        count=2,
        page=PartsPage(
            part_number_marker=0,
            next_part_number_marker=1,
            max_parts=1,
            is_truncated=True,
            parts=(PartAttribute(number=1, size=5_242_880, checksum=replace(SHA, value="47DE=")),),
        ),
    ),
    storage_class="STANDARD",
    size=5_242_881,
)

ANSWERS: dict[str, Document] = {
    "list_buckets": ListBuckets(
        owner=ME,
        buckets=(BucketEntry(name="one", created_ms=AT_MS), BucketEntry(name="two", created_ms=0, region="eu-west-1")),
    ),
    "list_buckets_empty": ListBuckets(owner=Owner(id="abc"), buckets=(), prefix="x", continuation_token="dA=="),
    "location": Location(region="eu-west-1"),
    "location_us_east_1": Location(region=None),
    "list_objects_v1": LIST_V1,
    "list_objects_v1_empty": replace(
        LIST_V1, prefix="", delimiter="", marker="", is_truncated=False, next_marker=None, entries=(), common_prefixes=()
    ),
    "list_objects_v2": LIST_V2,
    "list_objects_v2_continued": replace(
        LIST_V2, continuation_token="dG9rZW4=", next_continuation_token=None, encoding_type=None, is_truncated=False,
        delimiter="", entries=LIST_V2.entries[1:], common_prefixes=(), key_count=1,
    ),
    "copy_result": CopyResult(etag=ETAG, modified_ms=AT_MS, checksum=CRC),
    "initiated_upload": InitiatedUpload(bucket="photos", key="a & b", upload_id="upload-1"),
    "completed_upload": CompletedUpload(
        location="http://localhost:9000/photos/a%20%26%20b", bucket="photos", key="a & b", etag=f"{ETAG}-2", checksum=SHA
    ),
    "list_parts": ListParts(
        bucket="photos", key="a & b", upload_id="upload-1", initiator=ME, owner=ME, storage_class="STANDARD",
        part_number_marker=0, next_part_number_marker=2, max_parts=1000, is_truncated=False,
        checksum_algorithm="SHA256", checksum_type="COMPOSITE",
        parts=(
            PartEntry(number=1, modified_ms=AT_MS, etag=ETAG, size=5_242_880, checksum=replace(SHA, value="47DE=")),
            PartEntry(number=2, modified_ms=AT_MS, etag=ETAG, size=1),
        ),
    ),
    "list_uploads": ListUploads(
        bucket="photos", prefix="a b", delimiter="/", key_marker="a", upload_id_marker="u0", next_key_marker="a b/c",
        next_upload_id_marker="u1", max_uploads=1, encoding_type="url", is_truncated=True,
        uploads=(
            UploadEntry(
                key="a b/c", upload_id="u1", initiated_ms=AT_MS, initiator=ME, owner=ME, checksum_algorithm="CRC32",
                checksum_type="COMPOSITE",
            ),
        ),
        common_prefixes=("a b/d/",),
    ),
    "list_uploads_empty": ListUploads(
        bucket="photos", prefix="", delimiter="", key_marker="", upload_id_marker="", next_key_marker=None,
        next_upload_id_marker=None, max_uploads=1000, encoding_type=None, is_truncated=False, uploads=(),
        common_prefixes=(),
    ),
    "delete_result": DeleteResult(
        deleted=(DeletedEntry(key="a & b"), DeletedEntry(key="c", version_id="null")),
        errors=(DeleteFailure(key="d", code="AccessDenied", message="Access Denied"),),
    ),
    "delete_result_versions": DeleteResult(
        deleted=(
            DeletedEntry(key="a", is_delete_marker=True, delete_marker_version_id="v2"),
            DeletedEntry(key="b", version_id="v1", is_delete_marker=True, delete_marker_version_id="v1"),
        ),
        errors=(),
    ),
    "list_versions": LIST_VERSIONS,
    "list_versions_empty": replace(
        LIST_VERSIONS, prefix="", delimiter="", key_marker="", version_id_marker="", next_key_marker=None,
        next_version_id_marker=None, encoding_type=None, is_truncated=False, entries=(), common_prefixes=(),
    ),
    "copy_part_result": CopyPartResult(etag=ETAG, modified_ms=AT_MS, checksum=CRC),
    "object_attributes": ATTRIBUTES,
    "object_attributes_size": ObjectAttributes(size=0),
    "object_attributes_parts": ObjectAttributes(parts=PartsAttribute(count=4, page=None)),
    "delete_result_quiet": DeleteResult(deleted=(), errors=()),
    "fault": Fault(
        code="NoSuchKey", message="The specified key does not exist.", details={"Key": "a<b>&\"c'\x00\r\n\ufffe"},
        request_id="4442587FB7D0A2F9", host_id="aG9zdA==",
    ),
    "fault_of_control": Fault(
        code="AccessDenied", message="Access Denied", details={"AccountId": "000000000007"}, request_id="1",
        host_id="2", is_wrapped=True,
    ),
    "fault_without_details": Fault(
        code="AccessDenied", message="the region 'us-east-1' is wrong", details={}, request_id="1", host_id="2"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_is_written_to_the_byte(name: str) -> None:
    assert render(ANSWERS[name]) == (GOLDEN / f"{name}.xml").read_bytes()


def test_every_golden_file_has_its_answer() -> None:
    assert {path.stem for path in GOLDEN.glob("*.xml")} == set(ANSWERS)


def _as_botocore_reads(answer: Document, operation: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model("s3").operation_model(operation)
    assert model.output_shape is not None
    response = {"body": render(answer), "headers": {}, "status_code": 200}
    parsed: dict[str, Any] = botocore.parsers.RestXMLParser().parse(response, model.output_shape)
    parsed.pop("ResponseMetadata")
    return parsed


def test_botocore_reads_a_listing() -> None:
    parsed = _as_botocore_reads(LIST_V2, "ListObjectsV2")
    assert parsed["NextContinuationToken"] == "dG9rZW4="
    assert parsed["KeyCount"] == 3
    assert parsed["EncodingType"] == "url"
    first, second = parsed["Contents"]
    assert first["Key"] == "a+b%2Bc%25%C3%BC*%7E%01.txt"
    assert first["Size"] == 5_368_709_120
    assert first["ChecksumAlgorithm"] == ["CRC64NVME"]
    assert second["ETag"] == f'"{ETAG}"'
    assert parsed["CommonPrefixes"] == [{"Prefix": "dir+one/"}]


def test_botocore_reads_the_first_versions_listing() -> None:
    parsed = _as_botocore_reads(LIST_V1, "ListObjects")
    assert (parsed["Prefix"], parsed["Marker"], parsed["NextMarker"]) == ("a&b/", "a&b/0", "a&b/ü/")
    assert parsed["Contents"][0]["Key"] == 'a&b/<"1">'
    assert parsed["Contents"][0]["Owner"] == {"ID": ME.id, "DisplayName": "root"}


def test_botocore_reads_buckets() -> None:
    parsed = _as_botocore_reads(ANSWERS["list_buckets"], "ListBuckets")
    assert [bucket["Name"] for bucket in parsed["Buckets"]] == ["one", "two"]


def test_botocore_reads_parts_and_uploads() -> None:
    parts = _as_botocore_reads(ANSWERS["list_parts"], "ListParts")
    assert [part["PartNumber"] for part in parts["Parts"]] == [1, 2]
    assert parts["Parts"][0]["ChecksumSHA256"] == "47DE="
    assert (parts["ChecksumAlgorithm"], parts["ChecksumType"]) == ("SHA256", "COMPOSITE")
    uploads = _as_botocore_reads(ANSWERS["list_uploads"], "ListMultipartUploads")
    assert uploads["Uploads"][0]["UploadId"] == "u1"
    assert (uploads["NextKeyMarker"], uploads["NextUploadIdMarker"]) == ("a+b/c", "u1")


def test_botocore_reads_a_finished_upload_and_a_copy() -> None:
    finished = _as_botocore_reads(ANSWERS["completed_upload"], "CompleteMultipartUpload")
    assert (finished["Key"], finished["ETag"]) == ("a & b", f'"{ETAG}-2"')
    assert (finished["ChecksumSHA256"], finished["ChecksumType"]) == (SHA.value, "COMPOSITE")
    copied = _as_botocore_reads(ANSWERS["copy_result"], "CopyObject")["CopyObjectResult"]
    assert (copied["ETag"], copied["ChecksumCRC64NVME"]) == (f'"{ETAG}"', CRC.value)


def test_botocore_reads_deletions() -> None:
    parsed = _as_botocore_reads(ANSWERS["delete_result"], "DeleteObjects")
    assert parsed["Deleted"] == [{"Key": "a & b"}, {"Key": "c", "VersionId": "null"}]
    assert parsed["Errors"] == [{"Key": "d", "Code": "AccessDenied", "Message": "Access Denied"}]


def test_botocore_reads_deletions_of_versions() -> None:
    parsed = _as_botocore_reads(ANSWERS["delete_result_versions"], "DeleteObjects")
    assert parsed["Deleted"] == [
        {"Key": "a", "DeleteMarker": True, "DeleteMarkerVersionId": "v2"},
        {"Key": "b", "VersionId": "v1", "DeleteMarker": True, "DeleteMarkerVersionId": "v1"},
    ]


def test_botocore_reads_versions_and_delete_markers() -> None:
    parsed = _as_botocore_reads(LIST_VERSIONS, "ListObjectVersions")
    assert [(entry["VersionId"], entry["IsLatest"]) for entry in parsed["DeleteMarkers"]] == [("v2", True)]
    assert [(entry["VersionId"], entry["Size"]) for entry in parsed["Versions"]] == [("null", 7)]
    assert parsed["Versions"][0]["ETag"] == f'"{ETAG}"'
    assert (parsed["NextKeyMarker"], parsed["NextVersionIdMarker"]) == ("a+b/%C3%BC", "null")


def test_botocore_reads_attributes() -> None:
    parsed = _as_botocore_reads(ATTRIBUTES, "GetObjectAttributes")
    assert parsed["ETag"] == f"{ETAG}-2"
    assert parsed["Checksum"] == {"ChecksumSHA256": SHA.value, "ChecksumType": "COMPOSITE"}
    assert parsed["ObjectParts"] == {
        "TotalPartsCount": 2,
        "PartNumberMarker": 0,
        "NextPartNumberMarker": 1,
        "MaxParts": 1,
        "IsTruncated": True,
        "Parts": [{"PartNumber": 1, "Size": 5_242_880, "ChecksumSHA256": "47DE="}],
    }
    assert (parsed["StorageClass"], parsed["ObjectSize"]) == ("STANDARD", 5_242_881)


def test_error_has_no_namespace() -> None:
    assert ET.fromstring(render(ANSWERS["fault_without_details"])).tag == "Error"


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60)
)
def test_every_text_that_xml_can_hold_comes_back(text: str) -> None:
    fault = Fault(code="X", message=text, details={}, request_id="", host_id="")
    assert (ET.fromstring(render(fault)).findtext("Message") or "") == text


@given(st.text(st.characters(), max_size=60))
def test_any_text_can_be_written(text: str) -> None:
    written = render(Fault(code="X", message=text, details={"Key": text}, request_id="", host_id=""))
    assert not set(written) & (set(range(0x20)) - {0x09, 0x0A})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_key_is_valid_xml_when_url_encoded(key: str) -> None:
    entry = Listed(key=key, modified_ms=AT_MS)
    root = ET.fromstring(render(replace(LIST_V2, entries=(entry,), prefix=key, delimiter=key)))
    found = root.findtext("{*}Contents/{*}Key") or ""
    assert found.isascii()
    assert botocore.compat.unquote_str(found) == key


def test_entries_of_other_accounts_show_their_owner() -> None:
    other = Owner(id="b" * 64, display_name="other")
    mine, theirs, gone = (
        Listed(key=key, modified_ms=AT_MS, etag=ETAG, size=0, owner_id=owner_id)
        for key, owner_id in (("mine", None), ("theirs", other.id), ("gone", "c" * 64))
    )
    text = render(replace(LIST_V1, entries=(mine, theirs, gone), owners={other.id: other})).decode()
    owners = re.findall(r"<Key>(\w+)</Key>.*?<Owner><ID>(\w+)</ID>", text)
    assert owners == [("mine", ME.id), ("theirs", other.id), ("gone", ME.id)]
