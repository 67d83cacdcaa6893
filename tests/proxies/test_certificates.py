"""TLS by the server itself, and a new certificate without a moment in which nobody answers."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from tests.proxies.certificates import write_certificate
from tests.raw.signing import key_of
from tests.raw.wire import head, read_reply

from valetkey.testing.server import RunningServer, running_server

SIZE = 48 * 1024 * 1024
"""More than the buffers between a server and a client that does not read take up."""


@contextmanager
def connection(server: RunningServer, trusted: Path) -> Iterator[ssl.SSLSocket]:
    """A connection that is sure to speak to the holder of the certificate `trusted`."""
    context = ssl.create_default_context(cafile=str(trusted))
    with (
        socket.create_connection((server.host, server.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        yield secured


def serial(server: RunningServer) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((server.host, server.port), timeout=30) as plain,
        context.wrap_socket(plain) as secured,
    ):
        found = secured.getpeercert(binary_form=True)
        assert found is not None
        return ssl.DER_cert_to_PEM_cert(found)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline


@pytest.mark.parametrize("command", ["share", "links"])
def test_commands_trust_the_bundle_that_the_aws_cli_would(tmp_path: Path, command: str) -> None:
    pair, other = write_certificate(tmp_path), write_certificate(tmp_path, name="other")
    (tmp_path / "file").write_text("x")
    arguments = {"share": [str(tmp_path / "file")], "links": ["list"]}[command]
    with running_server(tmp_path / "data", certificate=pair) as server:
        variables = {
            "VALETKEY_ENDPOINT": server.endpoint,
            "VALETKEY_ACCESS_KEY": server.access_key,
            "VALETKEY_SECRET_KEY": server.secret_key,
        }

        def run(bundle: Path | None) -> subprocess.CompletedProcess[str]:
            more = {} if bundle is None else {"AWS_CA_BUNDLE": str(bundle)}
            return subprocess.run(
                [sys.executable, "-m", "valetkey", command, *arguments],
                env=os.environ | variables | more, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip

        assert run(pair[0]).returncode == 0
        for distrusted in (None, other[0]):
            ended = run(distrusted)
            assert (ended.returncode, "certificate verify failed" in ended.stderr) == (1, True), ended.stderr
        for missing in (tmp_path / "nowhere", pair[1]):
            ended = run(missing)
            assert (ended.returncode, str(missing) in ended.stderr) == (2, True), ended.stderr


def test_boto3_speaks_tls_with_the_server(tmp_path: Path) -> None:
    pair = write_certificate(tmp_path)
    with running_server(tmp_path / "data", certificate=pair) as server:
        s3 = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
            region_name=server.region,
            verify=str(pair[0]),
            config=Config(signature_version="s3v4"),
        )
        s3.create_bucket(Bucket="tls")
        s3.put_object(Bucket="tls", Key="a", Body=b"content")
        assert s3.get_object(Bucket="tls", Key="a")["Body"].read() == b"content"
        s3.close()
        assert f"https://127.0.0.1:{server.port}" in server.log.read_text("utf-8")


def test_tls_below_1_2_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", certificate=write_certificate(tmp_path)) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            socket.create_connection((server.host, server.port), timeout=30) as plain,
            pytest.raises(OSError),
        ):
            context.wrap_socket(plain)


@pytest.mark.parametrize("how", ["file", "signal"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_new_certificate_is_taken_up_while_a_download_goes_on(
    tmp_path: Path, how: str, workers: int
) -> None:
    pair = write_certificate(tmp_path)
    old = tmp_path / "old.pem"
    old.write_bytes(pair[0].read_bytes())
    # Whoever has begun is given more time than at the end of the server.
    environment = {"VALETKEY_SHUTDOWN_TIMEOUT_S": "1"}
    with running_server(
        tmp_path / "data", certificate=pair, workers=workers, environment=environment
    ) as server:
        key = key_of(server)
        content = os.urandom(1024 * 1024) * (SIZE // 1024 // 1024)
        for target, body in ((key.presign("PUT", "/tls"), b""), (key.presign("PUT", "/tls/big"), content)):
            with connection(server, old) as upload:
                upload.sendall(
                    head("PUT", target, {"Host": key.host, "Content-Length": str(len(body))}) + body
                )
                assert read_reply(upload, "PUT").status == 200
        with connection(server, old) as download:
            download.sendall(head("GET", key.presign("GET", "/tls/big"), {"Host": key.host}))
            began = download.recv(4096)
            assert began.startswith(b"HTTP/1.1 200")
            assert b"\r\n\r\n" in began
            write_certificate(tmp_path)
            new = pair[0].read_text()
            if how == "signal":
                server.process.send_signal(signal.SIGHUP)
            until(lambda: serial(server) == new)
            until(lambda: server.log.read_text("utf-8").count("as it is now is in use") == workers)
            # From now on nobody shows the old one, and no connection is refused.
            assert all(serial(server) == new for _ in range(20))
            received = bytearray(began.partition(b"\r\n\r\n")[2])
            while len(received) < SIZE and (piece := download.recv(1024 * 1024)):
                received += piece
            assert bytes(received) == content
        with connection(server, pair[0]) as after:
            after.sendall(head("HEAD", key.presign("HEAD", "/tls/big"), {"Host": key.host}))
            assert read_reply(after, "HEAD").status == 200
        assert server.stop() == 0


def test_a_certificate_that_will_not_do_leaves_the_one_before(tmp_path: Path) -> None:
    pair = write_certificate(tmp_path)
    with running_server(tmp_path / "data", certificate=pair) as server:
        before = pair[0].read_text()
        write_certificate(tmp_path, name="other")
        (tmp_path / "other.pem").replace(pair[0])
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "The one before stays in use" in server.log.read_text("utf-8"))
        assert serial(server) == before
        assert server.stop() == 0


def test_a_pair_that_will_not_do_stops_the_start(tmp_path: Path) -> None:
    certificate, _ = write_certificate(tmp_path)
    _, key = write_certificate(tmp_path, name="other")
    command = [sys.executable, "-m", "valetkey", "serve", "--data", str(tmp_path / "data")]
    command += ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "cannot be used: KEY_VALUES_MISMATCH" in done.stderr
    assert "Traceback" not in done.stderr
