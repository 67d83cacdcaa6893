"""Power cuts: `kill -9` in the middle of mixed writes by 8 clients, 50 times on one data folder.

After each restart every acknowledged object is whole, and of the one write that a client had under way when
the power went, either all has happened or nothing.
"""

import asyncio
import hashlib
import http.client
import random
import sqlite3
import threading
import time
import xml.etree.ElementTree as ET
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from valetkey import Signer
from valetkey.store.store import Store
from valetkey.testing.server import RunningServer, free_port, start_server

CLIENTS = 8
ROUNDS = 50
KEYS_PER_CLIENT = 6
BUCKET = "power"
PART_BYTES = 5 * 1024 * 1024

Content = bytes | None
"""A digest of what a key holds; None where there is no object."""


def body_of(seed: str, size: int) -> bytes:
    """Return bytes that no other seed gives, so that a mixture of two writes would be seen."""
    block = hashlib.sha512(seed.encode()).digest()
    return (block * (size // len(block) + 1))[:size]


@dataclass
class Client:
    """One client with keys of its own, which remembers what it was told."""

    number: int
    signer: Signer
    random: random.Random
    known: dict[str, Content] = field(default_factory=dict)
    under_way: tuple[str, Content] | None = None
    writes: int = 0
    surprises: list[str] = field(default_factory=list)

    def run(self, server: RunningServer) -> None:
        """Write until the server is gone."""
        connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        try:
            while True:
                self._write_once(connection)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def _write_once(self, connection: http.client.HTTPConnection) -> None:
        self.writes += 1
        key = f"client-{self.number}/{self.random.randrange(KEYS_PER_CLIENT)}"
        seed = f"{self.number} {self.writes}"
        kind = self.random.choices(["small", "large", "delete", "copy", "multipart"], [40, 20, 15, 15, 10])[0]
        if kind == "copy":
            self._copy(connection, key)
        elif kind == "delete":
            self._settle(key, None, self._ask(connection, "DELETE", key))
        elif kind == "multipart":
            self._multipart(connection, key, seed)
        else:
            body = body_of(seed, 900 if kind == "small" else 300_000)
            self._expect(key, hashlib.sha256(body).digest())
            self._settle(key, hashlib.sha256(body).digest(), self._ask(connection, "PUT", key, body=body))

    def _expect(self, key: str, content: Content) -> None:
        self.under_way = (key, content)

    def _settle(self, key: str, content: Content, answer: tuple[int, bytes]) -> None:
        if answer[0] not in (200, 204):
            self.surprises.append(f"{key}: {answer}")
        self.known[key] = content
        self.under_way = None

    def _copy(self, connection: http.client.HTTPConnection, key: str) -> None:
        source = f"client-{self.number}/{self.random.randrange(KEYS_PER_CLIENT)}"
        content = self.known.get(source)
        if content is None or source == key:
            return
        self._expect(key, content)
        self._settle(
            key,
            content,
            self._ask(connection, "PUT", key, headers={"x-amz-copy-source": f"{BUCKET}/{source}"}),
        )

    def _multipart(self, connection: http.client.HTTPConnection, key: str, seed: str) -> None:
        _, created = self._ask(connection, "POST", key, query={"uploads": ""})
        upload_id = ET.fromstring(created).findtext("{*}UploadId") or ""
        parts = [body_of(seed + " 1", PART_BYTES), body_of(seed + " 2", 1000)]
        listed = []
        for number, part in enumerate(parts, 1):
            query = {"partNumber": str(number), "uploadId": upload_id}
            self._ask(connection, "PUT", key, query=query, body=part)
            listed.append(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{hashlib.md5(part).hexdigest()}</ETag></Part>"
            )
        content = hashlib.sha256(b"".join(parts)).digest()
        self._expect(key, content)
        document = f"<CompleteMultipartUpload>{''.join(listed)}</CompleteMultipartUpload>".encode()
        self._settle(
            key, content, self._ask(connection, "POST", key, query={"uploadId": upload_id}, body=document)
        )

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        key: str,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        if method == "DELETE":
            self._expect(key, None)
        signed = self.signer.presign(method, BUCKET, key, query=query or {}, headers=headers or {})
        parts = urlsplit(signed.url)
        connection.request(method, f"{parts.path}?{parts.query}", body=body, headers=dict(signed.headers))
        response = connection.getresponse()
        return response.status, response.read()

    def check(self, server: RunningServer) -> None:
        """Compare what the server holds with what this client was told, then take the server's word for it."""
        connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        with closing(connection):
            touched = set(self.known) | ({self.under_way[0]} if self.under_way else set())
            for key in touched:
                status, body = self._read(connection, key)
                found = hashlib.sha256(body).digest() if status == 200 else None
                allowed = {self.known.get(key)}
                if self.under_way and self.under_way[0] == key:
                    allowed.add(self.under_way[1])
                assert status in (200, 404), (status, body)
                assert found in allowed, f"{key} is neither as acknowledged nor as written last"
                self.known[key] = found
        self.under_way = None

    def _read(self, connection: http.client.HTTPConnection, key: str) -> tuple[int, bytes]:
        parts = urlsplit(self.signer.presign("GET", BUCKET, key).url)
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        return response.status, response.read()

    def objects(self) -> set[str]:
        return {key for key, content in self.known.items() if content is not None}


def listed_keys(server: RunningServer, signer: Signer) -> set[str]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    with closing(connection):
        parts = urlsplit(signer.presign("GET", BUCKET, query={"list-type": "2"}).url)
        connection.request("GET", f"{parts.path}?{parts.query}")
        document = ET.fromstring(connection.getresponse().read())
    return {element.text or "" for element in document.iterfind("{*}Contents/{*}Key")}


def create_bucket(server: RunningServer, signer: Signer) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    with closing(connection):
        parts = urlsplit(signer.presign("PUT", BUCKET).url)
        connection.request("PUT", f"{parts.path}?{parts.query}")
        assert connection.getresponse().status == 200


def leaked_files(data: Path) -> set[str]:
    """Return the blob files that no row names."""
    with closing(sqlite3.connect(data / "catalog.sqlite")) as catalog:
        named = {row[0] for row in catalog.execute("SELECT blob_id FROM segments")}
    return {path.name for path in (data / "blobs").rglob("*") if path.is_file()} - named


@pytest.mark.timeout(600)
def test_acknowledged_objects_outlive_fifty_power_cuts(tmp_path: Path) -> None:
    seed = random.Random(20261123)
    data, port = tmp_path / "data", free_port()
    server = start_server(data, workers=2, port=port, options=["--access-log", "off"])
    signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
    create_bucket(server, signer)
    clients = [Client(number, signer, random.Random(seed.random())) for number in range(CLIENTS)]
    for _ in range(ROUNDS):
        threads = [threading.Thread(target=client.run, args=(server,)) for client in clients]
        for thread in threads:
            thread.start()
        time.sleep(seed.uniform(0.05, 0.6))  # the instant of the power cut is the point
        server.kill()
        for thread in threads:
            thread.join()
        server = start_server(data, workers=2, port=port, options=["--access-log", "off"])
        for client in clients:
            client.check(server)
        assert listed_keys(server, signer) == set().union(*(client.objects() for client in clients))
    assert server.stop() == 0
    assert [surprise for client in clients for surprise in client.surprises] == []
    assert sum(client.writes for client in clients) > ROUNDS * CLIENTS

    asyncio.run(sweep_as_if_later(data))
    assert leaked_files(data) == set()


async def sweep_as_if_later(data: Path) -> None:
    store = Store.open(data)
    await store.sweep(now_s=time.time() + 7200)
    await store.close()
