"""The page that `valetkey presign POST --html` makes, opened from a file: what people see, and what cannot run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page
from tests.clients.boto import S3Client

from valetkey import Signer
from valetkey.cli.form_page import as_page
from valetkey.testing.server import RunningServer

pytestmark = [pytest.mark.needs_program("chromium"), pytest.mark.timeout(180)]

MARKUP: Final = "<img src=x onerror='document.title=1'>"
"""Would name the page anew, if it were taken for markup."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def signer(server: RunningServer) -> Signer:
    return Signer(server.access_key, server.secret_key, endpoint=server.endpoint)


Show = Callable[..., None]


@pytest.fixture
def show(page: Page, signer: Signer, plain_bucket: str, tmp_path: Path) -> Show:
    """Open the page for a form, and choose a file in it."""

    def show_form(key: str, *, content: bytes = b"content", name: str = "a.txt", **form: Any) -> None:
        (tmp_path / "form.html").write_text(as_page(signer.presign_post(plain_bucket, key, **form)), "utf-8")
        page.goto((tmp_path / "form.html").as_uri())
        chosen = {"name": name, "mimeType": "text/plain", "buffer": content}
        page.get_by_label("File").set_input_files(chosen)  # type: ignore[arg-type]

    return show_form


def send(page: Page) -> None:
    page.get_by_role("button", name="Upload").click()


def said(page: Page, role: str) -> str:
    found = page.locator(f"[role={role}]:not(:empty)")
    found.wait_for()
    return found.inner_text()


def test_a_file_is_uploaded(page: Page, show: Show, plain_s3: S3Client, plain_bucket: str) -> None:
    show("in/${filename}", name="März.txt", content_length_range=(0, 10_000_000))
    assert page.get_by_text("File (at most 10 MB)").is_visible()
    send(page)
    assert said(page, "status") == "Uploaded: März.txt"
    assert plain_s3.get_object(Bucket=plain_bucket, Key="in/März.txt")["Body"].read() == b"content"
    assert page.get_by_role("progressbar").is_hidden()


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(
    page: Page, show: Show, plain_s3: S3Client, plain_bucket: str
) -> None:
    show("k", content=bytes(2_000_000))
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    slow.send("Network.emulateNetworkConditions", speed)
    send(page)
    page.get_by_role("progressbar", name="Uploaded").wait_for()
    page.get_by_text(" of 2 MB").wait_for()
    page.get_by_role("button", name="Cancel").click()
    assert said(page, "alert") == "Cancelled. Nothing was kept."
    assert plain_s3.list_objects_v2(Bucket=plain_bucket)["KeyCount"] == 0


def test_a_file_that_is_too_large_says_so(page: Page, show: Show) -> None:
    show("k", content=bytes(3_000_000), content_length_range=(0, 2_500_000))
    send(page)
    assert said(page, "alert") == (
        "The file is too large: at most 2.5 MB may be uploaded here. (EntityTooLarge)"
    )
    assert page.get_by_role("button", name="Upload").is_enabled()


def test_a_form_that_has_ended_says_so(page: Page, show: Show) -> None:
    show("k", expires=1, at=datetime.now(UTC) - timedelta(minutes=1))
    send(page)
    assert said(page, "alert") == "This form has ended: ask for another one. (AccessDenied)"


def test_a_redirect_is_followed(
    page: Page, show: Show, server: RunningServer, plain_s3: S3Client, plain_bucket: str
) -> None:
    place = f"{server.endpoint}/-/health"
    show("in/${filename}", fields={"success_action_redirect": f"{place}?done"}, name="März.txt")
    send(page)
    page.wait_for_url(f"{place}**")
    kept = plain_s3.get_object(Bucket=plain_bucket, Key="in/März.txt")
    assert kept["Body"].read() == b"content"
    etag = kept["ETag"].replace('"', "%22")
    assert page.url == f"{place}?done&bucket={plain_bucket}&key=in%2FM%C3%A4rz.txt&etag={etag}"


def test_where_pages_may_not_ask_the_browser_sends_the_form(
    page: Page, show: Show, plain_s3: S3Client, plain_bucket: str
) -> None:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://elsewhere.example"]}
    plain_s3.put_bucket_cors(Bucket=plain_bucket, CORSConfiguration={"CORSRules": [rule]})
    show("k", fields={"success_action_status": "201"})
    with page.expect_navigation():
        send(page)
    assert "<Key>k</Key>" in page.content()
    assert plain_s3.get_object(Bucket=plain_bucket, Key="k")["Body"].read() == b"content"


def test_nothing_that_a_form_holds_is_run(
    page: Page, show: Show, plain_s3: S3Client, plain_bucket: str
) -> None:
    # Names of fields are also names of properties of the form, in which a script could be led astray.
    names = ("submit", "action", "querySelector", "addEventListener", "dataset", "elements")
    fields = {f"x-ignore-{MARKUP}": MARKUP, "x-amz-meta-a": f'"></script>{MARKUP}'}
    show(
        f"in/</script>{MARKUP}/${{filename}}", name=f"{MARKUP}.txt", fields=fields | dict.fromkeys(names, "1")
    )
    send(page)
    assert said(page, "status") == f"Uploaded: {MARKUP}.txt"
    assert (page.title(), page.locator("img").count()) == ("Upload a file", 0)
    (key,) = (each["Key"] for each in plain_s3.list_objects_v2(Bucket=plain_bucket)["Contents"])
    assert key == f"in/</script>{MARKUP}/{MARKUP}.txt"


def test_nothing_that_the_store_says_is_run(page: Page, show: Show) -> None:
    show("k", conditions=[["eq", "$x-amz-meta-a", MARKUP]], fields={"x-amz-meta-a": "other"})
    send(page)
    assert said(page, "alert") == (
        f'Invalid according to Policy: Policy Condition failed: ["eq", "$x-amz-meta-a", "{MARKUP}"] (AccessDenied)'
    )
    assert (page.title(), page.locator("img").count()) == ("Upload a file", 0)
