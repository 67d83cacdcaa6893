"""Which rule of a bucket lets a page of another origin through, and what the browser is told."""

from __future__ import annotations

import pytest

from valetkey.s3.codes import Code
from valetkey.s3.cors import (
    METHODS,
    CorsRule,
    CrossOriginRequest,
    answer_headers,
    default_rules,
    matching_rule,
    requested_headers,
)
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.cors import parse_cors, render_cors

VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def asked(origin: str, method: str = "GET", headers: str = "") -> CrossOriginRequest:
    return CrossOriginRequest(origin=origin, method=method, headers=requested_headers(headers))


@pytest.mark.parametrize(
    ("pattern", "origin", "matches"),
    [
        pytest.param("https://a.example", "https://a.example", True, id="same"),
        pytest.param("https://a.example", "https://a.example:443", False, id="port"),
        pytest.param("https://a.example", "https://A.example", False, id="case"),
        pytest.param("https://a.example", "https://a.example/", False, id="slash"),
        pytest.param("*", "null", True, id="star-alone"),
        pytest.param("*suffix", "foo.suffix", True, id="ends"),
        pytest.param("*suffix", "foo.suffix.get", False, id="ends-elsewhere"),
        pytest.param("start*end", "startend", True, id="star-for-nothing"),
        pytest.param("start*end", "start12end", True, id="middle"),
        pytest.param("start*end", "0start12end", False, id="begins-elsewhere"),
        pytest.param("aba*aba", "ababa", False, id="halves-do-not-overlap"),
        pytest.param("http://*.origin.example", "http://a.b.origin.example", True, id="star-spans-dots"),
        pytest.param("", "https://a.example", False, id="empty"),
    ],
)
def test_origin(pattern: str, origin: str, matches: bool) -> None:
    rules = (CorsRule(origins=("https://other.example", pattern), methods=("GET",)),)
    assert (matching_rule(rules, asked(origin)) is not None) == matches


@pytest.mark.parametrize(
    ("allowed", "headers", "matches"),
    [
        pytest.param((), "", True, id="none-asked-for"),
        pytest.param((), "x-amz-meta-a", False, id="none-allowed"),
        pytest.param(("*",), "x-amz-meta-a, content-type", True, id="all"),
        pytest.param(("x-AMZ-*",), "X-amz-META-a,x-amz-acl", True, id="prefix-without-case"),
        pytest.param(("x-amz-*",), "x-amz-acl, content-type", False, id="one-too-many"),
    ],
)
def test_request_headers(allowed: tuple[str, ...], headers: str, matches: bool) -> None:
    rules = (CorsRule(origins=("*",), methods=("GET",), allowed_headers=allowed),)
    assert (matching_rule(rules, asked("https://a.example", headers=headers)) is not None) == matches


def test_method_is_compared_with_its_case() -> None:
    rules = (CorsRule(origins=("*",), methods=("GET", "PUT")),)
    assert matching_rule(rules, asked("o", "PUT")) is not None
    assert matching_rule(rules, asked("o", "put")) is None
    assert matching_rule(rules, asked("o", "DELETE")) is None


def test_first_rule_that_matches_counts() -> None:
    first = CorsRule(origins=("*.example",), methods=("GET",), rule_id="first")
    second = CorsRule(origins=("*",), methods=("GET", "PUT"), rule_id="second")
    found = matching_rule((first, second), asked("a.example"))
    assert found is first
    assert matching_rule((first, second), asked("a.example", "PUT")) is second


def test_named_origin_comes_back_with_credentials() -> None:
    rule = CorsRule(
        origins=("https://*.example",),
        methods=("GET", "PUT"),
        allowed_headers=("*",),
        exposed_headers=("ETag", "x-amz-version-id"),
        max_age_s=3000,
    )
    request = asked("https://a.example", headers="X-Amz-Acl,content-type")
    assert answer_headers(rule, request) == {
        "access-control-allow-origin": "https://a.example",
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "x-amz-acl, content-type",
        "access-control-expose-headers": "ETag, x-amz-version-id",
        "access-control-max-age": "3000",
        "access-control-allow-credentials": "true",
        "vary": VARY,
    }


def test_any_origin_is_told_without_credentials() -> None:
    rule = CorsRule(origins=("*",), methods=("GET",))
    assert answer_headers(rule, asked("https://a.example")) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET",
        "vary": VARY,
    }


