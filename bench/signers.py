"""The peers that sign, each set up once and given the same credentials, host, bucket and lifetime."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bench.rounds import AbsentSide, MissingPeerError, Side, cpu_rate

ACCESS_KEY: Final = "AKIDBENCHMARK0000001"
SECRET_KEY: Final = "bench/secret+0123456789abcdefghijklmnopq"
REGION: Final = "us-east-1"
HOST: Final = "storage.example.com"
BUCKET: Final = "benchmark"
EXPIRES_S: Final = 3600

JS: Final = Path(__file__).resolve().parent / "js"

SignOne = Callable[[str], object]
SignAll = Callable[[Sequence[str]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A signer that can be measured."""

    first_url: str
    """Of the first key, to be proved before anything is measured."""
    measure: Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A signer that may be installed."""

    name: str
    prepare: Callable[[Sequence[str], ExitStack], Ready]
    """Gets the keys to sign over and over. Raises MissingPeerError."""


def sign_each(sign: SignOne, keys: Sequence[str]) -> Callable[[float], float]:
    """Return the measuring of a signer that takes one key at a time."""

    def work() -> int:
        for key in keys:
            sign(key)
        return len(keys)

    return cpu_rate(work)


def sign_all(sign: SignAll, keys: Sequence[str]) -> Callable[[float], float]:
    """Return the measuring of a signer that takes all keys in one call."""

    def work() -> int:
        sign(keys)
        return len(keys)

    return cpu_rate(work)


def _boto3(keys: Sequence[str], _stack: ExitStack) -> Ready:
    try:
        import boto3  # noqa: PLC0415 - the other sides are measured without it too
        from botocore.config import Config  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingPeerError(_missing("boto3")) from error
    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=f"https://{HOST}",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    presign = client.generate_presigned_url

    def sign(key: str) -> str:
        url: str = presign("get_object", {"Bucket": BUCKET, "Key": key}, EXPIRES_S)
        return url

    return Ready(first_url=sign(keys[0]), measure=sign_each(sign, keys))


def _minio(keys: Sequence[str], _stack: ExitStack) -> Ready:
    try:
        from minio import Minio  # noqa: PLC0415 - the other sides are measured without it too
    except ImportError as error:
        raise MissingPeerError(_missing("minio")) from error
    # With the region given it does not ask the server where the bucket is.
    presign = Minio(HOST, access_key=ACCESS_KEY, secret_key=SECRET_KEY, region=REGION).presigned_get_object
    lifetime = timedelta(seconds=EXPIRES_S)

    def sign(key: str) -> str:
        return presign(BUCKET, key, lifetime)

    return Ready(first_url=sign(keys[0]), measure=sign_each(sign, keys))


def _libpresign(keys: Sequence[str], _stack: ExitStack) -> Ready:
    try:
        from libpresign import get  # noqa: PLC0415 - ships for one platform only
    except ImportError as error:
        raise MissingPeerError(_missing("libpresign")) from error

    def sign(key: str) -> str:
        # It takes a host as endpoint and writes virtual-host style only; the work is the same.
        url: str = get(
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            region=REGION,
            bucket=BUCKET,
            key=key,
            expires=EXPIRES_S,
            endpoint=HOST,
        )
        return url

    return Ready(first_url=sign(keys[0]), measure=sign_each(sign, keys))


def _fast_s3_url(keys: Sequence[str], _stack: ExitStack, *, is_batch: bool) -> Ready:
    try:
        from fast_s3_url import Credentials, FastS3UrlSigner  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingPeerError(_missing("fast-s3-url")) from error
    presign = FastS3UrlSigner(
        bucket_endpoint_url=f"https://{HOST}/{BUCKET}/",
        aws_region=REGION,
        credentials=Credentials(access_key=ACCESS_KEY, secret_key=SECRET_KEY),
    ).generate_presigned_get_object_urls

    def sign(some: Sequence[str]) -> list[str]:
        urls: list[str] = presign(list(some), expires_in=EXPIRES_S)
        return urls

    measure = sign_all(sign, keys) if is_batch else sign_each(lambda key: sign([key]), keys)
    return Ready(first_url=sign(keys[:1])[0], measure=measure)


def _javascript(keys: Sequence[str], stack: ExitStack) -> Ready:
    node = shutil.which("node")
    if node is None:
        raise MissingPeerError("node is not on PATH; Debian's package nodejs brings it.")
    if not (JS / "node_modules" / "@aws-sdk" / "s3-request-presigner").exists():
        raise MissingPeerError(f"Its package is not installed in {JS.name}/; `make bench` does that.")
    process = stack.enter_context(
        subprocess.Popen(
            # Without its advice on versions of Node.js; errors are shown.
            [node, "--no-warnings", JS / "presign.js"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # It ends when it hears no more.
    stack.callback(process.stdin.close)

    def ask(question: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{question}\n")
        answer = process.stdout.readline().strip()
        if not answer:
            raise RuntimeError("The JavaScript presigner ended.")
        return answer

    settings = {
        "accessKey": ACCESS_KEY,
        "secretKey": SECRET_KEY,
        "region": REGION,
        "endpoint": f"https://{HOST}",
        "bucket": BUCKET,
        "expiresIn": EXPIRES_S,
        "keys": keys,
    }
    return Ready(first_url=ask(json.dumps(settings)), measure=lambda seconds: float(ask(str(seconds))))


BOTO3: Final = Peer(name="boto3", prepare=_boto3)
MINIO: Final = Peer(name="minio-py", prepare=_minio)
LIBPRESIGN: Final = Peer(name="libpresign (C++)", prepare=_libpresign)
FAST_S3_URL: Final = Peer(
    name="fast-s3-url", prepare=lambda keys, stack: _fast_s3_url(keys, stack, is_batch=False)
)
FAST_S3_URL_BATCH: Final = Peer(
    name="fast-s3-url (batch)", prepare=lambda keys, stack: _fast_s3_url(keys, stack, is_batch=True)
)
JAVASCRIPT: Final = Peer(name="aws-sdk-js-v3 (Node.js)", prepare=_javascript)


def _missing(package: str) -> str:
    return f"The Python package {package} is not installed; `make bench` brings it."


@contextmanager
def peer_sides(
    peers: Sequence[tuple[Peer, Sequence[str], float | None]], require_valid: Callable[[str, str], None]
) -> Iterator[tuple[list[Side], list[AbsentSide]]]:
    """Set up each peer with its keys and the goal against it, and prove a URL of each."""
    sides, absent = [], []
    with ExitStack() as stack:
        for peer, keys, goal in peers:
            try:
                ready = peer.prepare(keys, stack)
            except MissingPeerError as error:
                absent.append(AbsentSide(name=peer.name, reason=str(error), goal=goal))
                continue
            require_valid(peer.name, ready.first_url)
            sides.append(Side(name=peer.name, measure=ready.measure, goal=goal))
        yield sides, absent
