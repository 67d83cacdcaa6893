"""A server, a key and a bucket at hand, to send hand-made requests to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.raw.signing import UNSIGNED, Changes, Key, Query, canonical_query, key_of, path_of
from tests.raw.wire import Headers, Reply, exchange

from valetkey.testing.server import RunningServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Shortcuts for the requests that nearly every test makes."""

    server: RunningServer
    key: Key
    bucket: str

    def path(self, name: str) -> str:
        """Return the encoded path of an object."""
        return path_of(self.bucket, name)

    def send(
        self,
        method: str,
        target: str | bytes,
        *,
        headers: Headers = (),
        body: bytes = b"",
        has_length: bool = True,
    ) -> Reply:
        """Send a request as it is."""
        return exchange(self.server.port, method, target, headers=headers, body=body, has_length=has_length)

    def presigned(
        self,
        method: str,
        name: str,
        *,
        query: Query = (),
        headers: Mapping[str, str] | None = None,
        unsigned: Mapping[str, str] | None = None,
        body: bytes = b"",
        expires: str = "900",
        changes: Changes | None = None,
        payload: str = UNSIGNED,
    ) -> Reply:
        """Presign a request, send it with its signed `headers` and further `unsigned` ones."""
        target = self.key.presign(
            method,
            self.path(name),
            query=query,
            headers=headers,
            expires=expires,
            changes=changes,
            payload=payload,
        )
        return self.send(method, target, headers={**(headers or {}), **(unsigned or {})}, body=body)

    def signed(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        headers: Mapping[str, str] | None = None,
        payload: str = UNSIGNED,
        body: bytes = b"",
        has_length: bool = True,
    ) -> Reply:
        """Sign a request in its `Authorization` header and send it."""
        signed = self.key.authorize(method, path, query=query, headers=headers, payload=payload)
        target = f"{path}?{canonical_query(query)}" if query else path
        return self.send(method, target, headers=signed.headers, body=body, has_length=has_length)

    def put(self, name: str, content: bytes, *, headers: Mapping[str, str] | None = None) -> None:
        """Keep an object."""
        reply = self.presigned("PUT", name, headers=headers, body=content)
        assert reply.status == 200, reply.body

    def content(self, name: str) -> bytes | None:
        """Return what an object holds, or None where there is none."""
        reply = self.presigned("GET", name)
        if reply.status == 404:
            assert reply.fault.code == "NoSuchKey"
            return None
        assert reply.status == 200, reply.body
        return reply.body


def open_door(server: RunningServer, bucket: str) -> Door:
    """Return a door to a bucket, which is created if absent."""
    door = Door(server=server, key=key_of(server), bucket=bucket)
    place = (
        f"<LocationConstraint>{server.region}</LocationConstraint>" if server.region != "us-east-1" else ""
    )
    body = f"<CreateBucketConfiguration>{place}</CreateBucketConfiguration>".encode() if place else b""
    reply = exchange(server.port, "PUT", door.key.presign("PUT", f"/{bucket}"), body=body)
    assert reply.status in (200, 409), reply.body
    return door
