"""What a browser is told when a page of another origin asks: before a request, and with every answer."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable, Iterator

import pytest
from tests.raw.door import Door, open_door
from tests.raw.wire import Reply

from valetkey.testing.server import running_server

ORIGIN = "https://app.example"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
HEADERS = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Access-Control-Allow-Credentials",
    "Vary",
)


@pytest.fixture(scope="module")
def closed_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A server without rules of its own, as Amazon is."""
    folder = tmp_path_factory.mktemp("no-cors") / "data"
    with running_server(folder, environment={"VALETKEY_CORS_ORIGINS": "none"}) as running:
        yield open_door(running, "raw-requests")


@pytest.fixture(scope="module")
def new_bucket(door: Door) -> Callable[[], Door]:
    """Make a door to a bucket of its own on the ordinary server."""
    numbers = itertools.count(1)
    return lambda: open_door(door.server, f"raw-cors-{next(numbers)}")


def configure(door: Door, *rules: str) -> None:
    reply = put_cors(door, "".join(f"<CORSRule>{rule}</CORSRule>" for rule in rules))
    assert reply.status == 200, reply.body


def put_cors(door: Door, content: str, *, with_md5: bool = True) -> Reply:
    body = f"<CORSConfiguration>{content}</CORSConfiguration>".encode()
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    headers = {"Content-MD5": digest} if with_md5 else {}
    return door.signed("PUT", f"/{door.bucket}", query=[("cors", "")], headers=headers, body=body)


def allow(origin: str, *methods: str, more: str = "") -> str:
    names = "".join(f"<AllowedMethod>{method}</AllowedMethod>" for method in methods)
    return f"<AllowedOrigin>{origin}</AllowedOrigin>{names}{more}"


def ask(door: Door, origin: str | None, method: str | None, *, headers: str | None = None) -> Reply:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return door.send("OPTIONS", door.path("preflight"), headers=given)


def told(reply: Reply) -> dict[str, str]:
    return {name: value for name in HEADERS if (value := reply.header(name)) is not None}


class TestPreflight:
    def test_a_rule_that_matches(self, new_bucket: Callable[[], Door]) -> None:
        door = new_bucket()
        more = (
            "<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
            "<MaxAgeSeconds>3000</MaxAgeSeconds>"
        )
        configure(door, allow("https://*.example", "GET", "PUT", more=more))
        reply = ask(door, ORIGIN, "PUT", headers="Content-Type,x-amz-acl")
        assert (reply.status, reply.body, reply.header("Content-Length")) == (200, b"", "0")
        assert told(reply) == {
            "Access-Control-Allow-Origin": ORIGIN,
            "Access-Control-Allow-Methods": "GET, PUT",
            "Access-Control-Allow-Headers": "content-type, x-amz-acl",
            "Access-Control-Expose-Headers": "ETag",
            "Access-Control-Max-Age": "3000",
            "Access-Control-Allow-Credentials": "true",
            "Vary": VARY,
        }

    @pytest.mark.parametrize(
        ("origin", "method", "headers"),
        [
            pytest.param("https://elsewhere.test", "GET", None, id="origin"),
            pytest.param(ORIGIN, "PUT", None, id="method"),
            pytest.param(ORIGIN, "GET", "x-amz-acl", id="header"),
        ],
    )
    def test_no_rule_matches(
        self, new_bucket: Callable[[], Door], origin: str, method: str, headers: str | None
    ) -> None:
        door = new_bucket()
        configure(door, allow(ORIGIN, "GET"))
        reply = ask(door, origin, method, headers=headers)
        assert reply.refusal == (403, "AccessForbidden")
        assert reply.fault.message == (
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
            "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not "
            "whitelisted by the resource's CORS spec."
        )
        assert list(reply.fault.details.items())[:2] == [("Method", method), ("ResourceType", "OBJECT")]
        assert told(reply) == {}

    def test_without_an_origin(self, door: Door) -> None:
        reply = ask(door, None, "PUT")
        assert reply.refusal == (400, "BadRequest")
        assert reply.fault.message == "Insufficient information. Origin request header needed."

    def test_without_a_method(self, door: Door) -> None:
        assert ask(door, ORIGIN, None).refusal == (400, "BadRequest")

    @pytest.mark.parametrize("method", ["PUT", None])
    def test_a_bucket_without_rules_on_a_server_without_any(
        self, closed_door: Door, method: str | None
    ) -> None:
        reply = ask(closed_door, ORIGIN, method)
        assert reply.refusal == (403, "AccessForbidden")
        assert reply.fault.message == "CORSResponse: CORS is not enabled for this bucket."
        details = list(reply.fault.details.items())[:2]
        assert details == [("Method", method or "OPTIONS"), ("ResourceType", "BUCKET")]
        assert told(reply) == {}

    def test_a_bucket_that_is_not_there(self, closed_door: Door) -> None:
        headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        reply = closed_door.send("OPTIONS", "/nowhere-at-all/key", headers=headers)
        assert reply.refusal == (403, "AccessForbidden")
        assert reply.fault.message == "CORSResponse: Bucket not found"

    def test_a_presigned_query_is_not_looked_at(self, door: Door) -> None:
        target = door.key.presign("PUT", door.path("preflight"), expires="0")
        headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        assert door.send("OPTIONS", target, headers=headers).status == 200


