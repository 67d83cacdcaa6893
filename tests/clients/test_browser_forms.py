"""Pages of another origin: forms with progress, presigned uploads by `fetch`, and refusals that they can read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page
from tests.clients.boto import S3Client

from valetkey import PresignedPost, Signer
from valetkey.testing.server import RunningServer

pytestmark = [pytest.mark.needs_program("chromium"), pytest.mark.timeout(180)]

MIB: Final = 1024 * 1024

SEND_FORM: Final = """([url, fields, size]) => new Promise(resolve => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', new File([new Uint8Array(size)], 'zeros ü.bin'))
  const request = new XMLHttpRequest()
  let steps = 0
  request.upload.onprogress = () => { steps += 1 }
  const tell = () => resolve({
    status: request.status, body: request.responseText, etag: request.getResponseHeader('ETag'), steps
  })
  request.onload = tell
  request.onerror = tell
  request.open('POST', url)
  request.send(form)
})"""

PUT: Final = """async ([url, headers, size]) => {
  try {
    const answer = await fetch(url, { method: 'PUT', headers, body: new Blob([new Uint8Array(size)]) })
    return {
      status: answer.status, body: await answer.text(), etag: answer.headers.get('ETag'),
      id: answer.headers.get('x-amz-request-id')
    }
  } catch (error) {
    return { failed: error.name }
  }
}"""


class Quiet(SimpleHTTPRequestHandler):
    """A web server of files that says nothing of its work."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        return


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of somebody else's pages."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<!DOCTYPE html><title>Elsewhere</title>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"http://localhost:{web.server_port}"
        web.shutdown()
        thread.join()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A page of another origin than the store's."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(site)
    yield opened
    context.close()


@pytest.fixture(scope="module")
def signer(server: RunningServer) -> Signer:
    return Signer(server.access_key, server.secret_key, endpoint=server.endpoint)


def send_form(page: Page, post: PresignedPost, size: int) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(SEND_FORM, [post.url, dict(post.fields), size])
    return found


def put(page: Page, url: str, size: int, **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(PUT, [url, headers, size])
    return found


def test_a_form_is_sent_with_progress(
    page: Page, signer: Signer, plain_s3: S3Client, plain_bucket: str
) -> None:
    post = signer.presign_post(
        plain_bucket,
        "in/${filename}",
        fields={"success_action_status": "201", "Content-Type": "application/x-zeros"},
        content_length_range=(1, 10 * MIB),
    )
    told = send_form(page, post, 8 * MIB)
    assert told["status"] == 201, told
    assert "<Key>in/zeros ü.bin</Key>" in told["body"]
    assert told["steps"] >= 1
    kept = plain_s3.head_object(Bucket=plain_bucket, Key="in/zeros ü.bin")
    assert (kept["ContentLength"], kept["ContentType"]) == (8 * MIB, "application/x-zeros")
    assert told["etag"] == kept["ETag"]


@pytest.mark.parametrize("size", [10, 8 * MIB], ids=["small", "large"])
def test_a_form_that_has_ended_says_so(page: Page, signer: Signer, plain_bucket: str, size: int) -> None:
    post = signer.presign_post(plain_bucket, "k", expires=1, at=datetime.now(UTC) - timedelta(minutes=1))
    told = send_form(page, post, size)
    assert told["status"] == 403
    assert "Invalid according to Policy: Policy expired." in told["body"]


def test_a_file_that_is_too_large_is_told_so(page: Page, signer: Signer, plain_bucket: str) -> None:
    post = signer.presign_post(plain_bucket, "k", content_length_range=(0, 1000))
    told = send_form(page, post, 8 * MIB)
    assert told["status"] == 400
    assert "<Code>EntityTooLarge</Code>" in told["body"]
    assert "<MaxSizeAllowed>1000</MaxSizeAllowed>" in told["body"]


def test_a_page_puts_to_a_presigned_url(
    page: Page, signer: Signer, plain_s3: S3Client, plain_bucket: str
) -> None:
    url = signer.presign("PUT", plain_bucket, "k", headers={"x-amz-meta-a": "1"}).url
    told = put(page, url, 2 * MIB, **{"x-amz-meta-a": "1", "Content-Type": "image/png"})
    assert told["status"] == 200, told
    kept = plain_s3.head_object(Bucket=plain_bucket, Key="k")
    assert (kept["ContentType"], kept["Metadata"]) == ("image/png", {"a": "1"})
    assert told["etag"] == kept["ETag"]
    assert told["id"]


@pytest.mark.parametrize("size", [10, 8 * MIB], ids=["small", "large"])
def test_a_refused_put_can_be_read(page: Page, signer: Signer, plain_bucket: str, size: int) -> None:
    url = signer.presign("PUT", plain_bucket, "mine").url.replace("/mine?", "/yours?")
    told = put(page, url, size)
    assert told["status"] == 403, told
    assert "<Code>SignatureDoesNotMatch</Code>" in told["body"]


def test_the_rules_of_a_bucket_keep_other_pages_out(
    page: Page, signer: Signer, site: str, plain_s3: S3Client, plain_bucket: str
) -> None:
    def allow(origin: str) -> None:
        rule = {"AllowedMethods": ["PUT"], "AllowedOrigins": [origin], "ExposeHeaders": ["ETag"]}
        plain_s3.put_bucket_cors(Bucket=plain_bucket, CORSConfiguration={"CORSRules": [rule]})

    url = signer.presign("PUT", plain_bucket, "k").url
    allow("https://elsewhere.example")
    assert put(page, url, 10) == {"failed": "TypeError"}
    allow(site)
    told = put(page, url, 10)
    assert told["status"] == 200
    assert told["etag"]
    assert told["id"] is None
