"""The JavaScript SDK, version 3, with default settings, in Node."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.clients.boto import ODD_KEYS, S3Client
from tests.raw.form import CONTENT_TYPE, encoded_form
from tests.raw.signing import key_of
from tests.raw.wire import fetch

from valetkey import Signer
from valetkey.testing.server import RunningServer

pytestmark = pytest.mark.needs_program("node", "npm")

SCRIPTS = Path(__file__).parent / "js"


def run(script: str, server: RunningServer, bucket: str, key: str = "folder/a b+ü.txt", **task: Any) -> Any:
    """Run a script and return what it found."""
    assert (SCRIPTS / "node_modules").is_dir(), "`make test` installs the JavaScript SDK."
    given = {
        "endpoint": server.endpoint,
        "region": server.region,
        "accessKey": server.access_key,
        "secretKey": server.secret_key,
        "bucket": bucket,
        "key": key,
    } | task
    done = subprocess.run(
        ["node", SCRIPTS / script], cwd=SCRIPTS, input=json.dumps(given), capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "AWS_EC2_METADATA_DISABLED": "true"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_client_with_default_settings(server: RunningServer, new_name: Callable[[str], str]) -> None:
    bucket = new_name("js-client")
    found = run("round_trip.mjs", server, bucket)
    assert bucket in found["buckets"]
    assert found["checksum"]
    assert found["head"] == [7, "text/x-own", {"colour": "blue"}]
    assert (found["content"], found["sameETag"]) == ("content", True)
    assert (found["sameStream"], found["streamEncoding"]) == (True, None)
    assert found["keys"] == ["copy", "folder/a b+ü.txt", "streamed"]
    assert found["error"] == ["NoSuchKey", 404]
    assert found["left"] == 0


def test_an_endpoint_with_a_name_has_the_bucket_in_front(
    virtual_server: RunningServer, new_name: Callable[[str], str]
) -> None:
    bucket = new_name("js-virtual")
    endpoint = f"http://localhost:{virtual_server.port}"
    found = run("virtual_host.mjs", virtual_server, bucket, endpoint=endpoint)
    assert found["host"] == f"{bucket}.localhost"
    assert (found["content"], found["status"], found["presigned"]) == ("content", 200, "content")


@pytest.fixture(scope="module")
def steps(server: RunningServer, plain_s3: S3Client) -> dict[str, Any]:
    """What came of each URL that `presigned.mjs` signed and used."""
    plain_s3.create_bucket(Bucket="js-presigned")
    found: dict[str, Any] = run("presigned.mjs", server, "js-presigned")
    return found


class TestPresigned:
    def statuses(self, steps: dict[str, Any], *names: str) -> list[int]:
        return [steps[name]["status"] for name in names]

    def test_the_default_put_carries_the_checksum_of_nothing(self, steps: dict[str, Any]) -> None:
        assert "x-amz-checksum-crc32=AAAAAA%3D%3D" in steps["put"]["url"]
        assert "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD" in steps["put"]["url"]
        assert self.statuses(steps, "put") == [200]
        assert steps["put"]["headers"]["etag"] == f'"{hashlib.md5(b"content").hexdigest()}"'

    def test_get_and_head(self, steps: dict[str, Any]) -> None:
        assert (steps["get"]["status"], steps["get"]["body"]) == (200, "content")
        assert "x-amz-checksum-mode=ENABLED" in steps["get"]["url"]
        for name in ("head", "headOnGet"):
            assert (steps[name]["status"], steps[name]["body"]) == (200, "")
            assert steps[name]["headers"]["content-length"] == "7"

    def test_the_issuer_names_the_download(self, steps: dict[str, Any]) -> None:
        assert steps["named"]["headers"]["content-disposition"] == (
            "attachment; filename*=UTF-8''Bericht%20%E2%80%93%20M%C3%A4rz.pdf"
        )

    def test_a_listing(self, steps: dict[str, Any]) -> None:
        assert steps["list"]["status"] == 200
        assert "<Key>folder/a b+ü.txt</Key>" in steps["list"]["body"]

    def test_hoisted_headers_are_kept(self, steps: dict[str, Any]) -> None:
        assert "x-amz-meta-colour=blue" in steps["putWithMetadata"]["url"]
        assert self.statuses(steps, "putWithMetadata", "headWithMetadata") == [200, 200]
        headers = steps["headWithMetadata"]["headers"]
        assert headers["x-amz-meta-colour"] == "blue"
        assert headers["x-amz-storage-class"] == "STANDARD_IA"
        assert headers["content-type"] == "image/png"

    def test_a_content_type_that_was_signed_must_come(self, steps: dict[str, Any]) -> None:
        assert self.statuses(steps, "putOtherType", "putSignedType") == [403, 200]
        assert "<Code>SignatureDoesNotMatch</Code>" in steps["putOtherType"]["body"]

    def test_one_upload_with_if_none_match(self, steps: dict[str, Any]) -> None:
        assert self.statuses(steps, "once", "twice") == [200, 412]

    def test_a_copy(self, steps: dict[str, Any]) -> None:
        assert self.statuses(steps, "copy", "getCopy") == [200, 200]
        assert "<CopyObjectResult" in steps["copy"]["body"]
        assert steps["getCopy"]["body"] == "content"

    def test_parts(self, steps: dict[str, Any]) -> None:
        assert self.statuses(steps, "part1", "part2", "complete", "headParts") == [200] * 4
        assert steps["headParts"]["headers"]["content-length"] == str(5 * 1024 * 1024 + 10)
        assert steps["headParts"]["headers"]["etag"].endswith('-2"')
        assert self.statuses(steps, "abort") == [204]

    def test_a_deletion(self, steps: dict[str, Any]) -> None:
        assert self.statuses(steps, "delete", "gone") == [204, 404]


def test_a_stream_goes_up_in_parts(server: RunningServer, plain_bucket: str, big_file: Path) -> None:
    found = run("upload.mjs", server, plain_bucket, file=str(big_file))
    assert found["sha256"] == hashlib.sha256(big_file.read_bytes()).hexdigest()
    assert found["progress"] == big_file.stat().st_size
    assert found["etag"].endswith('-5"')
    assert found["type"] == "text/x-big"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param("small", ["folder/small", ["folder/"], 0], id="small-body-under-a-folder"),
        pytest.param("range", ["bytes 11534331-11534335/11534336", "xtail"], id="last-bytes"),
        pytest.param("failure", ["The source ended early.", 0], id="failure-leaves-no-parts"),
        pytest.param("tags", [{"Key": "colour", "Value": "blue"}], id="tags"),
        pytest.param("copyInParts", 11 * 1024 * 1024, id="copy-in-parts"),
        pytest.param("pages", [[10, 10, 5], True], id="listing-in-pages"),
        pytest.param("rename", ["blue", ["new"]], id="rename-keeps-metadata"),
        pytest.param(
            "errors",
            ["NoSuchBucket 404", "NoSuchKey 404", "SignatureDoesNotMatch 403", "PreconditionFailed 412"],
            id="errors",
        ),
    ],
)
def test_what_the_sdk_does_around_an_upload(
    server: RunningServer, plain_bucket: str, step: str, expected: Any
) -> None:
    assert run("managed.mjs", server, plain_bucket, step=step) == expected


def test_odd_keys_come_back(server: RunningServer, plain_bucket: str) -> None:
    keys = list(ODD_KEYS.values())
    found = run("odd_keys.mjs", server, plain_bucket, keys=keys)
    assert found["kept"] == keys
    assert found["presigned"] == keys
    assert found["listed"] == sorted(keys, key=str.encode)
    assert found["left"] == 0


def test_a_form_is_signed_as_the_sdk_signs_it(server: RunningServer, plain_bucket: str) -> None:
    theirs = run("post_policy.mjs", server, plain_bucket, key="folder/a.txt")
    fields = {name.lower(): value for name, value in theirs["fields"].items()}
    at = datetime.strptime(fields["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    signer = Signer(server.access_key, server.secret_key, region=server.region, endpoint=server.endpoint)
    ours = signer.presign_post(
        plain_bucket,
        "folder/a.txt",
        expires=600,
        conditions=[["content-length-range", 1, 1000]],
        fields={"Content-Type": "text/plain"},
        at=at,
    )
    same = {"key", "content-type", "x-amz-algorithm", "x-amz-credential", "x-amz-date"}
    made = {name.lower(): value for name, value in ours.fields.items()}
    assert {name: made[name] for name in same} == {name: fields[name] for name in same}
    assert conditions(made["policy"]) == conditions(fields["policy"])
    for form in (fields, made):
        assert form["x-amz-signature"] == key_of(server).sign_text(form["policy"], at)
    for sent in (theirs["fields"], ours.fields):
        body = encoded_form(sent, b"content")
        assert fetch(theirs["url"], "POST", headers={"Content-Type": CONTENT_TYPE}, body=body).status == 204


def conditions(policy: str) -> set[str]:
    """Return a policy's conditions, with names in lower case as S3 reads them."""
    listed = json.loads(base64.b64decode(policy))["conditions"]
    return {
        json.dumps({name.lower(): value for name, value in each.items()} if isinstance(each, dict) else each)
        for each in listed
    }
