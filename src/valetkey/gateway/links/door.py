"""The door for requests by links: who signed, what the grant says, and by whose rights it is bounded.

What is signed is the link itself: the method of its first verb, its key or prefix, and its query. Which of the granted
verbs a request is, which key under the prefix it names, and which step of an upload it takes, need not be signed: the
grant decides about them, and whoever holds the link's signature holds the link. No other variation is taken.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from valetkey.gateway.call import Keys, Request, Rules
from valetkey.gateway.faults import UnknownAccessKeyError
from valetkey.gateway.links.password_door import PasswordDoor
from valetkey.links import Ledger, LinkRefusedError, Rule
from valetkey.links.model import ID_CHARS, ID_PREFIX, Grant, Link, Verb, is_link_id
from valetkey.links.rules import require_address, require_asked, require_open
from valetkey.policy.principal import Principal
from valetkey.s3.disposition import attachment
from valetkey.s3.target import Target
from valetkey.sigv4.claims import AuthType, Claim, SignatureVersion, read_claim
from valetkey.sigv4.encoding import encode_path
from valetkey.sigv4.errors import SignatureMismatchError
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import Proof, require_signature

# Of its whole form: other keys may begin so.
_MARK: Final = re.compile(
    rb"X-Amz-Credential=%b[A-Z2-7]{%d}(?:/|%%2[Ff])" % (ID_PREFIX.encode(), ID_CHARS - len(ID_PREFIX))
).search

_UPLOAD_STEPS: Final = frozenset(
    {b"uploads", b"uploadId", b"partNumber", b"max-parts", b"part-number-marker"}
)
_LISTING: Final = frozenset(
    {
        b"list-type",
        b"prefix",
        b"delimiter",
        b"continuation-token",
        b"start-after",
        b"max-keys",
        b"encoding-type",
    }
)

ZIP: Final = "zip"
"""The parameter that asks for all of a prefix."""

_ARCHIVE: Final = frozenset({ZIP.encode()})

_MOST_KNOWN: Final = 8192


@dataclass(frozen=True, slots=True)
class KnownLink:
    """A link with its secret, and for whom it acts."""

    link: Link
    secret: Secret = field(repr=False)
    issuer_secret: Secret | None = field(repr=False)
    """That of the key which made the link: by it shows that all is as it was with the issuer. None: there is no such key."""
    issuer: Principal | None
    """None: the key counts no more, or is somebody else's by now."""


class LinkDoor:
    """Knows the links of one ledger. It serves as `Keys` for what was admitted once by a link."""

    def __init__(self, *, ledger: Ledger, keys: Keys, rules: Rules, secret_key: bytes) -> None:
        """`secret_key` is what the links' secrets are derived from: 32 bytes that only the server has."""
        self.ledger: Final = ledger
        self._keys = keys
        self._rules = rules
        self.secret_key: Final = secret_key
        self.passwords: Final = PasswordDoor(secret_key)
        self._known: OrderedDict[str, KnownLink] = OrderedDict()

    def secret_of(self, link_id: str) -> Secret:
        """Return what a link's URLs are signed with."""
        return Secret(
            b32encode(hmac.digest(self.secret_key, link_id.encode(), "sha256")).decode().rstrip("=")
        )

    def find(self, link_id: str) -> KnownLink | None:
        """Return a link; the same value as long as nothing of its grant, its state or its issuer changes."""
        link = self.ledger.find(link_id)
        if link is None:
            return None
        found = self._keys.find(link.issuer.access_key)
        issuer_secret = None if found is None else found[0]
        known = self._known.get(link_id)
        if known is None or known.link is not link or known.issuer_secret is not issuer_secret:
            issuer = None if found is None or not _is_issuer(found[1], link) else found[1]
            known = self._known[link_id] = KnownLink(link, self.secret_of(link_id), issuer_secret, issuer)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return known

    def is_current(self, link: Link) -> bool:
        """Return whether a link is as it was when it was found."""
        return self.ledger.find(link.id) is link

    def find_signer(self, access_key: str) -> tuple[Secret, Principal] | None:
        """Return the secret of a key, or of a link, and for whom it acts; None if it counts no more."""
        if not is_link_id(access_key):
            return self._keys.find(access_key)
        known = self.find(access_key)
        return None if known is None or known.issuer is None else (known.secret, known.issuer)

    def authenticate(self, request: Request, target: Target) -> tuple[Principal, Proof, Link]:
        """Return for whom a request by a link acts, and the proof that it holds the link.

        Raises:
            SignatureError, UnknownAccessKeyError
            LinkRefusedError: the issuer's key counts no more.
        """
        received = _received(request, request.raw_query)
        claim = self._claim(received, request)
        known = self.find(claim.access_key)
        if known is None:
            raise UnknownAccessKeyError(claim.access_key)
        signed = _signed(request, target, known.link)
        is_same_query = signed.raw_query is request.raw_query
        try:
            own_claim = claim if is_same_query else self._claim(signed, request)
            proof = self._proof(own_claim, signed, target, known)
        except SignatureMismatchError:
            # Told of what was sent, and not of what the link reaches.
            self._proof(claim, received, target, known)
            raise
        if known.issuer is None:
            raise LinkRefusedError(Rule.ISSUER)
        return known.issuer, proof, known.link

    def require(
        self,
        link: Link,
        request: Request,
        *,
        operation: str,
        target: Target,
        query: Mapping[str, str],
    ) -> None:
        """Return if the grant covers the request.

        Raises:
            LinkRefusedError
        """
        grant = link.grant
        require_open(link, now_ms=request.now_ms)
        if grant.addresses:
            require_address(grant, request.remote)
        require_asked(
            grant,
            operation=operation,
            bucket=target.bucket,
            key=target.key,
            prefix=query.get("prefix", ""),
        )

    def _proof(self, claim: Claim, signed: ReceivedRequest, target: Target, known: KnownLink) -> Proof:
        return require_signature(
            claim,
            signed,
            secret=known.secret,
            alternatives=() if target.virtual else self._rules.signed_hosts,
        )

    def _claim(self, received: ReceivedRequest, request: Request) -> Claim:
        claim = read_claim(received, region=self._rules.region, now=request.now, is_time_judged=False)
        if claim is None or claim.auth_type is not AuthType.QUERY or claim.version is not SignatureVersion.V4:
            raise UnknownAccessKeyError("")
        return claim