def test_default_lets_pages_do_all_but_send_cookies() -> None:
    (rule,) = default_rules(["*"])
    assert rule.methods == METHODS
    found = answer_headers(rule, asked("https://a.example", "PUT", "content-type"))
    assert found["access-control-allow-origin"] == "*"
    assert found["access-control-expose-headers"] == "*"
    assert found["access-control-allow-headers"] == "content-type"
    (named,) = default_rules(["https://a.example"])
    found = answer_headers(named, asked("https://a.example"))
    assert found["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-credentials" not in found
    assert default_rules([]) == ()


FULL = (
    CorsRule(
        rule_id="one",
        origins=("https://*.example", ""),
        methods=("GET", "HEAD"),
        allowed_headers=("x-AMZ-*",),
        exposed_headers=("ETag",),
        max_age_s=0,
    ),
    CorsRule(origins=("http://a.example:80",), methods=("DELETE",)),
)


def test_document_comes_back_as_it_was() -> None:
    assert parse_cors(render_cors(FULL).encode()) == FULL


def rule(content: str) -> bytes:
    return f"<CORSConfiguration><CORSRule>{content}</CORSRule></CORSConfiguration>".encode()


ORIGIN = "<AllowedOrigin>*</AllowedOrigin>"
METHOD = "<AllowedMethod>GET</AllowedMethod>"


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        pytest.param(b"<CORSConfiguration/>", Code.MALFORMED_XML, None, id="no-rule"),
        pytest.param(rule(ORIGIN), Code.MALFORMED_XML, None, id="no-method"),
        pytest.param(rule(METHOD), Code.MALFORMED_XML, None, id="no-origin"),
        pytest.param(rule(ORIGIN + METHOD + "<Odd/>"), Code.MALFORMED_XML, None, id="unknown-element"),
        pytest.param(rule(ORIGIN + METHOD + "<ID>a</ID><ID>b</ID>"), Code.MALFORMED_XML, None, id="two-ids"),
        pytest.param(rule(ORIGIN + METHOD + f"<ID>{'a' * 256}</ID>"), Code.MALFORMED_XML, None, id="long-id"),
        pytest.param(
            rule(ORIGIN + METHOD + "<MaxAgeSeconds>-1</MaxAgeSeconds>"),
            Code.MALFORMED_XML,
            None,
            id="negative-age",
        ),
        pytest.param(
            rule(ORIGIN + METHOD + "<ExposeHeader>a\nb: c</ExposeHeader>"),
            Code.MALFORMED_XML,
            None,
            id="line-break-in-a-header",
        ),
        pytest.param(
            b"<CORSConfiguration>"
            + f"<CORSRule>{ORIGIN}{METHOD}</CORSRule>".encode() * 101
            + b"</CORSConfiguration>",
            Code.MALFORMED_XML,
            None,
            id="101-rules",
        ),
        pytest.param(b"", Code.MISSING_REQUEST_BODY_ERROR, None, id="nothing"),
        pytest.param(
            rule(ORIGIN + "<AllowedMethod>PATCH</AllowedMethod>"),
            Code.INVALID_REQUEST,
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
            id="method",
        ),
        pytest.param(
            rule(ORIGIN + "<AllowedMethod/>"),
            Code.INVALID_REQUEST,
            "Found unsupported HTTP method in CORS config. Unsupported method is ",
            id="empty-method",
        ),
        pytest.param(
            rule("<AllowedOrigin>*a*</AllowedOrigin>" + METHOD),
            Code.INVALID_REQUEST,
            'AllowedOrigin "*a*" can not have more than one wildcard.',
            id="two-wildcards-in-an-origin",
        ),
        pytest.param(
            rule(ORIGIN + METHOD + "<AllowedHeader>**</AllowedHeader>"),
            Code.INVALID_REQUEST,
            'AllowedHeader "**" can not have more than one wildcard.',
            id="two-wildcards-in-a-header",
        ),
        pytest.param(
            rule(ORIGIN + METHOD + "<ExposeHeader>*</ExposeHeader>"),
            Code.INVALID_REQUEST,
            'ExposeHeader "*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
            id="wildcard-to-expose",
        ),
    ],
)
def test_document_is_refused_in_amazons_words(document: bytes, code: Code, message: str | None) -> None:
    with pytest.raises(S3Error) as caught:
        parse_cors(document)
    assert caught.value.code is code
    assert caught.value.message == (code.message if message is None else message)
