"""django-storages: the S3Storage that Django's file fields write to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files.base import ContentFile, File
from tests.clients.boto import ODD_KEYS, S3Client, refusal
from tests.clients.links import download, refused

from valetkey.testing.server import RunningServer

OpenStorage = Callable[..., Any]


@pytest.fixture
def open_storage(server: RunningServer, plain_bucket: str) -> OpenStorage:
    """Make an S3Storage on an empty bucket, with options that a project would set."""
    if not settings.configured:
        settings.configure(USE_TZ=True)
    # It reads Django's settings when it is imported.
    from storages.backends.s3 import S3Storage

    def open_(**options: Any) -> Any:
        return S3Storage(
            access_key=server.access_key,
            secret_key=server.secret_key,
            endpoint_url=server.endpoint,
            region_name=server.region,
            bucket_name=plain_bucket,
            **options,
        )

    return open_


def read(storage: Any, name: str) -> bytes:
    with storage.open(name, "rb") as file:
        content: bytes = file.read()
        return content


def test_a_file_is_saved_read_and_deleted(open_storage: OpenStorage) -> None:
    storage = open_storage()
    name = storage.save("folder/a b+ü.txt", ContentFile(b"content"))
    assert name == "folder/a b+ü.txt"
    assert storage.exists(name)
    assert (storage.size(name), read(storage, name)) == (7, b"content")
    assert abs(storage.get_modified_time(name) - datetime.now(UTC)) < timedelta(minutes=1)
    storage.delete(name)
    assert not storage.exists(name)
    with pytest.raises(FileNotFoundError):
        storage.open(name, "rb")


def test_a_second_file_gets_a_name_of_its_own(open_storage: OpenStorage) -> None:
    storage = open_storage(file_overwrite=False)
    first, second = (storage.save("a.txt", ContentFile(text)) for text in (b"first", b"second"))
    assert first != second
    assert (read(storage, first), read(storage, second)) == (b"first", b"second")


def test_a_listing_shows_folders(open_storage: OpenStorage) -> None:
    storage = open_storage(location="media")
    for name in ("a.txt", "folder/b.txt", "folder/deep/c.txt"):
        storage.save(name, ContentFile(b"content"))
    assert storage.listdir("") == (["folder"], ["a.txt"])
    assert storage.listdir("folder") == (["deep"], ["b.txt"])


# It leaves the file beneath a compressed one to the garbage collector.
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
def test_types_and_parameters_are_kept(
    open_storage: OpenStorage, plain_s3: S3Client, plain_bucket: str
) -> None:
    storage = open_storage(
        object_parameters={"CacheControl": "max-age=60", "Metadata": {"colour": "blue"}}, gzip=True
    )
    storage.save("style.css", ContentFile(b"body {}" * 1000))
    head = plain_s3.head_object(Bucket=plain_bucket, Key="style.css")
    assert (head["ContentType"], head["ContentEncoding"]) == ("text/css", "gzip")
    assert (head["CacheControl"], head["Metadata"]) == ("max-age=60", {"colour": "blue"})
    assert read(storage, "style.css") == b"body {}" * 1000


def test_a_file_is_written_piece_by_piece_in_parts(
    open_storage: OpenStorage, plain_s3: S3Client, plain_bucket: str, parts_file: Path
) -> None:
    storage = open_storage()
    content = parts_file.read_bytes()
    with storage.open("large", "wb") as file:
        for start in range(0, len(content), 1024 * 1024):
            file.write(content[start : start + 1024 * 1024])
    assert plain_s3.head_object(Bucket=plain_bucket, Key="large")["ETag"].endswith('-3"')
    assert read(storage, "large") == content


def test_a_large_upload_is_saved(open_storage: OpenStorage, parts_file: Path) -> None:
    storage = open_storage()
    with parts_file.open("rb") as file:
        storage.save("large", File(file))
    with storage.open("large", "rb") as saved:
        saved.seek(10 * 1024 * 1024)
        assert saved.read(5) == parts_file.read_bytes()[10 * 1024 * 1024 :][:5]


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_a_url_needs_no_client(open_storage: OpenStorage, signature: str) -> None:
    storage = open_storage(signature_version=signature, querystring_expire=60)
    name = storage.save("folder/a b+ü.txt", ContentFile(b"content"))
    url = storage.url(name, parameters={"ResponseContentType": "text/x-own"})
    assert download(url) == b"content"
    assert refused(url.replace("folder", "f0lder")) == 403


@pytest.mark.parametrize("name", ["plus", "percent", "looks-encoded", "space", "umlauts", "emoji"])
def test_odd_names_come_back(
    open_storage: OpenStorage, plain_s3: S3Client, plain_bucket: str, name: str
) -> None:
    storage = open_storage()
    with storage.open(ODD_KEYS[name], "wb") as file:
        file.write(b"content")
    assert plain_s3.get_object(Bucket=plain_bucket, Key=ODD_KEYS[name])["Body"].read() == b"content"
    assert storage.exists(ODD_KEYS[name])
    assert download(storage.url(ODD_KEYS[name])) == b"content"
    storage.delete(ODD_KEYS[name])
    assert not storage.exists(ODD_KEYS[name])


def test_a_file_is_replaced_under_its_name(open_storage: OpenStorage) -> None:
    storage = open_storage(file_overwrite=True)
    names = {storage.save("a.txt", ContentFile(text)) for text in (b"first", b"second")}
    assert (names, read(storage, "a.txt")) == ({"a.txt"}, b"second")


def test_wrong_credentials_are_refused(open_storage: OpenStorage) -> None:
    storage = open_storage(signature_version="s3v4")
    storage.secret_key = "wrong"
    with pytest.raises(ClientError) as raised:
        storage.save("a.txt", ContentFile(b"content"))
    assert refusal(raised.value) == (403, "SignatureDoesNotMatch")
