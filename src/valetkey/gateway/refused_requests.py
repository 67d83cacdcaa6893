"""The last refused requests, kept so that `explain` can say afterwards why.

Of each only what names a key of an account that is known here, without signatures and tokens. It is for the owner of that
key and for the root account.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final
from urllib.parse import unquote_to_bytes

from valetkey.explain.kept import (
    KeptRequest,
    from_record,
    redacted_headers,
    redacted_target,
    to_record,
)
from valetkey.gateway.call import Answer, Keys, Request
from valetkey.gateway.links.door import LinkDoor
from valetkey.gateway.session_tokens import KEY_PREFIX
from valetkey.links.history.model import Party, Sight
from valetkey.links.model import is_link_id
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.processes.ring import PARTITIONS, Ring, partition_of
from valetkey.s3.errors import S3Error
from valetkey.sigv4.encoding import decode_text
from valetkey.store.errors import NoSuchEntityError, StoreError
from valetkey.store.identity_store import Identities

MOST_PER_S: Final = 100
"""How many a process keeps in a second: a flood of refusals must cost no more than that."""

_STATUSES: Final = frozenset({400, 401, 403, 405})
_CLAIM: Final = re.compile(
    rb"(?:^|[&;?])(?:X-Amz-Credential|AWSAccessKeyId)(?:=|%(?:25)*3d)([A-Za-z0-9._~-]{1,128})", re.IGNORECASE
)
_HEADER_CLAIM: Final = re.compile(rb"(?:AWS4-HMAC-SHA256 .*?Credential=|AWS )([A-Za-z0-9._~-]{1,128})[/:]")
_TOKEN: Final = re.compile(rb"(?:^|&)X-Amz-Security-Token=([^&]+)", re.IGNORECASE)
_SIGNED_HEADERS: Final = re.compile(rb"SignedHeaders=([^&,\s]*)")
_MESSAGE: Final = re.compile(r"<Message>([^<]{0,300})</Message>")
_MOST_TARGET_BYTES: Final = 4096


class RefusedRequests:
    """What a ring of all processes keeps. For the thread of the event loop."""

    def __init__(
        self, ring: Ring, *, links: LinkDoor, keys: Keys, identities: Identities, seal: bytes
    ) -> None:
        """`seal` is the key of the seals that stand for signatures."""
        self.seal: Final = seal
        self._ring = ring
        self._keys = keys
        self._links = links
        self._identities = identities
        self._left = float(MOST_PER_S)
        self._at_s = 0.0

    def note(self, request: Request, answer: Answer, *, request_id: str, now_s: float) -> None:
        """Keep a request, if it was refused and names a known key. `now_s` is of a clock that never goes back."""
        if answer.status not in _STATUSES:
            return
        access_key = claimed_key(request)
        if access_key is None or not self._has_room(now_s):
            return
        owner = self._owner(access_key, request.trail.principal or self._session(access_key, request))
        kept = None if owner is None else self._kept(request, answer, request_id, access_key, owner)
        if kept is not None:
            self._ring.append(partition_of(kept.account_id), to_record(kept))

    def find(self, request_id: str, sight: Sight) -> KeptRequest | None:
        """Return the refused request with this id, or the last one for `last`; None if none is to be seen.

        Raises:
            OSError
        """
        seen = self.list(sight)
        if request_id == "last":
            return seen[0] if seen else None
        return next((kept for kept in seen if kept.request_id == request_id), None)

    def list(self, sight: Sight) -> list[KeptRequest]:
        """Return what is to be seen, the newest first.

        Raises:
            OSError
        """
        partitions = range(PARTITIONS) if sight.is_all else (partition_of(sight.party.account),)
        records = (record for partition in partitions for record in self._ring.read(partition))
        found = (from_record(record) for record in records)
        seen = [kept for kept in found if kept is not None and _is_seen(kept, sight)]
        return sorted(seen, key=lambda kept: kept.at_ms, reverse=True)

    def owner_of(self, access_key: str) -> Party | None:
        """Return whose a key is, active or not; None if nobody knows it."""
        return self._owner(access_key, None)

    def close(self) -> None:
        self._ring.close()

    def _has_room(self, now_s: float) -> bool:
        self._left = min(float(MOST_PER_S), self._left + (now_s - self._at_s) * MOST_PER_S)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _owner(self, access_key: str, principal: Principal | None) -> Party | None:
        if principal is None:
            found = self._links.find_signer(access_key)
            principal = None if found is None else found[1]
        if principal is not None and principal.kind is not PrincipalKind.ANONYMOUS:
            is_user = principal.kind is PrincipalKind.USER
            return Party(principal.account_id, principal.name if is_user else "")
        if is_link_id(access_key):
            return None
        with suppress(NoSuchEntityError, StoreError):
            # One that counts no more has an owner all the same.
            key = self._identities.keys.find(access_key)
            return Party(key.account_id, key.user_name or "")
        return None

    def _session(self, access_key: str, request: Request) -> Principal | None:
        """Return whose session a token is for; None if there is none that counts."""
        token = _TOKEN.search(request.raw_query)
        given = [value for name, value in request.headers if name == b"x-amz-security-token"]
        if not access_key.startswith(KEY_PREFIX) or not (token or given):
            return None
        text = decode_text(token[1]) if token else given[0].decode("utf-8", "replace")
        try:
            found = self._keys.find_session(access_key, text, now_ms=request.now_ms)
        except S3Error:
            return None
        return None if found is None else found[1]

    def _kept(
        self, request: Request, answer: Answer, request_id: str, access_key: str, owner: Party
    ) -> KeptRequest | None:
        signed = _SIGNED_HEADERS.search(unquote_to_bytes(request.raw_query))
        names = signed[1].lower() if signed is not None else b""
        path = redacted_target(request.raw_path, self.seal)
        query = redacted_target(request.raw_query, self.seal)
        if len(path) + len(query) > _MOST_TARGET_BYTES:
            # Cut off, it would be another request.
            return None
        headers = redacted_headers(tuple(request.headers), names, self.seal)
        return KeptRequest(
            request_id=request_id,
            at_ms=request.now_ms,
            access_key=access_key,
            account_id=owner.account,
            user=owner.user,
            code=answer.error_code or "",
            message=_message(answer),
            method=request.method[:16],
            is_secure=request.is_secure,
            is_proved=request.trail.proof is not None,
            path=path.decode("latin-1"),
            query=query.decode("latin-1"),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
        )


def claimed_key(request: Request) -> str | None:
    """Return the access key id that a request names, in its query or its Authorization header, or None."""
    found = _CLAIM.search(request.raw_query)
    if found is None:
        values = [value for name, value in request.headers if name == b"authorization"]
        found = _HEADER_CLAIM.match(values[0].strip()) if values else None
    return None if found is None else found[1].decode("ascii")


def _is_seen(kept: KeptRequest, sight: Sight) -> bool:
    if sight.is_all:
        return True
    is_own_account = kept.account_id == sight.party.account
    return is_own_account and sight.party.user in {"", kept.user} and kept.at_ms >= sight.since_ms


def _message(answer: Answer) -> str:
    if not isinstance(answer.body, bytes):
        return ""
    found = _MESSAGE.search(answer.body[:2048].decode("utf-8", "replace"))
    return "" if found is None else redacted_target(found[1].encode(), b"").decode("utf-8", "replace")
