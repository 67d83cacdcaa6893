"""Webhooks go to allowed hosts and public addresses, and nowhere else."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from valetkey.links.webhooks.address import (
    AllowedHost,
    HookRefusedError,
    HookTarget,
    require_public,
    require_target,
    resolve,
)

ALLOWED = [
    AllowedHost.parse(text) for text in ("hooks.example.com", "other.example:8443", "http://plain.example")
]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example.com/a?b=c", HookTarget("https", "hooks.example.com", 443, "/a?b=c")),
        ("https://HOOKS.example.com:443", HookTarget("https", "hooks.example.com", 443, "/")),
        ("https://other.example:8443/x", HookTarget("https", "other.example", 8443, "/x")),
        ("http://plain.example/x", HookTarget("http", "plain.example", 80, "/x")),
    ],
)
def test_a_url_on_an_allowed_host_is_taken(url: str, expected: HookTarget) -> None:
    assert require_target(url, ALLOWED) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://hooks.example.com:8443/",
        "https://other.example/",
        "https://plain.example/",
        "https://sub.hooks.example.com/",
        "https://hooks.example.com.evil.example/",
        "https://user@hooks.example.com/",
        "https://hooks.example.com@evil.example/",
        "https://evil.example\\@hooks.example.com/",
        "https://hooks.example.com/ x",
        "https://hooks.example.com/\r\nHost: evil",
        "https://hooks.example.com/#x",
        "ftp://hooks.example.com/",
        "//hooks.example.com/",
        "https://hooks.example.com:99999/",
        "https://[::1",
        "https://hooks.example.com/ü",
        "https://hooks.example.com/" + "x" * 2048,
        "",
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(HookRefusedError):
        require_target(url, ALLOWED)
    with pytest.raises(HookRefusedError):
        require_target(url, [])


@pytest.mark.parametrize(
    "text", ["", "https://host/path", "ftp://host", "https://user@host", "http://host?x=y"]
)
def test_an_entry_of_the_setting_is_a_host(text: str) -> None:
    with pytest.raises(ValueError, match="expected a host"):
        AllowedHost.parse(text)


@pytest.mark.parametrize(
    "text", ["hooks.example.com", "hooks.example.com:8443", "http://hooks.example.com", "http://[::1]:8000"]
)
def test_an_entry_is_written_as_it_was_read(text: str) -> None:
    assert str(AllowedHost.parse(text)) == text


SPECIAL = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1",
    "3fff::1", "5f00::1",
]  # fmt: skip


@pytest.mark.parametrize("text", SPECIAL)
def test_special_addresses_are_refused(text: str) -> None:
    with pytest.raises(HookRefusedError):
        require_public(text, networks=())


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"]
)
def test_public_addresses_are_taken(text: str) -> None:
    require_public(text, networks=())


def test_a_network_that_is_allowed_is_taken_and_no_other() -> None:
    networks = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    require_public("10.1.2.3", networks=networks)
    require_public("fd00::1", networks=networks)
    for text in ("10.2.0.1", "127.0.0.1", "::1", "::ffff:10.1.2.3"):
        with pytest.raises(HookRefusedError):
            require_public(text, networks=networks)


def test_one_special_address_among_public_ones_refuses_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    target = HookTarget("https", "hooks.example.com", 443, "/")
    with pytest.raises(HookRefusedError):
        resolve(target, networks=())
    assert resolve(target, networks=(ip_network("127.0.0.0/8"),)) == ["8.8.8.8", "127.0.0.1"]
