"""The credential of a SigV4 signature: who signed, and for which day, region and service.

Source: Amazon S3's answers to malformed credentials, which are the same sentences at both doors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from valetkey.sigv4.errors import SignatureError
from valetkey.sigv4.keys import SERVICE, TERMINAL

Refuse = Callable[[str, str | None], SignatureError]
"""Makes a door's own error from S3's sentence and the region that was expected, if it is that."""


class Credential(NamedTuple):
    """A credential that was found to be ours."""

    access_key: str
    date: str
    """yyyyMMdd."""
    region: str
    scope: str
    """Date, region, service and terminal, as the string to sign holds them."""


def parse_credential(text: str, *, region: str, refuse: Refuse, service: str = SERVICE) -> Credential:
    """Return the parts of `AKID/yyyyMMdd/region/service/aws4_request`.

    Raises:
        SignatureError: what `refuse` makes of the first fault found: number of parts, access key, form of
            the date, service, terminal, region.
    """
    parts = text.split("/")
    if len(parts) != 5:
        raise refuse(
            'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
            None,
        )
    access_key, date, claimed_region, claimed_service, terminal = parts
    if not access_key:
        raise refuse("a non-empty Access Key (AKID) must be provided in the credential.", None)
    if not (len(date) == 8 and date.isascii() and date.isdigit()):
        raise refuse(
            f'incorrect date format "{date}". This date in the credential must be in the format "yyyyMMdd".',
            None,
        )
    if claimed_service != service:
        raise refuse(f'incorrect service "{claimed_service}". This endpoint belongs to "{service}".', None)
    if terminal != TERMINAL:
        raise refuse(f'incorrect terminal "{terminal}". This endpoint uses "{TERMINAL}".', None)
    if claimed_region != region:
        raise refuse(f"the region '{claimed_region}' is wrong; expecting '{region}'", region)
    return Credential(access_key, date, region, f"{date}/{region}/{service}/{TERMINAL}")
