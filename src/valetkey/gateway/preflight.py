"""OPTIONS: what a browser asks before it sends a request from another origin. Never authenticated."""

from __future__ import annotations

from collections.abc import Mapping

from valetkey.gateway.call import Answer
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error


def answer_preflight(headers: Mapping[str, str]) -> Answer:
    """Answer as S3 does for a bucket without a CORS configuration.

    Raises:
        S3Error: always, with the answer in it.
    """
    if "origin" not in headers:
        raise S3Error(Code.BAD_REQUEST, "Insufficient information. Origin request header needed.")
    raise S3Error(Code.ACCESS_FORBIDDEN, "CORSResponse: CORS is not enabled for this bucket.")
