import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.fake_s3 import Failure, FakeS3

from valetkey.cli.credentials import Account
from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.location import Location
from valetkey.cli.recipes import Form
from valetkey.cli.share import Shared, ShareOrder, destination, share_file
from valetkey.cli.transport import Transport, UnreachableError


def order(path: Path, **more: Any) -> ShareOrder:
    plain = ShareOrder(
        path=path,
        to=None,
        bucket=None,
        lifetime=timedelta(hours=2),
        filename=None,
        content_type=None,
        form=Form.URL,
    )
    return replace(plain, **more)


def share(wanted: ShareOrder, account: Account) -> Shared:
    return share_file(wanted, account, transport=Transport(account, pause=lambda _: None))


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "März report.txt"
    path.write_text("ä")
    return path


def test_file_is_stored_before_the_url_is_given(fake_s3: FakeS3, fake_account: Account, report: Path) -> None:
    shared = share(order(report), fake_account)

    key = shared.wish.location.key or ""
    token, _, name = key.partition("/")
    assert name == report.name
    assert len(token) == 16
    assert int(token, 16) >= 0
    assert fake_s3.buckets == {"/shared"}
    assert fake_s3.objects[f"/shared/{key}"][0::2] == (2, "text/plain; charset=utf-8")
    assert shared.signed.url.startswith(f"{fake_s3.endpoint}/shared/{token}/M%C3%A4rz%20report.txt?")
    assert "X-Amz-Expires=7200" in shared.signed.url
    assert shared.size == 2


def test_two_shares_of_one_file_do_not_collide(fake_s3: FakeS3, fake_account: Account, report: Path) -> None:
    share(order(report), fake_account)
    share(order(report), fake_account)

    assert len(fake_s3.objects) == 2
    assert [seen.method for seen in fake_s3.seen] == ["HEAD", "PUT", "PUT", "HEAD", "PUT"]


def test_bucket_elsewhere_is_created_where_the_account_is(
    fake_s3: FakeS3, fake_account: Account, report: Path
) -> None:
    share(order(report), replace(fake_account, region="eu-central-1"))

    assert fake_s3.requests("PUT")[0].size > 0


def test_bucket_made_by_somebody_else_meanwhile_is_used(
    fake_s3: FakeS3, fake_account: Account, report: Path
) -> None:
    fake_s3.failures.append(
        Failure(
            when=lambda seen: seen.path == "/shared" and seen.method == "PUT",
            status=409,
            code="BucketAlreadyOwnedByYou",
        )
    )

    share(order(report), fake_account)

    assert len(fake_s3.objects) == 1


def test_bucket_that_may_not_be_looked_at_is_used(
    fake_s3: FakeS3, fake_account: Account, report: Path
) -> None:
    fake_s3.failures.append(Failure(when=lambda seen: seen.method == "HEAD", status=403, body=b""))

    share(order(report), fake_account)

    assert not fake_s3.buckets
    assert len(fake_s3.objects) == 1


def test_named_bucket_is_not_created(fake_s3: FakeS3, fake_account: Account, report: Path) -> None:
    share(order(report, bucket="mine", content_type="a/b", filename="x.txt"), fake_account)

    (seen,) = fake_s3.seen
    assert seen.path.startswith("/mine/")
    assert seen.headers["content-type"] == "a/b"


TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("to", "bucket", "expected"),
    [
        pytest.param(None, None, Location(bucket="shared", key=f"{TOKEN}/f.txt"), id="nothing said"),
        pytest.param(None, "b", Location(bucket="b", key=f"{TOKEN}/f.txt"), id="bucket"),
        pytest.param("s3://b", None, Location(bucket="b", key=f"{TOKEN}/f.txt"), id="bucket as an address"),
        pytest.param("s3://b/x/y", None, Location(bucket="b", key="x/y"), id="key"),
        pytest.param("s3://b/x/", None, Location(bucket="b", key="x/f.txt"), id="folder"),
    ],
)
def test_destination(fake_account: Account, to: str | None, bucket: str | None, expected: Location) -> None:
    assert destination(order(Path("d/f.txt"), to=to, bucket=bucket), fake_account, token=TOKEN) == expected


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        pytest.param({"to": "s3://b/k", "bucket": "b"}, "not both", id="two destinations"),
        pytest.param({"to": "s3://"}, "names no bucket", id="no bucket"),
        pytest.param({"to": "b/k"}, "no S3 address", id="no address"),
        pytest.param({"filename": "a/b"}, "without folders", id="impossible name"),
        pytest.param({"to": "s3://b/../k", "form": Form.WGET}, "--copy-as curl", id="impossible recipe"),
    ],
)
def test_nothing_is_sent_when_the_order_makes_no_sense(
    fake_s3: FakeS3, fake_account: Account, report: Path, flags: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        share(order(report, **flags), fake_account)

    assert not fake_s3.seen


@pytest.mark.parametrize(
    "endpoint", [None, "https://s3.eu-west-1.amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn"]
)
def test_bucket_must_be_named_at_amazon(fake_account: Account, report: Path, endpoint: str | None) -> None:
    with pytest.raises(BadInputError, match="--bucket"):
        share(order(report), replace(fake_account, endpoint=endpoint))


def test_what_is_no_file_is_refused(fake_s3: FakeS3, fake_account: Account, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
    ):
        with pytest.raises(BadInputError, match=words):
            share(order(path), fake_account)
    assert not fake_s3.seen


def test_name_in_no_encoding_is_refused(fake_account: Account, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    path.write_bytes(b"")

    with pytest.raises(BadInputError, match="UTF-8"):
        share(order(path), fake_account)


def test_refusal_is_passed_on(fake_s3: FakeS3, fake_account: Account, report: Path) -> None:
    fake_s3.failures.append(Failure(when=lambda _: True, status=404, code="NoSuchBucket"))

    with pytest.raises(CliError, match="404 NoSuchBucket"):
        share(order(report, bucket="none"), fake_account)


@pytest.fixture
def deaf_endpoint() -> Iterator[str]:
    """An address that is taken, but on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_absent_server_is_a_sentence(fake_account: Account, report: Path, deaf_endpoint: str) -> None:
    with pytest.raises(UnreachableError, match=f"cannot reach {deaf_endpoint}: Connection refused"):
        share(order(report), replace(fake_account, endpoint=deaf_endpoint))