class TestDefault:
    def test_a_plain_installation_lets_every_page_ask(self, door: Door) -> None:
        reply = ask(door, ORIGIN, "PUT", headers="content-type,x-amz-meta-a")
        assert reply.status == 200
        assert told(reply) == {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "GET, PUT, HEAD, POST, DELETE",
            "Access-Control-Allow-Headers": "content-type, x-amz-meta-a",
            "Access-Control-Expose-Headers": "*",
            "Access-Control-Max-Age": "600",
            "Vary": VARY,
        }

    def test_and_read_what_it_gets(self, door: Door) -> None:
        door.put("cors", b"content")
        reply = door.presigned("GET", "cors", unsigned={"Origin": ORIGIN})
        assert (reply.status, reply.body) == (200, b"content")
        assert reply.header("Access-Control-Allow-Origin") == "*"
        assert reply.header("Access-Control-Expose-Headers") == "*"
        assert reply.header("Access-Control-Allow-Credentials") is None

    @pytest.mark.parametrize("name", ["nowhere-at-all/key", "raw-requests/not-there"])
    def test_refusals_too(self, door: Door, name: str) -> None:
        target = door.key.presign("GET", f"/{name}")
        reply = door.send("GET", target, headers={"Origin": ORIGIN})
        assert reply.status == 404
        assert reply.header("Access-Control-Allow-Origin") == "*"
        reply = door.send("GET", f"{target}0", headers={"Origin": ORIGIN})
        assert reply.refusal == (403, "SignatureDoesNotMatch")
        assert reply.header("Access-Control-Allow-Origin") == "*"

    def test_without_an_origin_nothing_is_said_of_it(self, door: Door) -> None:
        door.put("cors", b"content")
        assert told(door.presigned("GET", "cors")) == {}

    def test_the_buckets_own_rules_displace_it(self, new_bucket: Callable[[], Door]) -> None:
        door = new_bucket()
        configure(door, allow("https://elsewhere.test", "GET"))
        door.put("cors", b"content")
        assert told(door.presigned("GET", "cors", unsigned={"Origin": ORIGIN})) == {}
        assert ask(door, ORIGIN, "GET").refusal == (403, "AccessForbidden")

    def test_a_server_may_have_none(self, closed_door: Door) -> None:
        closed_door.put("cors", b"content")
        assert told(closed_door.presigned("GET", "cors", unsigned={"Origin": ORIGIN})) == {}


class TestActualRequest:
    def test_an_answer_and_a_refusal(self, new_bucket: Callable[[], Door]) -> None:
        door = new_bucket()
        configure(door, allow(ORIGIN, "GET", more="<ExposeHeader>ETag</ExposeHeader>"))
        door.put("cors", b"content")
        expected = {
            "Access-Control-Allow-Origin": ORIGIN,
            "Access-Control-Allow-Methods": "GET",
            "Access-Control-Expose-Headers": "ETag",
            "Access-Control-Allow-Credentials": "true",
            "Vary": VARY,
        }
        assert told(door.presigned("GET", "cors", unsigned={"Origin": ORIGIN})) == expected
        refused = door.send("GET", door.path("cors"), headers={"Origin": ORIGIN})
        assert refused.refusal == (403, "AccessDenied")
        assert told(refused) == expected

    def test_one_that_no_rule_allows_is_served_all_the_same(self, new_bucket: Callable[[], Door]) -> None:
        door = new_bucket()
        configure(door, allow(ORIGIN, "GET"))
        reply = door.presigned("PUT", "cors", unsigned={"Origin": ORIGIN}, body=b"content")
        assert (reply.status, told(reply)) == (200, {})
        assert door.content("cors") == b"content"

    def test_the_method_asked_for_counts_where_it_is_named(self, new_bucket: Callable[[], Door]) -> None:
        door = new_bucket()
        configure(door, allow(ORIGIN, "GET"))
        headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        assert told(door.presigned("GET", "cors", unsigned=headers)) == {}


class TestConfiguration:
    def test_it_comes_back_until_it_is_deleted(self, new_bucket: Callable[[], Door]) -> None:
        door = new_bucket()
        query = [("cors", "")]
        reply = door.signed("GET", f"/{door.bucket}", query=query)
        assert reply.refusal == (404, "NoSuchCORSConfiguration")
        assert reply.fault.message == "The CORS configuration does not exist"
        configure(door, "<ID>one</ID>" + allow("*.get", "GET", "PUT"))
        reply = door.signed("GET", f"/{door.bucket}", query=query)
        assert reply.status == 200
        assert b"<CORSRule><ID>one</ID>" in reply.body
        assert b"<AllowedOrigin>*.get</AllowedOrigin>" in reply.body
        assert door.signed("DELETE", f"/{door.bucket}", query=query).status == 204
        assert door.signed("DELETE", f"/{door.bucket}", query=query).status == 204
        assert door.signed("GET", f"/{door.bucket}", query=query).status == 404

    def test_its_digest_must_be_given(self, new_bucket: Callable[[], Door]) -> None:
        reply = put_cors(new_bucket(), f"<CORSRule>{allow('*', 'GET')}</CORSRule>", with_md5=False)
        assert reply.refusal == (400, "InvalidRequest")

    def test_a_malformed_one_is_refused(self, new_bucket: Callable[[], Door]) -> None:
        door = new_bucket()
        assert put_cors(door, "").refusal == (400, "MalformedXML")
        reply = put_cors(door, f"<CORSRule>{allow('*', 'PATCH')}</CORSRule>")
        assert reply.refusal == (400, "InvalidRequest")
        assert reply.fault.message == (
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH"
        )
