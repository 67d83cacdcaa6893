"""boto3 tags objects and versions of them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from tests.clients.boto import S3Client, refusal

TAGS = [{"Key": "Größe", "Value": "a + b/c"}, {"Key": "empty", "Value": ""}]


def tags_of(s3: S3Client, bucket: str, key: str, **options: str) -> dict[str, str]:
    answer = s3.get_object_tagging(Bucket=bucket, Key=key, **options)
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def test_tags_are_set_replaced_and_removed(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    plain_s3.put_object(**place, Body=b"body")
    assert tags_of(plain_s3, plain_bucket, "key") == {}
    put = plain_s3.put_object_tagging(**place, Tagging={"TagSet": TAGS})
    assert "VersionId" not in put
    assert tags_of(plain_s3, plain_bucket, "key") == {"Größe": "a + b/c", "empty": ""}
    assert plain_s3.head_object(**place)["TagCount"] == 2
    plain_s3.put_object_tagging(**place, Tagging={"TagSet": [{"Key": "only", "Value": "one"}]})
    assert tags_of(plain_s3, plain_bucket, "key") == {"only": "one"}
    removed = plain_s3.delete_object_tagging(**place)
    assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags_of(plain_s3, plain_bucket, "key") == {}
    assert "TagCount" not in plain_s3.head_object(**place)


def test_tagging_leaves_the_object_as_it_is(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    plain_s3.put_object(**place, Body=b"body", Metadata={"a": "b"})
    before = plain_s3.head_object(**place)
    plain_s3.put_object_tagging(**place, Tagging={"TagSet": TAGS})
    after = plain_s3.head_object(**place)
    for name in ("LastModified", "ETag", "ContentLength", "Metadata"):
        assert after[name] == before[name]


def test_each_version_has_its_own_tags(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    plain_s3.put_bucket_versioning(Bucket=plain_bucket, VersioningConfiguration={"Status": "Enabled"})
    first = plain_s3.put_object(**place, Body=b"1", Tagging="n=first")["VersionId"]
    second = plain_s3.put_object(**place, Body=b"2")["VersionId"]
    tag_set = [{"Key": "n", "Value": "again"}]
    put = plain_s3.put_object_tagging(**place, VersionId=first, Tagging={"TagSet": tag_set})
    assert put["VersionId"] == first
    assert plain_s3.get_object_tagging(**place)["VersionId"] == second
    assert tags_of(plain_s3, plain_bucket, "key") == {}
    assert tags_of(plain_s3, plain_bucket, "key", VersionId=first) == {"n": "again"}
    assert plain_s3.delete_object_tagging(**place, VersionId=first)["VersionId"] == first
    assert tags_of(plain_s3, plain_bucket, "key", VersionId=first) == {}


def test_a_delete_marker_has_no_tags(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    plain_s3.put_bucket_versioning(Bucket=plain_bucket, VersioningConfiguration={"Status": "Enabled"})
    marker = plain_s3.delete_object(**place)["VersionId"]
    with pytest.raises(ClientError) as caught:
        plain_s3.get_object_tagging(**place, VersionId=marker)
    assert refusal(caught.value) == (405, "MethodNotAllowed")
    with pytest.raises(ClientError) as caught:
        plain_s3.put_object_tagging(**place, VersionId=marker, Tagging={"TagSet": TAGS})
    assert refusal(caught.value) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        pytest.param([{"Key": str(n), "Value": ""} for n in range(11)], "BadRequest", id="eleven"),
        pytest.param([{"Key": "a" * 129, "Value": ""}], "InvalidTag", id="long-key"),
        pytest.param([{"Key": "a", "Value": "a" * 257}], "InvalidTag", id="long-value"),
        pytest.param([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "InvalidTag", id="twice"),
    ],
)
def test_bad_tags_change_nothing(
    plain_s3: S3Client, plain_bucket: str, tags: list[dict[str, str]], code: str
) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    plain_s3.put_object(**place, Body=b"body", Tagging="a=b")
    with pytest.raises(ClientError) as caught:
        plain_s3.put_object_tagging(**place, Tagging={"TagSet": tags})
    assert refusal(caught.value) == (400, code)
    assert tags_of(plain_s3, plain_bucket, "key") == {"a": "b"}


def test_tags_of_nothing(plain_s3: S3Client, plain_bucket: str) -> None:
    for call in (plain_s3.get_object_tagging, plain_s3.delete_object_tagging):
        with pytest.raises(ClientError) as caught:
            call(Bucket=plain_bucket, Key="none")
        assert refusal(caught.value) == (404, "NoSuchKey")
