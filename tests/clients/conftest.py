"""Real clients, shut off from whatever this machine holds of credentials and settings."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.clients.aws_cli import AWS, AwsCli
from tests.clients.boto import STYLES, S3Client, open_client

from valetkey.testing.server import RunningServer

_CHROMIUM: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Options with which Chromium runs as any user, and looks for no host but those of a test."""


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no client find credentials, a region or an endpoint that a test did not give."""
    nowhere = tmp_path_factory.mktemp("no-settings")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "VALETKEY_"))]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
        patch.setenv("HOME", str(nowhere))
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def names_under_localhost() -> Iterator[None]:
    """Resolve BUCKET.localhost to this machine, as browsers and many resolvers do of themselves.

    Source: RFC 6761, "The domain localhost and any names falling within .localhost".
    """
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if name and name.endswith("localhost") else host, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve_here)
        yield


@pytest.fixture(scope="session")
def new_name() -> Callable[[str], str]:
    """Make names for buckets, each different from all before."""
    counter = itertools.count(1)
    return lambda prefix: f"{prefix}-{next(counter)}"


@pytest.fixture(scope="session", params=["default", "virtual"])
def s3(request: pytest.FixtureRequest) -> Iterator[S3Client]:
    """A boto3 client, with the bucket's name in the path or in the Host."""
    yield from style_client(request)


@pytest.fixture(scope="session", params=STYLES)
def presigner(request: pytest.FixtureRequest) -> Iterator[S3Client]:
    """A boto3 client in each of the ways in which it presigns: V2 by default, or SigV4."""
    yield from style_client(request)


def style_client(request: pytest.FixtureRequest) -> Iterator[S3Client]:
    style: str = request.param
    name = "virtual_server" if style.startswith("virtual") else "server"
    client = open_client(request.getfixturevalue(name), style)
    yield client
    client.close()


@pytest.fixture
def bucket(s3: S3Client, new_name: Callable[[str], str]) -> str:
    """An empty bucket."""
    name = new_name("boto3")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def plain_s3(server: RunningServer) -> Iterator[S3Client]:
    """A boto3 client to prepare and to look up what other clients work on."""
    client = open_client(server, "s3v4")
    yield client
    client.close()


@pytest.fixture
def plain_bucket(plain_s3: S3Client, new_name: Callable[[str], str]) -> str:
    """An empty bucket for another client."""
    name = new_name("clients")
    plain_s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def aws(server: RunningServer, tmp_path: Path) -> AwsCli:
    """The AWS CLI of the root account, in an empty folder."""
    if not AWS.exists():
        pytest.fail("The AWS CLI is not in the virtual environment; `make dev` installs it.")
    root = {"AccessKeyId": server.access_key, "SecretAccessKey": server.secret_key}
    return AwsCli(server=server, folder=tmp_path, credentials=root)


@pytest.fixture(scope="session")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 20 MiB and a bit, of which no two blocks are alike."""
    path = tmp_path_factory.mktemp("big") / "big.bin"
    path.write_bytes(os.urandom(20 * 1024 * 1024 + 123))
    return path


@pytest.fixture(scope="session")
def parts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 11 MiB and a bit: three parts of the smallest size that S3 takes."""
    path = tmp_path_factory.mktemp("parts") / "parts.bin"
    path.write_bytes(os.urandom(11 * 1024 * 1024 + 123))
    return path


# Not for the whole session: while Playwright runs, no other event loop can.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_CHROMIUM)
        yield chromium
        chromium.close()