def _is_issuer(principal: Principal, link: Link) -> bool:
    """Return whether a caller is the one who made a link, and not another who has its key by now."""
    return (principal.account_id, principal.unique_id or None) == (link.issuer.account_id, link.issuer.user)


def is_by_link(request: Request) -> bool:
    """Return whether a request says to be signed by a link. Spelt otherwise, its key is nobody's."""
    return _MARK(request.raw_query) is not None


def answer_query(link: Link) -> dict[str, str]:
    """Return the parameters by which S3 would be told how to answer, as the link's issuer has it."""
    grant = link.grant
    wanted = {
        "response-content-type": grant.content_type,
        "response-cache-control": grant.cache_control,
        "response-content-disposition": grant.filename and attachment(grant.filename),
        "versionId": grant.version_id,
    }
    return {name: value for name, value in wanted.items() if value}


def asked_of(link: Link, target: Target, query: Mapping[str, str]) -> Target:
    """Return what a request by a link asks for: the ZIP file of a whole bucket is that of its empty prefix."""
    grant = link.grant
    is_whole = target.key is None and grant.is_prefix and not grant.key and ZIP in query
    return replace(target, key="") if is_whole else target


def signed_path(link: Link, *, is_virtual: bool) -> str:
    """Return the encoded path that a link is signed with."""
    key = encode_path(link.grant.key)
    return f"/{key}" if is_virtual else f"/{link.grant.bucket}/{key}"


def signature_digest(access_key: str, signature: str) -> bytes:
    """Return by what the signature of an ordinary URL is remembered.

    Together with its key: nobody takes back a URL by pasting it with a key of their own.
    """
    return hashlib.sha256(f"{access_key}\n{signature}".encode("utf-8", "replace")).digest()


def free_parameters(grant: Grant) -> frozenset[bytes]:
    """Return the names of what may stand in a link's query without being signed."""
    free: frozenset[bytes] = frozenset()
    if Verb.MULTIPART in grant.verbs:
        free |= _UPLOAD_STEPS
    if Verb.LIST in grant.verbs:
        free |= _LISTING
    if grant.is_prefix:
        free |= _ARCHIVE
    return free


def _signed(request: Request, target: Target, link: Link) -> ReceivedRequest:
    """Return the request as it would be if it asked for what the link was signed with."""
    grant = link.grant
    free = free_parameters(grant)
    raw_query = request.raw_query
    if free:
        pieces = raw_query.split(b"&")
        raw_query = b"&".join([piece for piece in pieces if piece.partition(b"=")[0] not in free])
    raw_path = request.raw_path
    if grant.is_prefix:
        raw_path = signed_path(link, is_virtual=target.virtual).encode()
    return _received(request, raw_query, method=grant.verbs[0].method, raw_path=raw_path)


def _received(
    request: Request, raw_query: bytes, *, method: str = "", raw_path: bytes = b""
) -> ReceivedRequest:
    return ReceivedRequest(method or request.method, raw_path or request.raw_path, raw_query, request.headers)
