"""Whatever people paste, the request in it is found."""

from __future__ import annotations

import json

import pytest
from tests.explain.signed import causes, explained, presigned

from valetkey.explain.paste import read_paste
from valetkey.explain.report import Verdict

URL = presigned(method="PUT", headers={"content-type": "image/png"})


@pytest.mark.parametrize(
    "text",
    [
        f"curl -X PUT -H 'Content-Type: image/png' --data-binary @a.png '{URL}'",
        f"$ curl -sSfXPUT -H'content-type:image/png' -T a.png \"{URL}\" -o /dev/null",
        f"curl --request PUT \\\n  --url '{URL}' \\\n  --header 'Content-Type: image/png' \\\n  --data 'x'",
        f"curl $'{URL}' -X $'PUT' -H $'content-type: image\\u002fpng' --data-raw $'a\\nb'",
        'curl ^"'
        + URL.replace("&", "^&").replace("%", "^%")
        + '^" ^\n  -X PUT ^\n  -H ^"content-type: image/png^" ^\n  -d x',
        f'fetch("{URL}", {{\n  "headers": {{\n    "content-type": "image/png"\n  }},\n  "body": "x",\n  "method": "PUT"\n}});',
        f"await fetch('{URL}', {{ method: 'put', headers: {{ 'Content-Type': `image/png` }}, body: new Blob([1, 2]) }})",
        URL.replace("https://files.example.com", "PUT ")
        + " HTTP/1.1\r\nHost: files.example.com\r\nContent-Type: image/png\r\n\r\nbody",
        URL.replace("https://files.example.com", "> PUT ")
        + " HTTP/2\n> Host: files.example.com\n> content-type: image/png\n>\n< HTTP/2 403",
        f"PUT {URL} HTTP/1.1\nContent-Type: image/png\n\n",
        json.dumps({"url": URL, "method": "PUT", "headers": {"content-type": "image/png"}}),
    ],
    ids=["curl", "short", "long", "ansi", "cmd", "browser", "node", "http", "verbose", "absolute", "json"],
)
def test_the_request_is_found(text: str) -> None:
    report = explained(text)
    assert report.verdict is Verdict.MATCHES, report
    assert report.facts.operation == "PutObject"
    assert causes(report) == []


def test_a_url_alone_may_be_of_any_method() -> None:
    report = explained(presigned(method="DELETE"))
    assert (report.verdict, report.facts.operation) == (Verdict.MATCHES, "DeleteObject")


def test_scheme_may_be_missing() -> None:
    report = explained(presigned().removeprefix("https://"))
    assert report.verdict is Verdict.MATCHES


@pytest.mark.parametrize(
    "text", ["", " ", "hello", "s3://bucket/key", "<Error>", "{}", "fetch(", "curl", "GET / HTTP/1.1"]
)
def test_what_is_none_is_none(text: str) -> None:
    paste = read_paste(text)
    assert paste.sent is None or paste.sent.raw_query == b""


def test_the_url_and_the_error_may_stand_in_one_text() -> None:
    error = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><RequestId>ABC</RequestId></Error>"
    paste = read_paste(f"$ curl '{presigned()}'\n<?xml version=\"1.0\"?>\n{error}\n")
    assert paste.sent is not None
    assert paste.fault is not None
    assert paste.fault.request_id == "ABC"


def test_a_document_type_is_no_error() -> None:
    paste = read_paste('<!DOCTYPE a [<!ENTITY x "y">]><Error><Code>&x;</Code></Error>')
    assert paste.fault is None
