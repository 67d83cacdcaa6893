"""The query parameters of a SigV4 signature, which signing writes and verifying reads.

Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

from typing import Final

ALGORITHM: Final = "X-Amz-Algorithm"
CREDENTIAL: Final = "X-Amz-Credential"
DATE: Final = "X-Amz-Date"
EXPIRES: Final = "X-Amz-Expires"
SIGNED_HEADERS: Final = "X-Amz-SignedHeaders"
SIGNATURE: Final = "X-Amz-Signature"
SECURITY_TOKEN: Final = "X-Amz-Security-Token"  # noqa: S105  # a name, not a token
CONTENT_SHA256: Final = "X-Amz-Content-Sha256"

REQUIRED: Final = (ALGORITHM, CREDENTIAL, SIGNATURE, DATE, SIGNED_HEADERS, EXPIRES)
ALL: Final = frozenset((*REQUIRED, SECURITY_TOKEN, CONTENT_SHA256))
"""The parameters that belong to the signature itself. Each may stand in a query once."""

MAX_LIFETIME_S: Final = 604_800
"""Seven days. S3: X-Amz-Expires must be less than a week (and takes the week itself)."""
