"""A browser with presigned URLs: pages, downloads, uploads by `fetch`, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.clients.admin import ask_admin
from tests.clients.admin_links import new_link
from tests.clients.boto import S3Client, open_client
from tests.raw.signing import key_of, now, path_of
from tests.raw.wire import fetch

from valetkey.cli.demo import SAMPLE_PAGE
from valetkey.testing.server import RunningServer

pytestmark = [pytest.mark.needs_program("chromium"), pytest.mark.timeout(180)]

UPLOAD_PAGE = """<!DOCTYPE html>
<title>Upload</title>
<input type="file" id="file"><output id="said"></output>
<script>
  document.querySelector('#file').onchange = async (event) => {
    const file = event.target.files[0]
    const answer = await fetch(decodeURIComponent(location.hash.slice(1)), { method: 'PUT', body: file })
    document.querySelector('#said').textContent = `${answer.status} ${answer.headers.get('ETag')}`
  }
</script>
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(accept_downloads=True)
    yield context.new_page()
    context.close()


def presign(s3: S3Client, operation: str, bucket: str, key: str, **params: str) -> str:
    url: str = s3.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": key, **params})
    return url


def put_page(s3: S3Client, bucket: str, key: str, html: str) -> str:
    """Keep a page and return its link."""
    s3.put_object(Bucket=bucket, Key=key, Body=html.encode(), ContentType="text/html; charset=utf-8")
    return presign(s3, "get_object", bucket, key)


@pytest.fixture(scope="module")
def script_s3(strict_server: RunningServer) -> Iterator[S3Client]:
    """A client of the server whose links run scripts, as Amazon's do."""
    client = open_client(strict_server, "s3v4")
    client.create_bucket(Bucket="pages")
    yield client
    client.close()


def test_a_link_opens_a_page(page: Page, plain_s3: S3Client, plain_bucket: str) -> None:
    link = put_page(plain_s3, plain_bucket, "Ordner/Grüße +.html", "<title>Grüße</title><p id=p>Guten Tag")
    answer = page.goto(link)
    assert answer is not None
    assert answer.status == 200
    assert page.title() == "Grüße"
    assert page.text_content("#p") == "Guten Tag"


