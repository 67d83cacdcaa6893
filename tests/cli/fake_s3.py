"""A server that takes uploads, keeps them in memory, and fails exactly when it is told to.

What a real server answers is tested with the real one; this one loses connections and answers 503 on demand.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

BLOCK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    size: int
    sha256: str

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What happens instead, once."""

    when: Callable[[Seen], bool]
    status: int = 503
    """0 closes the connection without a word."""
    code: str = "SlowDown"
    body: bytes | None = None
    does_it: bool = False
    """Whether the server does what it was asked to before it fails to say so."""


@dataclass(slots=True, kw_only=True)
class FakeS3:
    """What the server was told and has seen."""

    endpoint: str = ""
    buckets: set[str] = field(default_factory=set)
    objects: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """By path: size, SHA-256 (of part hashes, for a multipart upload) and content type."""
    uploads: dict[str, dict[int, Seen]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def requests(self, method: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == method]

    def answer(self, seen: Seen) -> tuple[int, bytes, Mapping[str, str]]:
        if seen.path == "/-/health":
            # What a server says that is no Valetkey: no bucket has such a name.
            return 400, fault("InvalidBucketName"), {}
        self.seen.append(seen)
        failure = next((failure for failure in self.failures if failure.when(seen)), None)
        if failure is None:
            return self.carry_out(seen)
        self.failures.remove(failure)
        if failure.does_it:
            self.carry_out(seen)
        body = failure.body if failure.body is not None else fault(failure.code)
        return failure.status, body, {}

    def carry_out(self, seen: Seen) -> tuple[int, bytes, Mapping[str, str]]:
        if seen.headers.get("x-amz-content-sha256", seen.sha256) != seen.sha256:
            return 400, fault("XAmzContentSHA256Mismatch"), {}
        if seen.path.count("/") == 1:
            return self.bucket(seen)
        if seen.method == "POST" and "uploads" in seen.query:
            self.uploads["upload+1"] = {}
            return 200, b"<R xmlns='http://s3'><UploadId>upload+1</UploadId></R>", {}
        if "uploadId" in seen.query:
            return self.upload(seen)
        if seen.method == "PUT":
            self.objects[seen.path] = (seen.size, seen.sha256, seen.headers.get("content-type", ""))
            return 200, b"", {"etag": '"whole"'}
        if seen.method == "DELETE":
            del self.objects[seen.path]
            return 204, b"", {}
        size, _, content_type = self.objects[seen.path]
        body = b"x" * size if seen.method == "GET" else b""
        return 200, body, {"content-length": str(size), "content-type": content_type, "etag": '"x-5"'}

    def bucket(self, seen: Seen) -> tuple[int, bytes, Mapping[str, str]]:
        if seen.method == "PUT":
            self.buckets.add(seen.path)
        return (200 if seen.path in self.buckets else 404), b"", {}

    def upload(self, seen: Seen) -> tuple[int, bytes, Mapping[str, str]]:
        upload_id = seen.query["uploadId"]
        if upload_id not in self.uploads:
            return 404, fault("NoSuchUpload"), {}
        if seen.method == "PUT":
            number = int(seen.query["partNumber"])
            self.uploads[upload_id][number] = seen
            return 200, b"", {"etag": f'"part{number}"'}
        parts = self.uploads.pop(upload_id)
        if seen.method == "DELETE":
            return 204, b"", {}
        digest = hashlib.sha256("".join(parts[number].sha256 for number in sorted(parts)).encode())
        self.objects[seen.path] = (sum(part.size for part in parts.values()), digest.hexdigest(), "")
        return 200, b"<CompleteMultipartUploadResult/>", {}


def fault(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>because</Message></Error>".encode()


@contextmanager
def serving() -> Iterator[FakeS3]:
    """Run a fake for the length of a `with` block."""
    fake = FakeS3()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            digest, left = hashlib.sha256(), int(self.headers.get("content-length", "0"))
            size = left
            while left:
                block = self.rfile.read(min(left, BLOCK_BYTES))
                if not block:
                    return
                digest.update(block)
                left -= len(block)
            query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(
                method=self.command,
                target=self.path,
                query=query,
                headers=headers,
                size=size,
                sha256=digest.hexdigest(),
            )
            status, body, more = fake.answer(seen)
            if status == 0:
                return
            self.send_response(status)
            for name, value in ({"content-length": str(len(body))} | dict(more)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 - names that the library looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
            """Say nothing: standard error belongs to the test."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
