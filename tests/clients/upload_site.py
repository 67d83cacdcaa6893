"""A web application of somebody else's: a page with Uppy in it, and the back end that signs what Uppy asks for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.clients.boto import S3Client

from valetkey import Signer

PAGE: Final = b"""<!DOCTYPE html>
<meta charset="utf-8">
<title>Uploads</title>
<script type="module" src="/uppy.js"></script>
"""

_QUERIES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "put_object": ("PUT", {}),
    "create_multipart_upload": ("POST", {"uploads": ""}),
    "upload_part": ("PUT", {"partNumber": "", "uploadId": ""}),
    "list_parts": ("GET", {"uploadId": ""}),
    "complete_multipart_upload": ("POST", {"uploadId": ""}),
    "abort_multipart_upload": ("DELETE", {"uploadId": ""}),
}
"""How each operation is presigned by hand. Empty values are those that the request gives."""

_OPERATIONS: Final = {
    ("PUT", False): "put_object",
    ("POST", False): "create_multipart_upload",
    ("PUT", True): "upload_part",
    ("GET", True): "list_parts",
    ("POST", True): "complete_multipart_upload",
    ("DELETE", True): "abort_multipart_upload",
}
"""What a request of Uppy's is, by its method and by whether it names an upload."""


@dataclass(kw_only=True)
class Application:
    """What one application lets its pages upload. It keeps a list of what it has signed."""

    s3: S3Client
    signer: Signer
    bucket: str
    with_boto3: bool = False
    """Presign by boto3, and not by `valetkey.Signer`."""
    with_forms: bool = False
    most_bytes: int | None = None
    """How large a file a form may bring."""
    ended: int = 0
    """How many of the next URLs for data have ended already when the page gets them."""
    credentials: Mapping[str, str] | None = None
    """STS's answer, with which the page signs by itself."""
    signed: list[str] = field(default_factory=list)

    def answer(self, wish: str, asked: Mapping[str, Any]) -> Any:
        """Return what the page gets for `wish`, one of the paths below `/sign/`."""
        named = {"Bucket": self.bucket, "Key": asked["key"]}
        if wish != "request" and "uploadId" in asked:
            named["UploadId"] = asked["uploadId"]
        match wish:
            case "request":
                return self._sign_request(asked)
            case "upload":
                return {"method": "PUT"} | self._upload(asked["key"], asked["type"])
            case "part":
                return {"url": self._url("upload_part", asked)}
            case "creation":
                made = self.s3.create_multipart_upload(**named, ContentType=asked["type"])
                return {"uploadId": made["UploadId"], "key": made["Key"]}
            case "parts":
                self.signed.append("list_parts")
                return self.s3.list_parts(**named).get("Parts", [])
            case "completion":
                done = self.s3.complete_multipart_upload(**named, MultipartUpload={"Parts": asked["parts"]})
                return {"location": done["Location"]}
            case "credentials" if self.credentials is not None:
                found = {name[0].lower() + name[1:]: value for name, value in self.credentials.items()}
                return {"credentials": found, "region": self.signer.region}
            case "abortion":
                self.s3.abort_multipart_upload(**named)
                return {}
        raise ValueError(wish)

    def _sign_request(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        operation = _OPERATIONS[asked["method"], "uploadId" in asked]
        if operation == "put_object":
            return self._upload(asked["key"], asked["contentType"])
        return {"url": self._url(operation, asked)}

    def _upload(self, key: str, content_type: str) -> dict[str, Any]:
        if not self.with_forms:
            headers = {"Content-Type": content_type}
            return {"url": self._url("put_object", {"key": key}), "headers": headers}
        self.signed.append("post_object")
        fields = {"Content-Type": content_type, "success_action_status": "201"}
        if self.with_boto3:
            conditions: list[Any] = [{name: value} for name, value in fields.items()]
            if self.most_bytes is not None:
                conditions.append(["content-length-range", 0, self.most_bytes])
            made = self.s3.generate_presigned_post(self.bucket, key, fields, conditions, 600)
            return {"method": "POST", "url": made["url"], "fields": made["fields"]}
        size = None if self.most_bytes is None else (0, self.most_bytes)
        post = self.signer.presign_post(
            self.bucket, key, fields=fields, content_length_range=size, **self._lifetime("put_object")
        )
        return {"method": "POST", "url": post.url, "fields": dict(post.fields)}

    def _url(self, operation: str, asked: Mapping[str, Any]) -> str:
        self.signed.append(operation)
        method, query = _QUERIES[operation]
        given = {name: value or str(asked.get(name, "")) for name, value in query.items()}
        lifetime = self._lifetime(operation)
        if not self.with_boto3:
            return self.signer.presign(method, self.bucket, asked["key"], query=given, **lifetime).url
        params = {"Bucket": self.bucket, "Key": asked["key"]}
        if "uploadId" in given:
            params["UploadId"] = given["uploadId"]
        if "partNumber" in given:
            params["PartNumber"] = asked["partNumber"]
        url: str = self.s3.generate_presigned_url(operation, Params=params, ExpiresIn=600)
        return url

    def _lifetime(self, operation: str) -> dict[str, Any]:
        if self.ended == 0 or operation not in ("put_object", "upload_part"):
            return {"expires": 600}
        self.ended -= 1
        return {"expires": 60, "at": datetime.now(UTC) - timedelta(hours=1)}


class _Handler(BaseHTTPRequestHandler):
    """Serves the page and its script, and asks the application that is there at the moment."""

    server: UploadSite

    def do_GET(self) -> None:
        if self.path == "/uppy.js":
            self._send("text/javascript", self.server.script)
        else:
            self._send("text/html", PAGE)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.server.application is not None
        answer = self.server.application.answer(self.path.removeprefix("/sign/"), asked)
        self._send("application/json", json.dumps(answer, default=str).encode())

    def _send(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        return


class UploadSite(ThreadingHTTPServer):
    """The server of the page and of its back end."""

    application: Application | None = None

    def __init__(self, script: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script

    @property
    def origin(self) -> str:
        """Another origin than any server's of ours, and one that a browser trusts."""
        return f"http://localhost:{self.server_port}"


@contextmanager
def upload_site(script: bytes) -> Iterator[UploadSite]:
    """Serve a page with `script` in it for the length of a `with` block."""
    with UploadSite(script) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()
