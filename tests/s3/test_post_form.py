"""What the fields of a form say."""

from __future__ import annotations

import pytest

from valetkey.s3.errors import S3Error
from valetkey.s3.form_reader import Fields
from valetkey.s3.post_form import PostForm, object_location, read_form


def form(*values: tuple[str, str], filename: str | None = None) -> PostForm:
    return read_form(Fields(values=(("key", "k"), *values), filename=filename))


@pytest.mark.parametrize(
    ("filename", "key"),
    [
        pytest.param("a.txt", "in/a.txt", id="name"),
        pytest.param("C:\\folder\\a.txt", "in/a.txt", id="backslashes"),
        pytest.param("../../a.txt", "in/a.txt", id="path"),
        pytest.param("", "in/", id="empty"),
        pytest.param(None, "in/${filename}", id="none"),
    ],
)
def test_name_of_the_file_is_put_into_every_field(filename: str | None, key: str) -> None:
    found = read_form(
        Fields(values=(("Key", "in/${filename}"), ("x-amz-meta-name", "${filename}")), filename=filename)
    )
    assert found.key == key
    assert found.fields["x-amz-meta-name"] == key.removeprefix("in/")


def test_signed_fields_stay_as_they_are() -> None:
    found = form(("Policy", "${filename}"), filename="a")
    assert found.fields["policy"] == "${filename}"
    assert found.names == {"key": "key", "policy": "Policy"}


def test_fields_act_as_headers() -> None:
    found = form(
        ("acl", "private"),
        ("tagging", "<Tagging><TagSet><Tag><Key>a b</Key><Value>c=d</Value></Tag></TagSet></Tagging>"),
        ("Content-Type", "text/plain"),
        ("x-amz-meta-A", "1"),
        ("x-amz-meta-a", "2"),
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-credential", "secret"),
        ("x-amz-security-token", "secret"),
        ("x-amz-copy-source", "b/k"),
        ("x-amz-content-sha256", "0"),
        ("host", "elsewhere"),
        ("success_action_status", "201"),
    )
    assert found.headers == {
        "x-amz-acl": "private",
        "x-amz-tagging": "a+b=c%3Dd",
        "content-type": "text/plain",
        "x-amz-meta-a": "1,2",
        "x-amz-checksum-crc32": "AAAAAA==",
    }


@pytest.mark.parametrize(
    ("asked", "status"), [("200", 200), ("201", 201), ("204", 204), ("404", 204), ("", 204), (None, 204)]
)
def test_status(asked: str | None, status: int) -> None:
    assert form(*[("success_action_status", asked)] if asked is not None else []).success_status == status


@pytest.mark.parametrize(
    ("name", "url", "redirect"),
    [
        pytest.param(
            "success_action_redirect",
            "http://a.example/done",
            "http://a.example/done?bucket=b&key=k&etag=%22e%22",
            id="plain",
        ),
        pytest.param(
            "Redirect",
            "https://a.example/?a=1#top",
            "https://a.example/?a=1&bucket=b&key=k&etag=%22e%22#top",
            id="old-name-query-and-fragment",
        ),
        pytest.param("success_action_redirect", "/done", None, id="relative"),
        pytest.param("success_action_redirect", "javascript:alert(1)", None, id="script"),
        pytest.param("success_action_redirect", "//a.example/", None, id="no-scheme"),
        pytest.param("success_action_redirect", "http://a.example/\r\nX: y", None, id="line-break"),
        pytest.param("success_action_redirect", "http://[::1", None, id="broken"),
        pytest.param("success_action_redirect", "", None, id="empty"),
    ],
)
def test_redirect(name: str, url: str, redirect: str | None) -> None:
    assert form((name, url)).redirect_url(bucket="b", etag="e") == redirect


def test_key_in_a_redirect_is_encoded_as_a_form_is() -> None:
    found = read_form(Fields(values=(("key", "a/b c&ü"), ("redirect", "http://a/")), filename=None))
    assert found.redirect_url(bucket="b", etag="e") == "http://a/?bucket=b&key=a%2Fb+c%26%C3%BC&etag=%22e%22"


def test_form_without_a_key() -> None:
    with pytest.raises(S3Error) as caught:
        read_form(Fields(values=(), filename="a"))
    assert caught.value.message == (
        "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields."
    )
    assert dict(caught.value.details) == {"ArgumentName": "key", "ArgumentValue": ""}


def test_form_with_an_empty_key() -> None:
    with pytest.raises(S3Error, match="length greater than 0") as caught:
        read_form(Fields(values=(("key", "${filename}"),), filename="folder/"))
    assert dict(caught.value.details) == {"ArgumentName": "key", "ArgumentValue": ""}


def test_location_encodes_the_slashes_of_a_key() -> None:
    assert object_location("http://h", bucket="b", key="a/b ü") == "http://h/b/a%2Fb%20%C3%BC"
    assert object_location("http://b.h", bucket=None, key="a") == "http://b.h/a"
