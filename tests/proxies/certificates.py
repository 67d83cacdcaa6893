"""Certificates for this machine, made on the spot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NAMES = ("localhost", "files.localhost", "store.localhost", "*.s3.localhost")


def write_certificate(folder: Path, *, name: str = "certificate") -> tuple[Path, Path]:
    """Write a certificate that signs itself, and its key; return both paths. What was there is replaced at once."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "valetkey test")])
    now = datetime.now(UTC)
    alternatives: list[x509.GeneralName] = [x509.DNSName(each) for each in NAMES]
    alternatives.append(x509.IPAddress(ip_address("127.0.0.1")))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    for path, content in zip(paths, (certificate.public_bytes(Encoding.PEM), private), strict=True):
        beside = path.with_suffix(".new")
        beside.write_bytes(content)
        beside.chmod(0o600)
        beside.replace(path)
    return paths
