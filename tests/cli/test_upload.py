import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.fake_s3 import Failure, FakeS3, Seen

from valetkey.cli.credentials import Account
from valetkey.cli.errors import CliError
from valetkey.cli.location import Location
from valetkey.cli.share import open_file
from valetkey.cli.transport import Transport
from valetkey.cli.upload import MAX_OBJECT_BYTES, MAX_PARTS, PART_BYTES, part_size_bytes, store_file

MIB = 1 << 20
PLACE = Location(bucket="b", key="k")


def upload(path: Path, account: Account, observe: Callable[[int], None] = lambda _: None) -> None:
    with open_file(path) as local:
        store_file(
            Transport(account, pause=lambda _: None), local, PLACE, content_type="text/x", observe=observe
        )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of five parts, the last one small."""
    path = tmp_path_factory.mktemp("large") / "large.bin"
    with path.open("wb") as file:
        for number in range(4):
            file.seek(number * PART_BYTES)
            file.write(b"part %d" % number)
        file.seek(4 * PART_BYTES)
        file.write(b"the end")
    return path


def part_hashes(path: Path) -> list[str]:
    content = path.read_bytes()
    return [
        hashlib.sha256(content[start : start + PART_BYTES]).hexdigest()
        for start in range(0, len(content), PART_BYTES)
    ]


@pytest.mark.parametrize(
    ("size", "part_size"),
    [
        pytest.param(64 * MIB + 1, 16 * MIB, id="smallest in parts"),
        pytest.param(16 * MIB * MAX_PARTS, 16 * MIB, id="largest with small parts"),
        pytest.param(16 * MIB * MAX_PARTS + 1, 17 * MIB, id="one byte more"),
        pytest.param(MAX_OBJECT_BYTES, 525 * MIB, id="largest object"),
    ],
)
def test_parts_are_never_too_many(size: int, part_size: int) -> None:
    assert part_size_bytes(size) == part_size
    assert -(-size // part_size) <= MAX_PARTS


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"x" * (3 * MIB + 1)], ids=["empty", "small", "some blocks"]
)
def test_small_file_goes_up_in_one_request(
    fake_s3: FakeS3, fake_account: Account, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    told: list[int] = []

    upload(path, fake_account, told.append)

    assert fake_s3.objects == {"/b/k": (len(content), hashlib.sha256(content).hexdigest(), "text/x")}
    assert len(fake_s3.seen) == 1
    assert sum(told) == len(content)


def test_large_file_goes_up_in_parts(fake_s3: FakeS3, fake_account: Account, large: Path) -> None:
    told: list[int] = []

    upload(large, fake_account, told.append)

    assert [seen.method for seen in fake_s3.seen] == ["POST", *["PUT"] * 5, "POST"]
    assert [seen.sha256 for seen in fake_s3.requests("PUT")] == part_hashes(large)
    assert fake_s3.seen[0].headers["content-type"] == "text/x"
    assert sum(told) == fake_s3.objects["/b/k"][0] == large.stat().st_size
    assert not fake_s3.uploads


def test_lost_parts_are_sent_again(fake_s3: FakeS3, fake_account: Account, large: Path) -> None:
    fake_s3.failures += [
        Failure(when=part(2), status=0),
        Failure(when=part(2), status=500),
        Failure(when=part(5), status=0, does_it=True),
    ]

    upload(large, fake_account)

    assert [seen.query["partNumber"] for seen in fake_s3.requests("PUT")] == list("12223455")
    assert fake_s3.objects["/b/k"][0] == large.stat().st_size


def test_refused_upload_is_aborted(fake_s3: FakeS3, fake_account: Account, large: Path) -> None:
    fake_s3.failures.append(Failure(when=part(3), status=403, code="AccessDenied"))

    with pytest.raises(CliError, match="403 AccessDenied"):
        upload(large, fake_account)

    assert fake_s3.seen[-1].method == "DELETE"
    assert not fake_s3.uploads
    assert not fake_s3.objects


def test_interrupted_upload_is_aborted(fake_s3: FakeS3, fake_account: Account, large: Path) -> None:
    def interrupt(count: int) -> None:
        if len(fake_s3.seen) > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upload(large, fake_account, interrupt)

    assert not fake_s3.uploads
    assert not fake_s3.objects


def test_upload_that_cannot_be_aborted_is_named(
    fake_s3: FakeS3, fake_account: Account, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_s3.failures += [
        Failure(when=part(1), status=403, code="AccessDenied"),
        Failure(when=lambda seen: seen.method == "DELETE", status=403, code="AccessDenied"),
    ]

    with pytest.raises(CliError):
        upload(large, fake_account)

    assert "upload upload+1 of s3://b/k could not be aborted" in capsys.readouterr().err


def test_completion_whose_answer_was_lost_counts(fake_s3: FakeS3, fake_account: Account, large: Path) -> None:
    fake_s3.failures.append(Failure(when=completes, status=0, does_it=True))

    upload(large, fake_account)

    assert fake_s3.objects["/b/k"][0] == large.stat().st_size


def test_completion_of_a_vanished_upload_is_an_error(
    fake_s3: FakeS3, fake_account: Account, large: Path
) -> None:
    fake_s3.failures.append(Failure(when=completes, status=404, code="NoSuchUpload"))

    with pytest.raises(CliError, match="NoSuchUpload"):
        upload(large, fake_account)


def test_error_in_a_completion_called_200_is_an_error(
    fake_s3: FakeS3, fake_account: Account, large: Path
) -> None:
    fake_s3.failures.append(Failure(when=completes, status=200, code="InvalidPart"))

    with pytest.raises(CliError, match="InvalidPart"):
        upload(large, fake_account)

    assert not fake_s3.uploads


def test_memory_stays_flat(fake_s3: FakeS3, fake_account: Account, large: Path) -> None:
    tracemalloc.start()
    try:
        upload(large, fake_account)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 8 * MIB


def part(number: int) -> Callable[[Seen], bool]:
    return lambda seen: seen.query.get("partNumber") == str(number)


def completes(seen: Seen) -> bool:
    return seen.method == "POST" and "uploadId" in seen.query
