"""The values that pass through one request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from valetkey.gateway.guards import Guards
from valetkey.links.model import Link
from valetkey.policy.principal import Principal
from valetkey.s3.cors import CorsRules
from valetkey.s3.grants import Ownership
from valetkey.s3.lifecycle import DAY_MS
from valetkey.s3.operations import Operation
from valetkey.s3.post_form import PostForm
from valetkey.s3.post_policy import SizeRange
from valetkey.s3.target import Target
from valetkey.sigv4.claims import AuthType
from valetkey.sigv4.payload import Payload
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import Proof, SignedHost
from valetkey.store.model import Bucket, StoredObject
from valetkey.store.store import Store

if TYPE_CHECKING:
    from valetkey.gateway.authority import Authority

Body = Callable[[], AsyncIterator[bytes]]


@dataclass(slots=True)
class Trail:
    """How far a request came, for whoever watches. Nothing is decided by it."""

    target: Target | None = None
    operation: str | None = None
    principal: Principal | None = None
    """Who asks, once that is proved."""
    proof: Proof | None = None
    bucket: Bucket | None = None
    link: Link | None = None
    """The managed link that it comes by, once that is proved."""


@dataclass(slots=True)
class Request:
    """One HTTP request as the server received it, untouched."""

    method: str
    raw_path: bytes
    """The path as it stood on the wire, before the `?`."""
    raw_query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case, in the order of arrival."""
    body: Body
    """Starts reading the body. Calling it sends `100 Continue` where the client waits for that."""
    now: datetime
    """The one instant by which everything in this request is judged."""
    remote: str = ""
    """The client's address; empty if it is unknown."""
    is_secure: bool = False
    """The client spoke TLS, with us or with a trusted proxy."""
    forwarded_hosts: tuple[SignedHost, ...] = ()
    """What the client may have written into Host, as a trusted proxy tells, beside the Host received. Where that
    one names a bucket, so do these, the same one."""
    trail: Trail = field(default_factory=Trail)
    """Filled while the request is run."""

    is_password_proved: bool = False
    """A page of ours has asked for the link's password, and it was right."""

    _now_ms: int = 0

    @property
    def now_ms(self) -> int:
        """The same in milliseconds since the epoch."""
        if not self._now_ms:
            self._now_ms = round(self.now.timestamp() * 1000)
        return self._now_ms

    def with_body(self, body: Body) -> Request:
        """Return the same request with another body. By hand: `dataclasses.replace` takes 2 µs, seven times as long."""
        return Request(
            self.method, self.raw_path, self.raw_query, self.headers, body, self.now, self.remote, self.is_secure,
            self.forwarded_hosts, self.trail, self.is_password_proved, self._now_ms,
        )  # fmt: skip


class Stream(Protocol):
    """Content on its way out. Iterated at most once, and closed in every case."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def close(self) -> None:
        """Release the file behind it; may be called twice."""


@dataclass(slots=True)
class Answer:
    """What goes back to the client."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes | Stream = b""
    content_length: int | None = None
    """Bytes that the body has, or would have for GET (HEAD). None: no `Content-Length` at all (204, 304)."""
    error_code: str | None = None
    operation: str | None = None
    bucket: str | None = None
    key: str | None = None
    access_key: str | None = None
    auth_type: AuthType | None = None
    on_sent: Callable[[int], None] | None = None
    """Told once how many bytes of the body went out; -1 where its first bytes could not be read."""
    shown: StoredObject | None = None
    """What headers and body tell of, where that is one object in all, and its content is not on its way from a file."""


@dataclass(slots=True)
class RepeatedAnswer(Answer):
    """An answer that was given before: what it tells of was done then, and not by this request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings that requests are judged by."""

    region: str
    domains: tuple[str, ...] = ()
    """Domains under which a bucket's name may stand in the Host."""
    signed_hosts: tuple[SignedHost, ...] = ()
    """Public endpoints that a signature may have been made for, beside the Host as received."""
    public_urls: Mapping[str, str] = field(default_factory=dict)
    """The same as clients write them, such as `https://example.com/s3`, by the Host that they then send."""
    is_strict: bool = False
    """True: exactly Amazon's behaviour, also where it serves users worse (HEAD on a GET link)."""
    owner_id: str = ""
    """Canonical user id of the root account, 64 hex digits."""
    token_key: bytes = field(default=b"", repr=False)
    """What the tokens that continue a listing are made with; a secret of the server."""
    lifecycle_day_ms: int = DAY_MS
    """How long a day of a lifecycle rule is; shorter in tests."""
    object_ownership: Ownership = Ownership.BUCKET_OWNER_ENFORCED
    """Of new buckets that are not given another."""
    cors: CorsRules = ()
    """What pages of other origins may do with buckets that have no rules of their own."""
    guards: Guards = field(default_factory=Guards)
    contains_links: bool = True
    """True: answers on presigned URLs tell browsers to keep URL and content to themselves."""

    def owner_of(self, bucket: Bucket) -> str:
        """Return the canonical user id of the account that owns a bucket."""
        return bucket.owner_id or self.owner_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedForm:
    """A browser's form, whose file is the body of the request."""

    form: PostForm
    size: SizeRange
    """How large the file may be."""
    size_hint: int | None
    """Bytes that the file has at most, as far as the request tells, and exactly so if nothing follows it."""


@dataclass(slots=True)
class Call:
    """A request that has been authenticated and authorised, ready to run."""

    request: Request
    operation: Operation
    bucket_name: str
    """Empty for operations on the whole service."""
    key: str
    """Empty for operations on a bucket or the whole service."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Request headers by lower-case name, with those that a presigned query stands in for."""
    principal: Principal
    proof: Proof | None
    authority: Authority
    """What the caller may do, beyond what the operation itself takes."""
    known_bucket: Bucket | None
    """None where there is no bucket, or not yet."""
    store: Store
    keys: Keys
    rules: Rules
    new_id: Callable[[], str]
    """Makes an id that nobody can guess, of characters that need no encoding in a query."""
    form: PostedForm | None = None
    """For PostObject only."""
    is_virtual: bool = False
    """True: the bucket's name stood in the Host."""
    link: Link | None = None
    """The managed link that it comes by."""

    @property
    def bucket(self) -> Bucket:
        """The bucket that the operation is about, as it was when the request was authorised."""
        assert self.known_bucket is not None
        return self.known_bucket

    @property
    def now_ms(self) -> int:
        """The one instant by which this request is judged, in milliseconds since the epoch."""
        return self.request.now_ms

    @property
    def payload(self) -> Payload | None:
        """What the signature says of the body; None where nobody signed."""
        return self.proof.payload if self.proof else None


class Keys(Protocol):
    """Who knows the secrets of the access keys."""

    def find(self, access_key: str) -> tuple[Secret, Principal] | None:
        """Return the secret of `access_key` and whose it is, or None where no such key is active."""

    def find_session(self, access_key: str, token: str, *, now_ms: int) -> tuple[Secret, Principal] | None:
        """Return the secret of temporary credentials, and whose they are; None if the key is none of theirs.

        Raises:
            S3Error: InvalidToken or ExpiredToken.
        """

    def note_use(self, access_key: str, *, now_ms: int) -> None:
        """Remember that a key has signed a request, to the minute. Nothing waits for that."""

    def name_of(self, account_id: str) -> str | None:
        """Return the display name of an account, or None if there is no such account (any more)."""

    def id_by_email(self, email: str) -> str | None:
        """Return the canonical user id of the account with this email address, or None."""
