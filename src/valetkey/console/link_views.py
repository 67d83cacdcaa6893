"""Links as the admin API shows them, and what is common to its functions about them."""

from __future__ import annotations

from typing import Final

from valetkey.console.call import AdminCall
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.values import instant
from valetkey.gateway.links.urls import link_url
from valetkey.gateway.operations.own_address import client_host
from valetkey.links.model import Issuer, Link, LinkFilter, State
from valetkey.policy.principal import PrincipalKind
from valetkey.sigv4.endpoint import Endpoint
from valetkey.sigv4.errors import MisuseError

_LOCAL_SCHEMES: Final = {True: "https", False: "http"}


def shown_link(call: AdminCall, link: Link, endpoint: Endpoint) -> dict[str, object]:
    """Return a link with its grant, its state, what it has done and its URL."""
    grant, usage = link.grant, link.usage
    url = link_url(link, call.links.secret_of(link.id), endpoint=endpoint, region=call.iam.rules.region)
    left = None if grant.max_uses is None else max(grant.max_uses - usage.uses, 0)
    return {
        "id": link.id,
        "url": url.url,
        "method": url.method,
        "state": state_at(link, call.iam.now_ms),
        "operations": [verb.value for verb in grant.verbs],
        "bucket": grant.bucket,
        ("prefix" if grant.is_prefix else "key"): grant.key,
        "version": grant.version_id,
        "etag": grant.etag,
        "created": instant(link.created_ms),
        "starts": None if grant.starts_ms is None else instant(grant.starts_ms),
        "ends": instant(grant.ends_ms),
        "max_uses": grant.max_uses,
        "uses": usage.uses,
        "uses_left": left,
        "max_bytes": grant.max_bytes,
        "bytes_sent": usage.bytes_sent,
        "bytes_received": usage.bytes_received,
        "max_objects": grant.max_objects,
        "objects": usage.objects,
        "last_used": None if usage.last_used_ms is None else instant(usage.last_used_ms),
        "min_size": grant.least_size,
        "max_size": grant.most_size,
        "content_types": list(grant.content_types),
        "create_only": grant.create_only,
        "addresses": list(grant.addresses),
        "has_password": grant.password_hash is not None,
        "filename": grant.filename,
        "content_type": grant.content_type,
        "cache_control": grant.cache_control,
        "label": grant.label,
        "webhook": grant.webhook,
        "tags": dict(grant.tags),
        "issuer": {"access_key": link.issuer.access_key, "user": link.issuer.user},
    }


def state_at(link: Link, now_ms: int) -> str:
    """Return how a link stands, in one word."""
    if link.state is not State.ACTIVE:
        return str(link.state.value)
    if now_ms >= link.grant.ends_ms:
        return "ended"
    if link.grant.starts_ms is not None and now_ms < link.grant.starts_ms:
        return "not yet valid"
    if link.grant.max_uses is not None and link.usage.uses >= link.grant.max_uses:
        return "used up"
    return "active"


def endpoint_of(call: AdminCall) -> Endpoint:
    """Return the endpoint that URLs are made for: the one asked for, or the first public one, or where we were asked.

    Raises:
        IamError: ValidationError, for one that the server does not answer for.
    """
    request = call.iam.request
    own = f"{_LOCAL_SCHEMES[request.is_secure]}://{client_host(request, call.iam.headers)}"
    known = list(call.iam.rules.public_urls.values())
    wanted = call.query.get("endpoint") or (known[0] if known else own)
    try:
        found = Endpoint.parse(wanted)
        if found in [Endpoint.parse(each) for each in (*known, own)]:
            return found
    except MisuseError as error:
        raise IamError(IamCode.VALIDATION_ERROR, f"endpoint: {error}") from error
    raise IamError(
        IamCode.VALIDATION_ERROR, f"The server does not answer for {wanted}: name one of its public URLs."
    )


def issuer_of(call: AdminCall) -> Issuer:
    """Return the caller as the issuer of a link.

    Raises:
        IamError: AccessDenied, for a session, and for the root account at work in another.
    """
    principal, proof = call.iam.principal, call.iam.proof
    if principal.session is not None or proof is None:
        raise IamError(IamCode.ACCESS_DENIED, "Temporary credentials issue no links: they end before them.")
    known = call.keys.find(proof.access_key)
    if known is None or known[1].account_id != principal.account_id:
        raise IamError(
            IamCode.ACCESS_DENIED, "A link acts for the key that issues it: use one of the account's own."
        )
    return Issuer(principal.account_id, proof.access_key, principal.unique_id or None)


def own_links(call: AdminCall) -> LinkFilter:
    """Return which links the caller may see and alter: an account's root all of it, a user its own.

    Raises:
        IamError: AccessDenied, for a role: no link is its own.
    """
    principal = call.iam.principal
    if principal.kind is PrincipalKind.ACCOUNT:
        return LinkFilter(account_id=principal.account_id)
    if principal.kind is PrincipalKind.USER:
        return LinkFilter(account_id=principal.account_id, user=principal.unique_id)
    raise IamError(IamCode.ACCESS_DENIED, "Only accounts and users have links.")
