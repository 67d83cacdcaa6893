"""boto3 clients that know nothing but what a test tells them."""

from __future__ import annotations

from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from valetkey.testing.server import RunningServer

S3Client = Any
"""boto3 makes the class at run time."""

STYLES: Final = ("default", "s3v4", "virtual", "virtual-s3v4")
"""How boto3 may be set up: V2 presigning or SigV4, and where the bucket's name stands."""

ODD_KEYS: Final = {
    "leading-slash": "/etc/passwd",
    "two-slashes": "a//b",
    "slashes-only": "///",
    "trailing-slash": "folder/",
    "dot": "./a",
    "dot-dot": "a/../../b",
    "dots": "..",
    "one-dot": ".",
    "plus": "a+b",
    "percent": "100%",
    "looks-encoded": "a%2Fb%20c",
    "space": " a  b ",
    "question-mark": "a?b=c&d#e",
    "punctuation": "!*'();:@&=$,[]{}<>|^`~\\\"",
    "umlauts": "Übergröße",
    "decomposed": "u\u0308",
    "emoji": "🔑/👩‍👩‍👧",
    "chinese": "钥匙",
    "right-to-left": "مفتاح",
    "control": "tab\tline\nreturn\rbell\x07",
    "longest": "ü" * 512,
}
"""Keys that some client or proxy somewhere gets wrong."""


def open_client(server: RunningServer, style: str = "default", **options: Any) -> S3Client:
    """Return a boto3 client for a server. `options` go to its `Config`."""
    settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}} | options
    if style.endswith("s3v4"):
        settings["signature_version"] = "s3v4"
    endpoint = server.endpoint
    if style.startswith("virtual"):
        settings["s3"] = {"addressing_style": "virtual"}
        endpoint = f"http://localhost:{server.port}"
    session = boto3.session.Session(
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name=server.region,
    )
    return session.client("s3", endpoint_url=endpoint, config=Config(**settings))


def refusal(error: ClientError) -> tuple[int, str]:
    """Return the status and the code of an error that boto3 raised."""
    answer: Any = error.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]
