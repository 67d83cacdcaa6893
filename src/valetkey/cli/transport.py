"""Signed S3 requests over HTTP, repeated while the trouble may pass."""

import hashlib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import urllib3

from valetkey.cli.credentials import Account
from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.file_slice import FileSlice, SliceReader
from valetkey.cli.location import Location
from valetkey.cli.presign import make_signer
from valetkey.cli.s3_xml import Fault, read_fault
from valetkey.sigv4.encoding import encode_component

MAX_ATTEMPTS: Final = 6
FIRST_PAUSE_S: Final = 0.5
MAX_PAUSE_S: Final = 8.0
CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 60.0
PATIENT_TIMEOUT_S: Final = 600.0
"""For CompleteMultipartUpload, which some services answer only when they have put the parts together."""

_PASSING_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
_PASSING_CODES: Final = frozenset({"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable"})
_SEND_BLOCK_BYTES: Final = 256 * 1024


class RefusedError(CliError):
    """The server answered, and the answer is no."""

    def __init__(self, *, status: int, fault: Fault | None, attempts: int) -> None:
        self.status = status
        self.code = fault.code if fault is not None else ""
        self.attempts = attempts
        words = f"{fault.code}: {fault.message}" if fault is not None else "no reason given"
        super().__init__(f"the server answered {status} {words}")


class UnreachableError(CliError):
    """No answer came, however often it was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One S3 operation."""

    method: str
    location: Location
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FileSlice = b""
    read_timeout_s: float = READ_TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said to a request that it carried out."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    body: bytes = field(repr=False)


def _ignore(_: int) -> None:
    return None


class Transport:
    """Sends requests for one account."""

    def __init__(self, account: Account, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._signer = make_signer(account)
        self._account = account
        self._pools = open_pools(account)
        self._pause = pause

    def send(
        self, request: Request, *, observe: Callable[[int], None] = _ignore, attempts: int = MAX_ATTEMPTS
    ) -> Answer:
        """Return the answer to `request`, which is sent up to `attempts` times with growing pauses.

        `observe` is told of bytes as they are sent, and of a negative number when they must be sent again.

        Raises:
            RefusedError: the server refused for good, or still failed at the last attempt.
            UnreachableError: the connection failed at every attempt.
        """
        sha256_hex = _sha256_hex(request.body)
        for attempt in range(1, attempts + 1):
            try:
                return self._send_once(request, sha256_hex=sha256_hex, observe=observe, attempt=attempt)
            except RefusedError as error:
                if attempt == attempts or not _may_pass(error):
                    raise
            except urllib3.exceptions.HTTPError as error:
                if attempt == attempts or isinstance(error, urllib3.exceptions.SSLError):
                    raise UnreachableError(
                        f"cannot reach {self._account.endpoint or 'AWS'}: {reason_of(error)}"
                    ) from error
            self._pause(min(FIRST_PAUSE_S * 2 ** (attempt - 1), MAX_PAUSE_S))
        raise AssertionError("attempts is at least 1")

    def _send_once(
        self, request: Request, *, sha256_hex: str, observe: Callable[[int], None], attempt: int
    ) -> Answer:
        url = self._url(request)
        headers = self._signer.sign_headers(
            request.method, url, request.headers, payload_sha256=sha256_hex, at=datetime.now(UTC)
        )
        body: bytes | SliceReader
        if isinstance(request.body, FileSlice):
            body = request.body.reader(observe)
            headers["content-length"] = str(request.body.size)
        else:
            body = request.body
        try:
            answer = exchange(
                self._pools,
                request.method,
                url,
                headers=headers,
                body=body,
                read_timeout_s=request.read_timeout_s,
            )
        except urllib3.exceptions.HTTPError:
            _take_back(body, observe)
            raise
        fault = read_fault(answer.body)
        if answer.status >= 300 or fault is not None:
            _take_back(body, observe)
            raise RefusedError(status=answer.status, fault=fault, attempts=attempt)
        return answer

    def _url(self, request: Request) -> str:
        """Return the URL of `request`: the signer knows where in it the bucket and the key stand."""
        where = self._signer.presign(request.method, request.location.bucket, request.location.key).url
        query = "&".join(
            f"{encode_component(name)}={encode_component(value)}" for name, value in request.query.items()
        )
        bare = where.partition("?")[0]
        return f"{bare}?{query}" if query else bare


def open_pools(account: Account) -> urllib3.PoolManager:
    """Return the connections to the account's service.

    Raises:
        BadInputError: the authorities that it needs cannot be read.
    """
    context = None
    if account.ca_bundle is not None and not (account.endpoint or "").startswith("http://"):
        try:
            # Those alone, as with the AWS CLI.
            context = ssl.create_default_context(cafile=account.ca_bundle)
        except OSError as error:
            raise BadInputError(
                f"the certificates in {account.ca_bundle} (AWS_CA_BUNDLE) cannot be used: {reason_of(error)}"
            ) from error
    return urllib3.PoolManager(blocksize=_SEND_BLOCK_BYTES, retries=False, ssl_context=context)


def exchange(
    pools: urllib3.PoolManager,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | SliceReader = b"",
    read_timeout_s: float = READ_TIMEOUT_S,
) -> Answer:
    """Send one request as it was signed, and return what comes back.

    Raises:
        urllib3.exceptions.HTTPError: no answer came; `reason_of` says why.
    """
    parts = urlsplit(url)
    # Through the pool and not the manager, which would rewrite '.' and '..' in the signed path.
    pool = pools.connection_from_host(parts.hostname, port=parts.port, scheme=parts.scheme)
    response = pool.urlopen(
        method,
        f"{parts.path}?{parts.query}" if parts.query else parts.path,
        body=body,  # type: ignore[arg-type]  # urllib3 asks for a whole file object, and only ever reads
        headers=headers,
        redirect=False,
        retries=False,
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s),
    )
    return Answer(status=response.status, headers=response.headers, body=response.data)


def _sha256_hex(body: bytes | FileSlice) -> str:
    return body.sha256_hex() if isinstance(body, FileSlice) else hashlib.sha256(body).hexdigest()


def _may_pass(error: RefusedError) -> bool:
    return error.status in _PASSING_STATUSES or error.code in _PASSING_CODES


def _take_back(body: bytes | SliceReader, observe: Callable[[int], None]) -> None:
    if isinstance(body, SliceReader):
        observe(-body.consumed)


def reason_of(error: Exception) -> str:
    """Return the innermost cause in words: urllib3's own are wrapped twice and name its objects."""
    inner: BaseException = error
    while (deeper := inner.__cause__ or inner.__context__) is not None:
        inner = deeper
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(inner) or type(inner).__name__