def test_a_download_has_the_name_that_the_issuer_gave_it(
    page: Page, plain_s3: S3Client, plain_bucket: str, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 10_000
    plain_s3.put_object(Bucket=plain_bucket, Key="k", Body=content, ContentType="application/pdf")
    named = "attachment; filename*=UTF-8''Bericht%20%E2%80%93%20M%C3%A4rz.pdf"
    link = presign(plain_s3, "get_object", plain_bucket, "k", ResponseContentDisposition=named)
    page.set_content("<a>Download</a>")
    page.eval_on_selector("a", "(a, link) => { a.href = link }", link)
    with page.expect_download() as started:
        page.click("a")
    assert started.value.suggested_filename == "Bericht – März.pdf"
    started.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == content


def test_a_page_shows_and_runs_nothing(page: Page, plain_s3: S3Client, plain_bucket: str) -> None:
    html = """<!doctype html><title>As stored</title><style>p { color: rgb(1, 2, 3) }</style><p id=p>Text
        <script>document.title = 'ran'</script><img src=x onerror="document.title = 'ran'">
        <svg onload="document.title = 'ran'"></svg><iframe srcdoc="<script>top.document.title = 'ran'</script>"></iframe>"""
    asked: list[str] = []
    page.on("response", lambda response: asked.append(response.url))
    link = put_page(plain_s3, plain_bucket, "active.html", html)
    page.goto(link)
    assert page.title() == "As stored"
    assert page.evaluate("getComputedStyle(document.querySelector('#p')).color") == "rgb(1, 2, 3)"
    assert page.evaluate("self.origin") == "null"
    assert [url for url in asked if not url.startswith(("about:", "data:"))] == [link]


def test_the_page_of_the_demo_looks_as_it_should(page: Page, plain_s3: S3Client, plain_bucket: str) -> None:
    page.goto(put_page(plain_s3, plain_bucket, "hello.html", SAMPLE_PAGE))
    assert page.title() == "Hello from Valetkey"
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "576px"


def test_a_file_is_uploaded_by_a_page(
    page: Page, script_s3: S3Client, plain_s3: S3Client, plain_bucket: str, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 20_000
    (tmp_path / "photo.png").write_bytes(content)
    link = put_page(script_s3, "pages", "upload.html", UPLOAD_PAGE)
    target = presign(plain_s3, "put_object", plain_bucket, "uploads/photo ü.png")
    page.goto(link)
    page.evaluate("target => { location.hash = encodeURIComponent(target) }", target)
    page.set_input_files("#file", tmp_path / "photo.png")
    page.wait_for_function("document.querySelector('#said').textContent !== ''")
    kept = plain_s3.get_object(Bucket=plain_bucket, Key="uploads/photo ü.png")
    assert page.text_content("#said") == f"200 {kept['ETag']}"
    assert kept["Body"].read() == content
    assert kept["ContentType"] == "image/png"


@pytest.mark.parametrize("password", [None, "right"])
def test_a_page_uploads_by_a_short_address(
    page: Page, script_s3: S3Client, server: RunningServer, plain_bucket: str, password: str | None
) -> None:
    link = new_link(server, plain_bucket, ["PUT", "GET"], key="up.txt", password=password)
    address = ask_admin(server, "POST", f"links/{link.id}/addresses", {})[1]["url"]
    page.goto(put_page(script_s3, "pages", "page.html", "<title>Page</title>"))
    ask = """async ([address, method, password]) => {
      const headers = password === null ? {} : { 'X-Valetkey-Password': password }
      const body = method === 'PUT' ? new Blob(['from a page']) : undefined
      const answer = await fetch(address, { method, headers, body })
      return [answer.status, await answer.text()]
    }"""
    assert page.evaluate(ask, [address, "PUT", password]) == [200, ""]
    assert page.evaluate(ask, [address, "GET", password]) == [200, "from a page"]
    status, refused = page.evaluate(ask, [address + "x", "PUT", password])
    assert (status, "<Code>NoSuchLink</Code>" in refused) == (404, True)
    if password is not None:
        status, refused = page.evaluate(ask, [address, "PUT", "wrong"])
        assert (status, "<Code>LinkPasswordRequired</Code>" in refused) == (403, True)


def test_fetch_reads_a_range_and_the_headers(
    page: Page, script_s3: S3Client, plain_s3: S3Client, plain_bucket: str
) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="k", Body=b"0123456789")
    page.goto(put_page(script_s3, "pages", "page.html", "<title>Page</title>"))
    found = page.evaluate(
        """async link => {
          const part = await fetch(link, { headers: { Range: 'bytes=2-4' } })
          return [part.status, await part.text(), part.headers.get('Content-Range')]
        }""",
        presign(plain_s3, "get_object", plain_bucket, "k"),
    )
    assert found == [206, "234", "bytes 2-4/10"]


def test_an_upload_to_an_altered_link_is_refused(
    page: Page, script_s3: S3Client, plain_s3: S3Client, plain_bucket: str
) -> None:
    page.goto(put_page(script_s3, "pages", "page.html", "<title>Page</title>"))
    target = presign(plain_s3, "put_object", plain_bucket, "mine").replace("/mine?", "/yours?")
    status, body = page.evaluate(
        """async target => {
          const answer = await fetch(target, { method: 'PUT', body: 'content' })
          return [answer.status, await answer.text()]
        }""",
        target,
    )
    assert status == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in body
    assert "Contents" not in plain_s3.list_objects_v2(Bucket=plain_bucket)


def test_a_link_that_has_ended_shows_why(
    page: Page, server: RunningServer, plain_s3: S3Client, plain_bucket: str
) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="k", Body=b"content")
    path = path_of(plain_bucket, "k")
    target = key_of(server).presign("GET", path, at=now() - timedelta(hours=2), expires="3600")
    answer = page.goto(f"{server.endpoint}{target}")
    assert answer is not None
    assert (answer.status, answer.headers["content-type"]) == (403, "application/xml")
    shown = page.text_content("body") or ""
    assert "AccessDenied" in shown
    assert "Request has expired" in shown


def test_a_link_with_the_bucket_in_its_host_opens(
    page: Page, virtual_server: RunningServer, new_name: Callable[[str], str]
) -> None:
    bucket = new_name("browser-virtual")
    root = key_of(virtual_server, host=f"{bucket}.localhost:{virtual_server.port}")
    origin = f"http://{root.host}"
    assert fetch(origin + root.presign("PUT", "/"), "PUT").status == 200
    kept = {"Content-Type": "text/html"}
    put = fetch(
        origin + root.presign("PUT", "/index.html"), "PUT", headers=kept, body=b"<title>Virtual</title>"
    )
    assert put.status == 200
    page.goto(origin + root.presign("GET", "/index.html"))
    assert page.title() == "Virtual"
