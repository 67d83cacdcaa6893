"""`valetkey presign POST`: what is signed, and the three ways to print it."""

from __future__ import annotations

import html
import json
import shlex
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from valetkey import PresignedPost, Secret
from valetkey.cli.credentials import Account, Addressing, Credentials, Origin
from valetkey.cli.errors import BadInputError
from valetkey.cli.form import (
    FormFlags,
    FormStyle,
    as_curl,
    make_form_wish,
    print_form,
    sign_form,
)
from valetkey.cli.form_page import as_page
from valetkey.cli.main import main
from valetkey.cli.recipes import Form

AT = datetime(2013, 5, 24, tzinfo=UTC)
ACCOUNT = Account(
    credentials=Credentials(
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key=Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        session_token=None,
        expires_at=None,
        origin=Origin.FLAGS,
    ),
    region="us-east-1",
    endpoint="http://127.0.0.1:9000",
    addressing=Addressing.AUTO,
)


def signed(address: str, **flags: Any) -> PresignedPost:
    return sign_form(ACCOUNT, make_form_wish(FormFlags(address, **flags)), at=AT)


def conditions(post: PresignedPost) -> list[Any]:
    found: list[Any] = json.loads(b64decode(post.fields["policy"]))["conditions"]
    return found


def test_flags_become_fields_and_conditions() -> None:
    post = signed(
        "s3://b/in/${filename}",
        field=["acl=private", "x-amz-meta-a=b=c"],
        content_type="image/png",
        most_bytes=10,
    )
    assert post.url == "http://127.0.0.1:9000/b"
    assert post.fields["key"] == "in/${filename}"
    assert post.fields["x-amz-meta-a"] == "b=c"
    assert post.fields["Content-Type"] == "image/png"
    assert conditions(post)[:6] == [
        {"bucket": "b"},
        ["starts-with", "$key", "in/"],
        {"acl": "private"},
        {"x-amz-meta-a": "b=c"},
        {"Content-Type": "image/png"},
        ["content-length-range", 0, 10],
    ]


def test_a_bucket_alone_takes_the_files_name() -> None:
    assert signed("s3://b").fields["key"] == "${filename}"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        pytest.param({"address": "s3://"}, "into a bucket", id="service"),
        pytest.param({"field": ["acl"]}, "NAME=VALUE", id="field-without-value"),
        pytest.param({"field": ["=x"]}, "NAME=VALUE", id="field-without-name"),
        pytest.param({"field": ["a=1", "A=2"]}, "given twice", id="field-twice"),
        pytest.param({"field": ["content-type=a"], "content_type": "b"}, "not both", id="type-twice"),
    ],
)
def test_flags_that_mean_nothing_are_refused(flags: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        make_form_wish(FormFlags(**{"address": "s3://b/k", **flags}))


@pytest.mark.parametrize(
    ("as_html", "as_json", "form"),
    [(True, True, Form.URL), (True, False, Form.CURL), (False, False, Form.WGET)],
    ids=["html-and-json", "html-and-curl", "wget"],
)
def test_one_style_at_a_time(as_html: bool, as_json: bool, form: Form) -> None:
    with pytest.raises(BadInputError):
        FormStyle(as_html=as_html, as_json=as_json, form=form)


class Inputs(HTMLParser):
    """The fields of a page's form, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values["action"]
        if tag == "input":
            self.found.append((values["name"], values.get("value", "")))


def test_the_page_holds_every_field_and_the_file_last() -> None:
    post = signed("s3://b/k", field=['x-amz-meta-a="><script>&'])
    page = as_page(post)
    inputs = Inputs()
    inputs.feed(page)
    assert inputs.action == post.url
    assert inputs.found == [*post.fields.items(), ("file", "")]
    assert "2013-05-24T01:00:00Z" in page
    assert "{{" not in page


def test_no_script_but_the_pages_own_may_run() -> None:
    page = as_page(signed("s3://b/k", field=['x-amz-meta-a="><script>x</script>{{script}}']))
    assert page.count("<script") == page.count("</script") == 1
    script = page.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = html.unescape(page.partition('Content-Security-Policy" content="')[2].partition('"')[0])
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy
    assert "connect-src http://127.0.0.1:9000;" in policy


@pytest.mark.parametrize(
    ("most", "words"), [(999, "999 bytes"), (1000, "1 kB"), (2_500_000, "2.5 MB"), (5 * 10**9, "5 GB")]
)
def test_the_page_says_how_large_the_file_may_be(most: int, words: str) -> None:
    assert f"(at most {words})" in as_page(signed("s3://b/k", most_bytes=most))
    assert "at most" not in as_page(signed("s3://b/k")).partition("<script>")[0]


def test_the_command_sends_every_field_literally() -> None:
    post = signed("s3://b/k", field=["x-amz-meta-a=@it's;type=x"])
    words = shlex.split(as_curl(post))
    assert words[:2] == ["curl", "-f"]
    assert words[-3:] == ["-F", "file=@FILE", post.url]
    assert words[2:-3] == [
        word for name, value in post.fields.items() for word in ("--form-string", f"{name}={value}")
    ]


def test_a_control_character_is_not_pasted() -> None:
    with pytest.raises(BadInputError, match="control character"):
        as_curl(signed("s3://b/a\x1bb"))


def test_json_holds_all_that_a_program_needs(capsys: pytest.CaptureFixture[str]) -> None:
    style = FormStyle(as_html=False, as_json=True, form=Form.URL)
    print_form(ACCOUNT, FormFlags("s3://b/k"), style, now=AT)
    found = json.loads(capsys.readouterr().out)
    post = signed("s3://b/k")
    assert found == {
        "url": post.url,
        "method": "POST",
        "expires_at": "2013-05-24T01:00:00Z",
        "fields": dict(post.fields),
    }


KEYS = ["--access-key", "A", "--secret-key", "a-secret-of-tests", "--endpoint", "http://127.0.0.1:9000"]


@pytest.mark.parametrize(
    ("flags", "begins"),
    [
        pytest.param([], "curl -f --form-string key=k", id="curl"),
        pytest.param(["--html"], "<!DOCTYPE html>", id="html"),
        pytest.param(["--json"], "{", id="json"),
        pytest.param(["--query", "uploads"], "http://127.0.0.1:9000/b/k?", id="url-with-query"),
    ],
)
def test_the_command_line(capsys: pytest.CaptureFixture[str], flags: list[str], begins: str) -> None:
    assert main(["presign", "POST", "s3://b/k", *flags, *KEYS]) == 0
    assert capsys.readouterr().out.startswith(begins)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["POST", "s3://b/k", "--header", "A: b"], id="header-of-a-form"),
        pytest.param(["GET", "s3://b/k", "--html"], id="page-of-a-url"),
        pytest.param(["POST", "s3://b/k", "--query", "uploads", "--field", "a=b"], id="field-of-a-url"),
    ],
)
def test_flags_of_the_other_kind_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(["presign", *arguments, *KEYS]) == 2
    assert "form" in capsys.readouterr().err
