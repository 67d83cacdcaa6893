"""One try: over TLS to the host that was named, without redirects, and not for ever."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from valetkey.links.webhooks import sending
from valetkey.links.webhooks.address import AllowedHost
from valetkey.links.webhooks.sending import Outcome

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"

Serve = Callable[[socket.socket], None]


def answering(answer: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received or not received.endswith(b"{}"):
            piece = connection.recv(65536)
            if not piece:
                return
            received += piece
        connection.sendall(answer)

    return serve


@contextmanager
def listening(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve one connection on a port of this machine's loopback."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def run() -> None:
            try:
                plain, _ = listener.accept()
                with (
                    plain,
                    closing(context.wrap_socket(plain, server_side=True) if context else plain) as one,
                ):
                    serve(one)
            except OSError:
                return

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            # For a receiver that nobody came to.
            with socket.socket() as last:
                last.connect_ex(listener.getsockname())
            thread.join()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """Return what a server for a name serves with, and the file of the certificate, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return context, file


def try_once(url: str, *hosts: str) -> Outcome:
    allowed = [AllowedHost.parse(host) for host in hosts]
    return sending.send(url, "{}", secret="s", at_s=1, hosts=allowed, networks=LOOPBACK)


@pytest.mark.parametrize(
    ("name", "is_known", "expected"),
    [
        ("localhost", True, Outcome.TAKEN),
        ("elsewhere.example", True, Outcome.FAILED),
        ("localhost", False, Outcome.FAILED),
    ],
    ids=["right", "of-another-name", "of-nobody-known"],
)
def test_the_receiver_must_have_the_certificate_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_known: bool, expected: Outcome
) -> None:
    context, file = certificate(tmp_path, name)
    other, other_file = certificate(tmp_path, "unrelated.example")
    assert other is not context
    monkeypatch.setenv("SSL_CERT_FILE", str(file if is_known else other_file))
    with listening(answering(TAKEN), context) as port:
        assert try_once(f"https://localhost:{port}/", f"localhost:{port}") is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("200 OK", Outcome.TAKEN),
        ("204 No Content", Outcome.TAKEN),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", Outcome.FAILED),
        ("410 Gone", Outcome.REFUSED),
        ("400 Bad Request", Outcome.FAILED),
        ("503 Service Unavailable", Outcome.FAILED),
        ("x", Outcome.FAILED),
    ],
)
def test_the_status_says_what_came_of_it(status: str, expected: Outcome) -> None:
    with listening(answering(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())) as port:
        assert try_once(f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}") is expected


def test_nobody_there_is_a_failure() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    assert try_once(f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}") is Outcome.FAILED


def test_a_host_that_is_not_allowed_any_more_is_given_up() -> None:
    assert try_once("http://127.0.0.1:1/", "hooks.example.com") is Outcome.REFUSED


def test_a_receiver_that_answers_a_byte_at_a_time_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_MOST_S", 0.5)

    def drip(connection: socket.socket) -> None:
        # Each byte comes before the limit that holds for one; only the limit for all ends it.
        connection.settimeout(0.05)
        while True:
            try:
                if not connection.recv(65536):
                    return
            except TimeoutError:
                connection.sendall(b"H")

    with listening(drip) as port:
        assert try_once(f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}") is Outcome.FAILED


def test_a_receiver_that_says_nothing_in_tls_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_MOST_S", 0.5)

    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            continue

    with listening(silent) as port:
        assert try_once(f"https://localhost:{port}/", f"localhost:{port}") is Outcome.FAILED
