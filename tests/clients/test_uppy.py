"""Uppy in Chromium, on a page of another origin: PUT, form and parts, each presigned; and how they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page
from tests.clients.boto import S3Client
from tests.clients.identities import EVERYTHING_IN_S3, allow, new_user, policy, root_of
from tests.clients.upload_site import Application, UploadSite, upload_site

from valetkey import Signer
from valetkey.testing.server import RunningServer

pytestmark = [pytest.mark.needs_program("chromium", "node", "npm"), pytest.mark.timeout(180)]

SCRIPTS: Final = Path(__file__).parent / "js"
MIB: Final = 1024 * 1024
SEVERAL_PARTS: Final = 11 * MIB + 123
KEY: Final = "in/Grüße +1.png"


@pytest.fixture(scope="module", params=["uppy.mjs", "uppy5/uppy.mjs"], ids=["uppy6", "uppy5"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UploadSite]:
    """A page with each of the Uppys that pages have, bundled as applications bundle it."""
    assert (SCRIPTS / "node_modules").is_dir(), "`make test` installs Uppy."
    bundle = tmp_path_factory.mktemp("uppy") / "uppy.js"
    command = [
        "node",
        SCRIPTS / "node_modules/esbuild/bin/esbuild",
        request.param,
        "--bundle",
        "--format=esm",
    ]
    subprocess.run([*command, f"--outfile={bundle}", "--log-level=error"], cwd=SCRIPTS, check=True)
    with upload_site(bundle.read_bytes()) as running:
        yield running


@pytest.fixture
def is_new(site: UploadSite) -> bool:
    """True: the Uppy that sends all requests from the page; else only data comes from there."""
    return b"signRequest" in site.script


@pytest.fixture
def page(browser: Browser, site: UploadSite) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(site.origin)
    yield opened
    context.close()


@pytest.fixture
def application(
    site: UploadSite, server: RunningServer, plain_s3: S3Client, plain_bucket: str
) -> Application:
    signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
    site.application = Application(s3=plain_s3, signer=signer, bucket=plain_bucket)
    return site.application


def upload(page: Page, size: int, **task: Any) -> dict[str, Any]:
    task = {"key": KEY, "size": size, "multipart": False} | task
    found: dict[str, Any] = page.evaluate("task => upload(task)", task)
    return found


def require_kept(application: Application, size: int) -> None:
    """Return if the store has what the page made."""
    kept = application.s3.get_object(Bucket=application.bucket, Key=KEY)
    assert kept["ContentType"] == "image/png"
    assert kept["Body"].read() == (bytes(range(251)) * (size // 251 + 1))[:size]


def require_nothing(application: Application) -> None:
    """Return if the store has neither an object nor parts of one."""
    assert application.s3.list_objects_v2(Bucket=application.bucket)["KeyCount"] == 0
    assert "Uploads" not in application.s3.list_multipart_uploads(Bucket=application.bucket)


@pytest.mark.parametrize("with_boto3", [False, True], ids=["valetkey", "boto3"])
@pytest.mark.parametrize("with_forms", [False, True], ids=["put", "form"])
def test_a_file_goes_up_in_one_request(
    page: Page, application: Application, *, with_boto3: bool, with_forms: bool
) -> None:
    application.with_boto3, application.with_forms = with_boto3, with_forms
    found = upload(page, 3 * MIB)
    assert "error" not in found, found
    assert found["steps"][-1] == 3 * MIB
    assert application.signed == ["post_object" if with_forms else "put_object"]
    assert application.bucket in found["url"]
    require_kept(application, 3 * MIB)


@pytest.mark.parametrize("with_boto3", [False, True], ids=["valetkey", "boto3"])
def test_a_file_goes_up_in_parts(
    page: Page, application: Application, is_new: bool, *, with_boto3: bool
) -> None:
    application.with_boto3 = with_boto3
    found = upload(page, SEVERAL_PARTS, multipart=True)
    assert "error" not in found, found
    assert (found["parts"], found["steps"][-1]) == (3, SEVERAL_PARTS)
    around = ["complete_multipart_upload", "create_multipart_upload"] if is_new else []
    assert sorted(application.signed) == [*around, *["upload_part"] * 3]
    require_kept(application, SEVERAL_PARTS)
    assert application.s3.head_object(Bucket=application.bucket, Key=KEY)["ETag"].endswith('-3"')


def test_a_paused_upload_goes_on_where_it_was(page: Page, application: Application) -> None:
    found = upload(page, SEVERAL_PARTS, multipart=True, then=["pauseAll", "resumeAll"])
    assert "error" not in found, found
    assert application.signed.count("list_parts") == 1
    require_kept(application, SEVERAL_PARTS)


def test_a_cancelled_upload_leaves_nothing(page: Page, application: Application, site: UploadSite) -> None:
    def is_last(url: str, method: str) -> bool:
        return method == "DELETE" or url == f"{site.origin}/sign/abortion"

    with page.expect_event("requestfinished", lambda sent: is_last(sent.url, sent.method)):
        found = upload(page, SEVERAL_PARTS, multipart=True, then=["cancelAll"])
    assert found["parts"] == 1
    assert "url" not in found
    require_nothing(application)


def test_a_url_that_has_ended_says_so(page: Page, application: Application, is_new: bool) -> None:
    application.ended = 1
    error = upload(page, 10)["error"]
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in error["body"]
    assert error["message"] == ("S3 returned 403 – AccessDenied" if is_new else "Request has expired")
    require_nothing(application)


def test_a_form_that_has_ended_says_so(page: Page, application: Application, is_new: bool) -> None:
    application.with_forms, application.ended = True, 1
    error = upload(page, 10)["error"]
    assert "<Message>Invalid according to Policy: Policy expired.</Message>" in error["body"]
    assert error["code"] == ("AccessDenied" if is_new else None)
    require_nothing(application)


def test_a_file_too_large_for_its_form_says_so(page: Page, application: Application, is_new: bool) -> None:
    application.with_forms, application.most_bytes = True, 1000
    error = upload(page, 8 * MIB)["error"]
    assert "<Code>EntityTooLarge</Code>" in error["body"]
    assert "<MaxSizeAllowed>1000</MaxSizeAllowed>" in error["body"]
    if is_new:
        assert (error["code"], error["message"]) == ("EntityTooLarge", "S3 returned 400 – EntityTooLarge")
    require_nothing(application)


def test_a_part_whose_url_has_ended_goes_up_again(page: Page, application: Application, is_new: bool) -> None:
    # The older Uppy reads S3's own sentence and asks for another URL; the newer one waits for its user.
    application.ended = 1
    found = upload(page, SEVERAL_PARTS, multipart=True, retry=is_new)
    assert "error" not in found, found
    if is_new:
        assert found["first"]["code"] == "AccessDenied"
    assert application.signed.count("upload_part") == 4
    require_kept(application, SEVERAL_PARTS)


@pytest.mark.parametrize("site", ["uppy.mjs"], indirect=True, ids=["uppy6"])
def test_a_page_signs_with_temporary_credentials(
    page: Page, application: Application, server: RunningServer, new_name: Callable[[str], str]
) -> None:
    user = new_user(root_of(server), new_name("uppy"), EVERYTHING_IN_S3, policy(allow("sts:*")))
    limit = policy(allow("s3:*", f"arn:aws:s3:::{application.bucket}/in/*"))
    answer = user.client("sts").get_federation_token(Name="page", Policy=limit)["Credentials"]
    application.credentials = {name: str(value) for name, value in answer.items()}
    endpoint = f"{server.endpoint}/{application.bucket}"
    refused = upload(page, 10, endpoint=endpoint, key="out/k.png")
    assert refused["error"]["code"] == "AccessDenied"
    require_nothing(application)
    found = upload(page, SEVERAL_PARTS, endpoint=endpoint, multipart=True)
    assert "error" not in found, found
    require_kept(application, SEVERAL_PARTS)
    assert application.signed == []
