"""What is signed is what botocore and Amazon's own example sign."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from valetkey import Secret
from valetkey.cli.credentials import Account, Addressing, Credentials, Origin
from valetkey.cli.errors import BadInputError
from valetkey.cli.lifetime import parse_lifetime
from valetkey.cli.location import Location, parse_location
from valetkey.cli.presign import Style, Wish, as_form, make_wish, present, sign, warn
from valetkey.cli.recipes import Form

AT = datetime(2013, 5, 24, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def account(
    *,
    endpoint: str | None = "http://127.0.0.1:9000",
    addressing: Addressing = Addressing.AUTO,
    token: str | None = None,
    end: datetime | None = None,
) -> Account:
    credentials = Credentials(
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key=Secret(SECRET),
        session_token=token,
        expires_at=end,
        origin=Origin.FLAGS,
    )
    return Account(credentials=credentials, region="us-east-1", endpoint=endpoint, addressing=addressing)


def wish(method: str, address: str, *, expires: str = "1h", **more: Any) -> Wish:
    return make_wish(
        method=method, location=parse_location(address), lifetime=parse_lifetime(expires), **more
    )


def test_amazons_example_is_signed_as_amazon_does() -> None:
    signed = sign(
        account(endpoint="https://s3.amazonaws.com"),
        wish("GET", "s3://examplebucket/test.txt", expires="1d"),
        at=AT,
    )

    # Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", the example.
    assert signed.url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


tokens = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
text = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
names = st.from_regex(r"[a-z][a-z0-9\-]{0,10}", fullmatch=True).filter(
    lambda name: not name.startswith("x-amz")
)


@given(key=text, query=st.dictionaries(names, text, max_size=3), token=st.none() | tokens)
def test_botocore_signs_the_same(key: str, query: dict[str, str], token: str | None) -> None:
    who = account(token=token)
    wanted = wish("PUT", f"s3://bucket/{key}", query=[f"{name}={value}" for name, value in query.items()])
    plain = urlsplit(sign(who, wanted, at=AT).url)
    request = AWSRequest(method="PUT", url=f"{plain.scheme}://{plain.netloc}{plain.path}", params=query)
    boto_credentials = BotoCredentials("AKIAIOSFODNN7EXAMPLE", SECRET, token)
    S3SigV4QueryAuth(boto_credentials, "s3", "us-east-1", expires=3600).add_auth(request)
    theirs = parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True)

    # botocore asks the clock itself, so ours is signed at the instant that it found.
    at = datetime.strptime(dict(theirs)["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = parse_qsl(urlsplit(sign(who, wanted, at=at).url).query, keep_blank_values=True)

    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize(
    ("addressing", "start"),
    [
        pytest.param(Addressing.AUTO, "https://s3.example.com/b/k?", id="auto"),
        pytest.param(Addressing.PATH, "https://s3.example.com/b/k?", id="path"),
        pytest.param(Addressing.VIRTUAL, "https://bbb.s3.example.com/k?", id="virtual"),
    ],
)
def test_addressing(addressing: Addressing, start: str) -> None:
    bucket = "bbb" if addressing is Addressing.VIRTUAL else "b"
    signed = sign(
        account(endpoint="https://s3.example.com", addressing=addressing),
        wish("GET", f"s3://{bucket}/k"),
        at=AT,
    )

    assert signed.url.startswith(start)


@pytest.mark.parametrize(
    ("method", "flags", "query", "headers"),
    [
        pytest.param(
            "GET",
            {"filename": "März.pdf", "content_type": "text/x", "query": ["versionId=a=b", "x"]},
            {
                "versionId": "a=b",
                "x": "",
                "response-content-disposition": "attachment; filename=\"Marz.pdf\"; filename*=UTF-8''M%C3%A4rz.pdf",
                "response-content-type": "text/x",
            },
            {},
            id="GET",
        ),
        pytest.param(
            "put",
            {"content_type": "text/x", "header": ["X-Amz-Meta-A:  b: c ", "If-None-Match:*"]},
            {},
            {"X-Amz-Meta-A": "b: c", "If-None-Match": "*", "content-type": "text/x"},
            id="PUT",
        ),
        pytest.param("POST", {"query": ["uploads"]}, {"uploads": ""}, {}, id="POST"),
    ],
)
def test_flags_become_query_and_headers(
    method: str, flags: dict[str, Any], query: Mapping[str, str], headers: Mapping[str, str]
) -> None:
    found = wish(method, "s3://b/k", **flags)

    assert (found.method, found.query, found.headers) == (method.upper(), query, headers)


@pytest.mark.parametrize(
    ("method", "address", "flags", "words"),
    [
        pytest.param("LIST", "s3://b", {}, "no method that S3 knows", id="no method"),
        pytest.param("OPTIONS", "s3://b", {}, "no method that S3 knows", id="preflight"),
        pytest.param("POST", "s3://b/k", {}, "--query uploads", id="POST without purpose"),
        pytest.param("GET", "s3://b/k", {"query": ["=x"]}, "has no name", id="nameless query"),
        pytest.param("GET", "s3://b/k", {"query": ["a=1", "a=2"]}, "given twice", id="query twice"),
        pytest.param("GET", "s3://b/k", {"query": ["a=\udcff"]}, "UTF-8", id="query in no encoding"),
        pytest.param("PUT", "s3://b/k", {"header": ["nonsense"]}, "'Name: value'", id="header without colon"),
        pytest.param("PUT", "s3://b/k", {"header": [":x"]}, "'Name: value'", id="nameless header"),
        pytest.param("PUT", "s3://b/k", {"header": ["A: 1", "a: 2"]}, "given twice", id="header twice"),
        pytest.param("PUT", "s3://b/k", {"filename": "f"}, "GET and HEAD", id="name for an upload"),
        pytest.param("DELETE", "s3://b/k", {"content_type": "t/x"}, "DELETE", id="type for a deletion"),
        pytest.param("GET", "s3://b", {"filename": "f"}, "give a key", id="name for a bucket"),
        pytest.param(
            "GET",
            "s3://b/k",
            {"filename": "f", "query": ["response-content-disposition=x"]},
            "not both",
            id="name twice",
        ),
        pytest.param(
            "PUT",
            "s3://b/k",
            {"content_type": "a/b", "header": ["Content-Type: c/d"]},
            "not both",
            id="type twice",
        ),
    ],
)
def test_flags_that_mean_nothing_are_refused(
    method: str, address: str, flags: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInputError) as raised:
        wish(method, address, **flags)

    assert words in str(raised.value)


def test_bucket_and_service_can_be_signed_for() -> None:
    assert sign(account(), wish("GET", "s3://b", query=["list-type=2"]), at=AT).url.startswith(
        "http://127.0.0.1:9000/b?"
    )
    assert sign(account(), wish("GET", "s3://"), at=AT).url.startswith("http://127.0.0.1:9000/?")


def printed(
    capsys: pytest.CaptureFixture[str], wanted: Wish, *, who: Account | None = None, style: Style
) -> tuple[str, str]:
    who = who or account()
    present(who, wanted, sign(who, wanted, at=AT), style, now=AT, more={"size_bytes": 3})
    captured = capsys.readouterr()
    return captured.out, captured.err


PLAIN = Style(form=Form.URL, as_json=False)


def test_url_stands_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, wish("PUT", "s3://b/k", header=["If-None-Match: *"]), style=PLAIN)

    assert out.startswith("http://127.0.0.1:9000/b/k?")
    assert out.count("\n") == 1
    assert err == "valetkey: the recipient must send  if-none-match: *\n"


def test_json_holds_all_that_a_program_needs(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = wish("PUT", "s3://b/k", header=["If-None-Match: *"])
    out, err = printed(capsys, wanted, style=Style(form=Form.URL, as_json=True))

    assert json.loads(out) == {
        "url": sign(account(), wanted, at=AT).url,
        "method": "PUT",
        "expires_at": "2013-05-24T01:00:00Z",
        "headers": {"if-none-match": "*"},
        "size_bytes": 3,
    }
    assert err == ""


@pytest.mark.parametrize("as_json", [False, True], ids=["plain", "JSON"])
def test_nothing_that_a_terminal_obeys_is_printed(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    key, value = "ä\x1b[2J\x7f\x9b2J\u202e\n\U000e0041🔑", "b\x1b]0;c\x07\u202e"
    wanted = wish("PUT", f"s3://b/{key}", header=[f"A: {value}"])
    style = Style(form=Form.URL, as_json=as_json)

    present(account(), wanted, sign(account(), wanted, at=AT), style, now=AT, more={"key": key})

    captured = capsys.readouterr()
    assert (captured.out + captured.err).replace("\n", "").isprintable()
    if as_json:
        answer = json.loads(captured.out)
        assert (answer["key"], answer["headers"]) == (key, {"a": value})
        assert "🔑" in captured.out
    else:
        assert captured.err == "valetkey: the recipient must send  a: b\\x1b]0;c\\x07\\u202e\n"


def test_warning_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    warn("upload of s3://b/a\x1b[2J\nb")

    assert capsys.readouterr().err == "valetkey: warning: upload of s3://b/a\\x1b[2J\\nb\n"


@pytest.mark.parametrize(
    ("who", "address", "words"),
    [
        pytest.param(account(token="T"), "s3://b/k", "temporary credentials", id="token"),
        pytest.param(
            account(token="T", end=AT + timedelta(minutes=5)),
            "s3://b/k",
            "2013-05-24T00:05:00Z",
            id="known end",
        ),
        pytest.param(account(), "s3://b/a/../k", "rewrite the '.' or '..'", id="dot segments"),
    ],
)
def test_owner_is_warned(capsys: pytest.CaptureFixture[str], who: Account, address: str, words: str) -> None:
    out, err = printed(capsys, wish("GET", address), who=who, style=PLAIN)

    assert words in err
    assert err.startswith("valetkey: warning: ")
    assert "warning" not in out


def test_download_is_saved_under_the_name_that_was_asked_for() -> None:
    for wanted, command in (
        (wish("GET", "s3://b/a/k.txt"), "curl -f -o k.txt '"),
        (wish("GET", "s3://b/a/k.txt", filename="x y"), "curl -f -o 'x y' '"),
        (wish("GET", "s3://b/a/k.txt", filename=".x\\y"), "curl -f -o x_y '"),
        (wish("GET", "s3://b/a/.."), "curl -f --path-as-is -o download '"),
        (wish("GET", "s3://b"), "curl -f '"),
    ):
        assert as_form(Form.CURL, sign(account(), wanted, at=AT), wanted).startswith(command)


def test_json_and_a_recipe_exclude_each_other() -> None:
    with pytest.raises(BadInputError, match="not both"):
        Style(form=Form.CURL, as_json=True)


def test_wish_keeps_the_location() -> None:
    assert wish("GET", "s3://b//k").location == Location(bucket="b", key="/k")
