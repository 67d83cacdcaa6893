"""Taking back ordinary presigned URLs, which any client signed offline with a lasting key."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain
from typing import Final
from uuid import uuid4

from valetkey.console.call import AdminCall, Json
from valetkey.console.link_views import own_links
from valetkey.console.schema import INSTANT, TEXT, TEXT_OR_NULL, Member, Shape
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import Kind
from valetkey.gateway.iam.values import instant
from valetkey.gateway.links.door import signature_digest
from valetkey.gateway.links.urls import parse_pasted
from valetkey.links.grant_form import parse_instant
from valetkey.links.model import DAY_MS, Cutoff, State, is_link_id
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.sigv4.secret import Secret
from valetkey.store.errors import NoSuchBucketError

KEPT_MS: Final = 8 * DAY_MS
"""How long the signature of a URL is remembered: a week and the skew of a clock, after which SigV4 lets none live."""

FOREVER_MS: Final = 36_500 * DAY_MS
"""For SigV2, which sets no bound."""

_URL: Final = Member(name="url", help="The one URL to take back.", kind=Kind(most=32_768))
_ACCESS_KEY: Final = Member(
    name="access_key", help="What this key signed.", kind=Kind(most=128, pattern=r"[!-~]+")
)
_BUCKET: Final = Member(
    name="bucket",
    help="What is for this bucket.",
    kind=Kind(least=3, most=63, pattern=r"[a-z0-9.-]+"),
)
_KEY: Final = Member(name="key", help="What is for this object.", kind=Kind(least=0, most=1024))
_PREFIX: Final = Member(
    name="prefix", help="What is for objects whose keys begin so.", kind=Kind(least=0, most=1024)
)
_BEFORE: Final = Member(
    name="before", help="What was signed before this instant, ISO 8601; else before now.", schema=INSTANT
)
MEMBERS: Final = (_URL, _ACCESS_KEY, _BUCKET, _KEY, _PREFIX, _BEFORE)

REVOCATION: Final = Shape(
    "Revocation",
    {
        "id": TEXT,
        "access_key": TEXT_OR_NULL,
        "bucket": TEXT_OR_NULL,
        "key": TEXT_OR_NULL,
        "prefix": TEXT_OR_NULL,
        "before": INSTANT,
        "created": INSTANT,
    },
)
OF_LINK: Final = Shape("RevokedLink", {"link": TEXT})
OF_URL: Final = Shape("RevokedUrl", {"access_key": TEXT})


def _shown(cutoff: Cutoff) -> dict[str, object]:
    return {
        "id": cutoff.id,
        "access_key": cutoff.access_key,
        "bucket": cutoff.bucket,
        "key": None if cutoff.is_prefix else cutoff.key,
        "prefix": cutoff.key if cutoff.is_prefix else None,
        "before": instant(cutoff.before_ms),
        "created": instant(cutoff.created_ms),
    }


async def create_revocation(call: AdminCall) -> Json:
    """Take back one URL that is pasted; or all that were signed before an instant, by a key or for what is in a bucket."""
    url = call.find_text(_URL)
    return await (_revoke_from(call) if url is None else _revoke_url(call, url))


async def list_revocations(call: AdminCall) -> Json:
    """Return what is taken back by key, bucket or prefix. Single URLs are not listed: they end by themselves."""
    account_id = _account_of(call)
    known = call.links.ledger.revocations(now_ms=call.iam.now_ms)
    own = [one for one in chain.from_iterable(known.cutoffs.values()) if one.account_id == account_id]
    return {
        "revocations": [_shown(one) for one in sorted(own, key=lambda one: (one.created_ms, one.id))],
        "next": None,
    }


async def delete_revocation(call: AdminCall) -> Json:
    """Let the URLs hold again that a revocation took back."""
    await call.links.ledger.remove_cutoff(call.names["revocation"], account_id=_account_of(call))
    return {}


async def _revoke_url(call: AdminCall, url: str) -> Json:
    pasted = parse_pasted(url)
    if pasted is None:
        raise IamError(IamCode.VALIDATION_ERROR, "url: is no presigned URL.")
    if is_link_id(pasted.access_key):
        await call.links.ledger.set_state(pasted.access_key, own_links(call), State.REVOKED)
        return {"link": pasted.access_key}
    now_ms = call.iam.now_ms
    session = None
    if pasted.token is not None:
        session = call.keys.find_session(pasted.access_key, pasted.token, now_ms=now_ms)
    _require_own(call, session or call.keys.find(pasted.access_key))
    await call.links.ledger.revoke_signature(
        signature_digest(pasted.access_key, pasted.signature),
        account_id=call.iam.account_id,
        now_ms=now_ms,
        ends_ms=now_ms + (KEPT_MS if len(pasted.signature) == 64 else FOREVER_MS),
    )
    return {"access_key": pasted.access_key}


async def _revoke_from(call: AdminCall) -> Json:
    access_key, bucket = call.find_text(_ACCESS_KEY), call.find_text(_BUCKET)
    key, prefix = call.find_text(_KEY), call.find_text(_PREFIX)
    if access_key is None and bucket is None:
        raise IamError(IamCode.VALIDATION_ERROR, "Say what is taken back: a url, an access_key or a bucket.")
    if (key is not None or prefix is not None) and (bucket is None or None not in (key, prefix)):
        raise IamError(IamCode.VALIDATION_ERROR, "A key or a prefix, one of them, is in a bucket.")
    if access_key is not None:
        _require_own_key(call, access_key)
    else:
        _require_own_bucket(call, bucket or "")
    cutoff = Cutoff(
        id=uuid4().hex,
        account_id=call.iam.account_id,
        access_key=access_key,
        bucket=bucket,
        key=prefix if prefix is not None else key,
        is_prefix=prefix is not None,
        before_ms=_before(call),
        created_ms=call.iam.now_ms,
    )
    await call.links.ledger.add_cutoff(cutoff)
    return _shown(cutoff)


def _before(call: AdminCall) -> int:
    """Return the instant before which URLs are taken back: now, where none is said.

    A second more than now, since signatures tell whole seconds: what was signed until this call is taken back.
    """
    if _BEFORE.name not in call.body:
        return (call.iam.now_ms // 1000 + 1) * 1000
    return parse_instant(call.body, _BEFORE.name)


def _account_of(call: AdminCall) -> str:
    if call.iam.principal.kind is not PrincipalKind.ACCOUNT:
        raise IamError(IamCode.ACCESS_DENIED, "Only the account itself sees and alters what it took back.")
    return call.iam.account_id


def _require_own_key(call: AdminCall, access_key: str) -> None:
    """Return if the caller may take back what a key signed.

    Raises:
        IamError: AccessDenied; the same whether or not there is such a key.
    """
    _require_own(call, call.keys.find(access_key))


def _require_own(call: AdminCall, known: tuple[Secret, Principal] | None) -> None:
    """Return if what signed is the caller's: its account's, or a user's own."""
    principal = call.iam.principal
    is_of_account = known is not None and known[1].account_id == principal.account_id
    if is_of_account and principal.kind is PrincipalKind.ACCOUNT:
        return
    if is_of_account and known is not None and known[1].unique_id == principal.unique_id:
        return
    raise IamError(IamCode.ACCESS_DENIED, "The key that signed is not yours, or is not active.")


def _require_own_bucket(call: AdminCall, bucket: str) -> None:
    if call.iam.principal.kind is PrincipalKind.ACCOUNT:
        with suppress(NoSuchBucketError):
            if call.iam.rules.owner_of(call.store.buckets.find(bucket)) == call.iam.account_id:
                return
    raise IamError(IamCode.ACCESS_DENIED, "The bucket is not yours.")
