"""The face of the signing half."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from valetkey.sigv4.credentials import SigningCredentials, require_credentials
from valetkey.sigv4.endpoint import Addressing, Endpoint, Place, amazon_endpoint, require_addressing
from valetkey.sigv4.errors import MisuseError
from valetkey.sigv4.header_auth import sign_request
from valetkey.sigv4.keys import SERVICE
from valetkey.sigv4.post_policy import Condition, PresignedPost, make_post
from valetkey.sigv4.presign import (
    PresignedURL,
    Stamp,
    lifetime_seconds,
    make_stamp,
    make_template,
    stable_window,
)
from valetkey.sigv4.secret import Secret

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


_Asked = tuple[str, str, int | timedelta]
"""Method, bucket and lifetime of a plain URL."""
_Usual = tuple[Callable[[str], str], datetime, Mapping[str, str]]
"""What makes the URL of a key, when it ends, and the headers to send. A bare tuple: each of its values has a name where
it is used, and a named one would cost a twentieth of a URL."""


class Signer:
    """Signs requests to S3 or any service that speaks its protocol. It never talks to it."""

    __slots__ = (
        "_addressing",
        "_credentials",
        "_endpoint",
        "_recent_place",
        "_recent_stamp",
        "_recent_usual",
    )

    def __init__(
        self,
        access_key: str,
        secret_key: str | Secret,
        *,
        region: str = "us-east-1",
        endpoint: str | None = None,
        session_token: str | None = None,
        addressing: Addressing = "auto",
        service: str = SERVICE,
    ) -> None:
        """Sign in the name of `access_key`, for the service at `endpoint` (None: Amazon S3 in `region`).

        The endpoint is the address that the URL's holder will use, such as `https://s3.example.com:8443`,
        with a path prefix if there is one.

        Raises:
            MisuseError: one of the values cannot be signed with.
        """
        require_addressing(addressing)
        credentials = SigningCredentials(
            access_key=access_key,
            secret=secret_key if isinstance(secret_key, Secret) else Secret(secret_key),
            region=region,
            service=service,
            session_token=None if session_token is None else Secret(session_token),
        )
        require_credentials(credentials)
        self._credentials: Final = credentials
        self._endpoint: Final = Endpoint.parse(amazon_endpoint(region) if endpoint is None else endpoint)
        self._addressing: Final[Addressing] = addressing
        self._recent_usual: tuple[_Asked, _Usual, Stamp] | None = None
        self._recent_stamp: Stamp | None = None
        self._recent_place: tuple[str | None, Place] | None = None

    @property
    def access_key(self) -> str:
        return self._credentials.access_key

    @property
    def region(self) -> str:
        return self._credentials.region

    @property
    def endpoint(self) -> str:
        """The endpoint without default port and trailing slash."""
        return str(self._endpoint)

    def presign(
        self,
        method: str,
        bucket: str | None,
        key: str | None = None,
        *,
        expires: int | timedelta = 3600,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        payload_sha256: str | None = None,
        at: datetime | None = None,
        stable_for: int | timedelta | None = None,
    ) -> PresignedURL:
        """Return the URL that lets its holder do `method` on an object until it ends.

        Without `key` it is about the bucket, without `bucket` too about the whole service. `expires` is in
        whole seconds, 1 to 604,800, counted from `at` (an aware instant; None reads the clock). `query` are
        parameters of the operation, such as `{"versionId": "…"}`; a parameter without value has "". The
        holder must send `headers` exactly so, and `payload_sha256` as x-amz-content-sha256; nothing else
        is fixed but host, path and query.

        With `stable_for`, whole seconds, all calls within one such window of the clock return the same URL, so that
        caches can work; it then lives up to that much longer than `expires`, and never shorter.

        Raises:
            MisuseError: one of the values cannot be signed. The message says which, and what to do.
        """
        is_plain = query is None and headers is None and payload_sha256 is None and stable_for is None
        if is_plain and at is None and bucket is not None and key is not None:
            usual = self._usual(method, bucket, expires)
            url_of_key, expires_at, sent = usual
            return PresignedURL(url_of_key(key), method, expires_at, sent)
        place = self._place(bucket)
        signed_at, lifetime_s = _instant(at), lifetime_seconds(expires)
        if stable_for is not None:
            signed_at, lifetime_s = stable_window(signed_at, lifetime_s, stable_for)
        template = make_template(
            self._stamp(signed_at), place, method, lifetime_s, query, headers, payload_sha256
        )
        return PresignedURL(template.url(place.path(key)), method, template.expires_at, template.headers)

    def presign_many(
        self,
        method: str,
        bucket: str,
        keys: Iterable[str],
        *,
        expires: int | timedelta = 3600,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        payload_sha256: str | None = None,
        at: datetime | None = None,
    ) -> Iterator[str]:
        """Return the URLs of many objects, made one by one as they are taken.

        All begin and end at the same instants. The arguments mean what they mean for `presign`.

        Raises:
            MisuseError: one of the values cannot be signed; for a key, when its turn comes.
        """
        place = self._place(bucket)
        stamp, lifetime_s = self._stamp(_instant(at)), lifetime_seconds(expires)
        template = make_template(stamp, place, method, lifetime_s, query, headers, payload_sha256)
        if isinstance(keys, list | tuple):
            return template.urls_of_keys(place.prefix_of_keys(), keys)
        # Others may not know yet what they will give, so nothing is taken ahead.
        return map(template.url_of_key(place.prefix_of_keys()), keys)

    def presign_post(
        self,
        bucket: str,
        key: str,
        *,
        expires: int | timedelta = 3600,
        conditions: Sequence[Condition] = (),
        fields: Mapping[str, str] | None = None,
        content_length_range: tuple[int, int] | None = None,
        at: datetime | None = None,
    ) -> PresignedPost:
        """Return the form that lets its holder upload one file until it ends.

        A key that ends in `${filename}` takes the name of the uploaded file. Each of `fields` is fixed by
        the policy, unless one of `conditions` says what it may be. `content_length_range` is (least, most)
        in bytes, both included. `expires` and `at` mean what they mean for `presign`.

        Raises:
            MisuseError: one of the values cannot be signed.
        """
        return make_post(
            self._credentials,
            self._endpoint.place(bucket, addressing=self._addressing),
            bucket=bucket,
            key=key,
            at=_instant(at),
            lifetime_s=lifetime_seconds(expires),
            conditions=conditions,
            fields=_NOTHING if fields is None else fields,
            content_length_range=content_length_range,
        )

    def sign_headers(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        payload_sha256: str | None = None,
        at: datetime | None = None,
    ) -> dict[str, str]:
        """Return `headers` with those that authenticate a request which one sends oneself.

        `url` is the encoded URL, signed as it stands. Give the `body`, or else as `payload_sha256` its
        SHA-256 in hex, `UNSIGNED-PAYLOAD` or one of the `STREAMING-…` words; neither means an empty body.
        `at` is an aware instant; None reads the clock.

        Raises:
            MisuseError: one of the values cannot be signed.
        """
        if body is not None and payload_sha256 is not None:
            raise MisuseError("give either the body or payload_sha256")
        return sign_request(
            self._credentials,
            method=method,
            url=url,
            headers=_NOTHING if headers is None else headers,
            payload_line=sha256(body or b"").hexdigest() if payload_sha256 is None else payload_sha256,
            at=_instant(at),
        )

    def _usual(self, method: str, bucket: str, expires: int | timedelta) -> _Usual:
        """Return what the plainest URLs of one method and bucket share; the last again within its second.

        Nearly all URLs are such, and come in rows: it saves half of the time of one.
        """
        now, stamp = _instant(None), None
        if self._recent_usual is not None:
            asked, usual, stamp = self._recent_usual
            if not stamp.at <= now < stamp.next_at:
                stamp = None
            # The type too, since Python takes True and 1.0 for 1.
            elif asked == (method, bucket, expires) and type(asked[2]) is type(expires):
                return usual
        if stamp is None:
            stamp = make_stamp(self._credentials, now)
        place = self._place(bucket)
        template = make_template(stamp, place, method, lifetime_seconds(expires), None, None, None)
        url_of_key = template.url_of_key(place.prefix_of_keys())
        # One assignment, so that threads see either the old one or the new one.
        usual = (url_of_key, template.expires_at, template.headers)
        self._recent_usual = ((method, bucket, expires), usual, stamp)
        return usual

    def _stamp(self, at: datetime) -> Stamp:
        """Return the stamp of the second of `at`; the last one again within its second."""
        recent = self._recent_stamp
        if recent is not None and at.tzinfo is UTC and recent.at <= at < recent.next_at:
            return recent
        # One assignment, so that threads see either the old stamp or the new one.
        self._recent_stamp = stamp = make_stamp(self._credentials, at)
        return stamp

    def _place(self, bucket: str | None) -> Place:
        """Return where the bucket is; the last answer again for the same bucket."""
        recent = self._recent_place
        if recent is not None and recent[0] == bucket:
            return recent[1]
        place = self._endpoint.place(bucket, addressing=self._addressing)
        self._recent_place = (bucket, place)
        return place

    def __repr__(self) -> str:
        return f"Signer(access_key={self.access_key!r}, region={self.region!r}, endpoint={self.endpoint!r})"


def _instant(at: datetime | None) -> datetime:
    # The one place in this room that reads the clock: the outermost call, for people at a prompt.
    return datetime.now(UTC) if at is None else at  # noqa: TID251  # see above
