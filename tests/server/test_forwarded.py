"""Whom a request comes from: what trusted proxies say counts, what others say does not, nothing crashes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.server.forwarded import (
    Origin,
    TrustedProxies,
    as_addressed,
    plain_address,
    read_address,
    trusted_proxies,
)
from valetkey.server.settings import load_settings
from valetkey.sigv4.verify import SignedHost

PEER = "10.0.0.1"
FORGED = "198.51.100.66"


def proxies(*, dialect: str = "x-forwarded", named: str = "10.0.0.0/8 fd00::/8") -> TrustedProxies:
    found = trusted_proxies(load_settings({"trusted_proxies": named, "forwarded_headers": dialect}, {}))
    assert found is not None
    return found


def origin(headers: Sequence[tuple[str, str]], *, peer: str = PEER, dialect: str = "x-forwarded") -> Origin:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return proxies(dialect=dialect).origin(peer, raw, is_secure=False)


def hosts(found: Origin) -> list[str]:
    return [host.host.decode() for host in found.hosts]


def test_no_proxy_is_trusted_unless_named() -> None:
    assert trusted_proxies(load_settings({}, {})) is None


@pytest.mark.parametrize("dialect", ["x-forwarded", "forwarded"])
@pytest.mark.parametrize("peer", ["192.0.2.1", "11.0.0.1", "2001:db8::1", ""])
def test_a_stranger_says_nothing_of_itself(peer: str, dialect: str) -> None:
    headers = [
        ("X-Forwarded-For", FORGED),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "files.example.com"),
        ("Forwarded", f"for={FORGED};proto=https;host=files.example.com"),
    ]
    assert origin(headers, peer=peer, dialect=dialect) == Origin(peer, is_secure=False)


@pytest.mark.parametrize(
    ("values", "remote"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        ([f"{FORGED}, 203.0.113.7"], "203.0.113.7"),
        ([FORGED, "203.0.113.7"], "203.0.113.7"),
        ([f"{FORGED}, 203.0.113.7, 10.9.9.9"], "203.0.113.7"),
        ([f"10.1.1.1, {FORGED}, 203.0.113.7,10.9.9.9"], "203.0.113.7"),
        (["garbage, 203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:DB8::0:7]:4711"], "2001:db8::7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["::ffff:10.2.3.4"], "10.2.3.4"),
        ([f"{FORGED}, 203.0.113.7, fd00::1"], "203.0.113.7"),
        ([", ,"], PEER),
        ([], PEER),
        (["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        (["203.0.113.7, unknown"], ""),
        (["203.0.113.7, 10.1"], ""),
        (["203.0.113.7, fe80::1%eth0"], ""),
        (["203.0.113.7, 203.0.113.8x"], ""),
        (["203.0.113.7, 203.0.113.8:"], ""),
        (["203.0.113.7, [203.0.113.8]"], ""),
        (["203.0.113.7, \xff\xfe"], ""),
    ],
    ids=str,
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxy(values: list[str], remote: str) -> None:
    assert origin([("X-Forwarded-For", value) for value in values]).remote == remote
    elements = [", ".join(f'for="{item.strip()}"' for item in value.split(",")) for value in values]
    if all(item.strip() for value in values for item in value.split(",")):
        assert origin([("Forwarded", each) for each in elements], dialect="forwarded").remote == remote


def test_only_the_headers_that_the_proxies_write_are_read() -> None:
    # The other kind passes through a proxy as the client sent it.
    both = [("X-Forwarded-For", "203.0.113.7"), ("Forwarded", "for=203.0.113.8;proto=https")]
    assert origin(both) == Origin("203.0.113.7", is_secure=False)
    assert origin(both, dialect="forwarded") == Origin("203.0.113.8", is_secure=True)


@pytest.mark.parametrize(
    ("schemes", "is_secure"),
    [
        (["https"], True),
        (["HTTPS"], True),
        (["http"], False),
        (["https", "http"], False),
        (["https://"], False),
    ],
    ids=str,
)
def test_the_scheme_is_the_last_one_told(schemes: list[str], is_secure: bool) -> None:
    assert origin([("X-Forwarded-Proto", scheme) for scheme in schemes]).is_secure is is_secure


def test_a_port_stands_beside_a_host_without_one() -> None:
    told = [("X-Forwarded-Host", "Files.Example.com"), ("X-Forwarded-Port", "8443")]
    assert hosts(origin([*told, ("X-Forwarded-Proto", "https")])) == [
        "files.example.com",
        "files.example.com:8443",
    ]
    usual = [("X-Forwarded-Host", "a.example"), ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https")]
    assert hosts(origin(usual)) == ["a.example"]
    assert hosts(origin([("X-Forwarded-Host", "a.example:81"), ("X-Forwarded-Port", "82")])) == [
        "a.example:81"
    ]
    assert hosts(origin([("X-Forwarded-Host", "[::1]"), ("X-Forwarded-Port", "82")])) == ["[::1]", "[::1]:82"]


def test_few_hosts_are_tried_the_nearest_first() -> None:
    many = ", ".join(f"h{number}.example" for number in range(50))
    assert hosts(origin([("X-Forwarded-Host", many)])) == [
        f"h{number}.example" for number in (49, 48, 47, 46)
    ]


@pytest.mark.parametrize("host", ["a b", "a/b", "a\x00b", "x" * 256, "a:b", "a:123456", "ü.example", "a@b"])
def test_what_is_no_host_is_none(host: str) -> None:
    assert origin([("X-Forwarded-Host", host)]).hosts == ()


def test_forwarded_tells_scheme_and_host_of_the_client() -> None:
    found = origin(
        [("Forwarded", 'for=203.0.113.7;host="files.example.com:8443";proto=https, For=10.0.0.9;proto=http')],
        dialect="forwarded",
    )
    assert (found.remote, found.is_secure, hosts(found)) == ("203.0.113.7", True, ["files.example.com:8443"])


@pytest.mark.parametrize(
    "element",
    [
        "for",
        "for=",
        'for="203.0.113.8',
        "for=203.0.113.8;for=203.0.113.9",
        "=x",
        "for=203.0.113.8;;",
        'for="a\\"b"',
    ],
)
def test_a_malformed_element_says_nothing(element: str) -> None:
    found = origin([("Forwarded", f"for={FORGED};proto=https, {element}")], dialect="forwarded")
    assert found == Origin("", is_secure=False)


def test_an_open_quote_swallows_nothing() -> None:
    assert origin([("Forwarded", 'for=", for=203.0.113.7')], dialect="forwarded").remote == "203.0.113.7"


def test_the_socket_is_trusted_where_it_is_named() -> None:
    told = [(b"x-forwarded-for", b"203.0.113.7")]
    assert proxies(named="unix").origin("", told, is_secure=False).remote == "203.0.113.7"
    assert proxies(named="10.0.0.0/8").origin("", told, is_secure=False).remote == ""
    assert proxies(named="unix").origin(PEER, told, is_secure=False).remote == PEER


def test_an_address_of_four_parts_is_one_on_every_socket() -> None:
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert plain_address("2001:db8::1") == "2001:db8::1"


class TestBucketsInTheHost:
    domains = ("s3.example.com",)

    def addressed(self, received: str, *told: str) -> tuple[str, list[str]]:
        headers, kept = as_addressed(
            [(b"accept", b"*/*"), (b"host", received.encode())],
            tuple(SignedHost(host=host.encode()) for host in told),
            self.domains,
        )
        (host,) = [value for name, value in headers if name == b"host"]
        return host.decode(), [each.host.decode() for each in kept]

    def test_a_host_that_names_the_bucket_replaces_one_that_names_none(self) -> None:
        assert self.addressed("internal:9000", "b.s3.example.com", "b.s3.example.com:81") == (
            "b.s3.example.com",
            ["b.s3.example.com", "b.s3.example.com:81"],
        )

    def test_no_host_of_another_bucket_is_tried(self) -> None:
        assert self.addressed("a.s3.example.com", "b.s3.example.com") == ("a.s3.example.com", [])
        assert self.addressed("internal", "s3.example.com", "b.s3.example.com") == (
            "internal",
            ["s3.example.com"],
        )
        assert self.addressed("internal", "b.s3.example.com", "internal.example") == (
            "b.s3.example.com",
            ["b.s3.example.com"],
        )


NAMES = st.sampled_from(
    [b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"forwarded"]
)
VALUES = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from(
            [
                b"10.0.0.1",
                b"for=",
                b'"',
                b",",
                b";",
                b"[",
                b"]",
                b":",
                b"::1",
                b"%",
                b"\\",
                b" ",
                b"host=",
                b"x",
            ]
        ),
        max_size=12,
    ).map(b"".join),
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.sampled_from(["x-forwarded", "forwarded"]))
def test_whatever_is_told_the_last_hop_stands(headers: list[tuple[bytes, bytes]], dialect: str) -> None:
    seen = (
        (b"x-forwarded-for", b"203.0.113.7")
        if dialect == "x-forwarded"
        else (b"forwarded", b"for=203.0.113.7")
    )
    found = proxies(dialect=dialect)
    found.origin(PEER, headers, is_secure=False)
    assert found.origin(PEER, [*headers, seen], is_secure=False).remote == "203.0.113.7"


@given(st.text(max_size=50))
def test_an_address_is_read_or_is_none(text: str) -> None:
    address = read_address(text)
    assert address is None or read_address(address) == address
