"""Arrow's S3FileSystem: tables, folders and random access."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from pyarrow import fs as arrow_fs
from tests.clients.boto import ODD_KEYS, S3Client

from valetkey.testing.server import RunningServer

TABLE = pa.table({"number": list(range(1000)), "text": [f"row {number}" for number in range(1000)]})


@pytest.fixture
def fs(server: RunningServer) -> Any:
    return arrow_fs.S3FileSystem(
        access_key=server.access_key,
        secret_key=server.secret_key,
        region=server.region,
        scheme="http",
        endpoint_override=f"{server.host}:{server.port}",
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
        background_writes=False,
    )


def write(fs: Any, path: str, content: bytes, **options: Any) -> None:
    with fs.open_output_stream(path, **options) as stream:
        stream.write(content)


def read(fs: Any, path: str) -> bytes:
    with fs.open_input_stream(path) as stream:
        content: bytes = stream.read()
        return content


def found(fs: Any, path: str, *, recursive: bool = True) -> dict[str, str]:
    """Return what is below a folder, and of which kind."""
    selector = arrow_fs.FileSelector(path, recursive=recursive)
    return {info.path: info.type.name for info in fs.get_file_info(selector)}


def test_a_bucket_is_made_and_removed(fs: Any, new_name: Callable[[str], str]) -> None:
    name = new_name("arrow")
    fs.create_dir(name)
    assert fs.get_file_info(name).type == arrow_fs.FileType.Directory
    assert name in found(fs, "", recursive=False)
    fs.delete_dir(name)
    assert fs.get_file_info(name).type == arrow_fs.FileType.NotFound


def test_a_table_is_written_and_read(fs: Any, plain_bucket: str) -> None:
    path = f"{plain_bucket}/folder/a b+ü.parquet"
    pyarrow.parquet.write_table(TABLE, path, filesystem=fs, row_group_size=100)
    assert pyarrow.parquet.read_table(path, filesystem=fs).equals(TABLE)
    some = pyarrow.parquet.read_table(path, filesystem=fs, columns=["number"], filters=[("number", "<", 3)])
    assert some.to_pydict() == {"number": [0, 1, 2]}


def test_a_data_set_is_split_over_folders(fs: Any, plain_bucket: str) -> None:
    table = pa.table({"year": [2025, 2025, 2026], "count": [1, 2, 3]})
    pyarrow.dataset.write_dataset(
        table, f"{plain_bucket}/set", filesystem=fs, format="parquet", partitioning=["year"],
        partitioning_flavor="hive",
    )  # fmt: skip
    assert found(fs, f"{plain_bucket}/set")[f"{plain_bucket}/set/year=2026/part-0.parquet"] == "File"
    again = pyarrow.dataset.dataset(f"{plain_bucket}/set", filesystem=fs, partitioning="hive")
    assert again.to_table(filter=pyarrow.dataset.field("year") == 2025).num_rows == 2


def test_a_file_is_read_at_random(fs: Any, plain_bucket: str) -> None:
    write(fs, f"{plain_bucket}/a", b"0123456789" * 1000)
    with fs.open_input_file(f"{plain_bucket}/a") as file:
        assert file.size() == 10_000
        assert file.read_at(4, 9_996) == b"6789"
        file.seek(3)
        assert (file.read(4), file.tell()) == (b"3456", 7)


def test_a_large_file_goes_up_in_parts(
    fs: Any, plain_s3: S3Client, plain_bucket: str, parts_file: Path
) -> None:
    content = parts_file.read_bytes()
    write(fs, f"{plain_bucket}/large", content, metadata={"Content-Type": "text/x-own", "colour": "blue"})
    head = plain_s3.head_object(Bucket=plain_bucket, Key="large")
    assert "-" in head["ETag"]
    assert head["ContentType"] == "text/x-own"
    assert read(fs, f"{plain_bucket}/large") == content


def test_folders_are_made_listed_and_removed(fs: Any, plain_bucket: str) -> None:
    there = f"{plain_bucket}/folder"
    fs.create_dir(f"{there}/empty", recursive=True)
    write(fs, f"{there}/a", b"a")
    write(fs, f"{there}/deep/b", b"b")
    assert found(fs, there) == {
        f"{there}/empty": "Directory",
        f"{there}/a": "File",
        f"{there}/deep": "Directory",
        f"{there}/deep/b": "File",
    }
    assert set(found(fs, plain_bucket, recursive=False)) == {there}
    fs.delete_dir_contents(there)
    assert found(fs, there) == {}
    fs.delete_dir(there)
    assert found(fs, plain_bucket) == {}


def test_files_are_copied_moved_and_deleted(fs: Any, plain_bucket: str) -> None:
    write(fs, f"{plain_bucket}/folder/a b+ü.txt", b"content")
    fs.copy_file(f"{plain_bucket}/folder/a b+ü.txt", f"{plain_bucket}/copy")
    fs.move(f"{plain_bucket}/copy", f"{plain_bucket}/moved ü")
    assert read(fs, f"{plain_bucket}/moved ü") == b"content"
    fs.delete_file(f"{plain_bucket}/moved ü")
    assert fs.get_file_info(f"{plain_bucket}/moved ü").type == arrow_fs.FileType.NotFound
    with pytest.raises(FileNotFoundError):
        read(fs, f"{plain_bucket}/copy")


@pytest.mark.parametrize(
    "name", ["plus", "percent", "looks-encoded", "space", "question-mark", "umlauts", "emoji"]
)
def test_odd_keys_come_back(fs: Any, plain_s3: S3Client, plain_bucket: str, name: str) -> None:
    path = f"{plain_bucket}/{ODD_KEYS[name]}"
    write(fs, path, b"content")
    assert plain_s3.get_object(Bucket=plain_bucket, Key=ODD_KEYS[name])["Body"].read() == b"content"
    assert read(fs, path) == b"content"
    assert found(fs, plain_bucket)[path] == "File"
    fs.copy_file(path, f"{plain_bucket}/copy")
    fs.delete_file(path)
    assert [path for path, kind in found(fs, plain_bucket).items() if kind == "File"] == [
        f"{plain_bucket}/copy"
    ]


def test_metadata_comes_back(fs: Any, plain_bucket: str) -> None:
    write(
        fs,
        f"{plain_bucket}/a",
        b"content",
        metadata={"Content-Type": "text/x-own", "Cache-Control": "no-store"},
    )
    with fs.open_input_stream(f"{plain_bucket}/a") as stream:
        kept = stream.metadata()
    assert (kept["Content-Type"], kept["Cache-Control"]) == (b"text/x-own", b"no-store")
    assert kept["Content-Length"] == b"7"


def test_wrong_credentials_are_refused(server: RunningServer, plain_bucket: str) -> None:
    stranger = arrow_fs.S3FileSystem(
        access_key=server.access_key,
        secret_key="wrong",
        region=server.region,
        scheme="http",
        endpoint_override=f"{server.host}:{server.port}",
    )
    with pytest.raises(OSError, match="SIGNATURE_DOES_NOT_MATCH"):
        write(stranger, f"{plain_bucket}/a", b"content")
