"""STS: credentials for a while.

Source: STS API Reference, "GetCallerIdentity", "GetSessionToken", "AssumeRole" and "GetFederationToken"; IAM User
Guide, "Compare AWS STS credentials", for who may ask for what.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from valetkey.gateway.caller_policies import policies_of
from valetkey.gateway.iam import values
from valetkey.gateway.iam.call import Facts, IamCall
from valetkey.gateway.iam.errors import IamCode, IamError, access_denied
from valetkey.gateway.iam.form import (
    ARN,
    EXTERNAL_ID,
    FEDERATED_NAME,
    SESSION_NAME,
    SESSION_POLICY,
    Form,
)
from valetkey.gateway.iam.roles import find_role_by_arn
from valetkey.gateway.iam.xml import Fields
from valetkey.gateway.session_tokens import SessionToken, new_access_key, new_secret
from valetkey.policy.documents import MAX_USER_POLICIES, DocumentKind, parse_policy
from valetkey.policy.errors import AccessDeniedError
from valetkey.policy.evaluate import NamedPolicy, evaluate
from valetkey.policy.evaluate import Request as Asked
from valetkey.policy.principal import Owner, Principal, PrincipalKind, Session
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import KnownRole

_LEAST_S: Final = 900
_HOUR_S: Final = 3600
_HALF_DAY_S: Final = 43_200
_DAY_AND_HALF_S: Final = 129_600
"""Durations of sessions in seconds."""
_MOST_POLICY_ARNS: Final = 10
_TRUST_POLICY: Final = "trust policy"


async def get_caller_identity(call: IamCall) -> Fields:
    principal = call.principal
    return {
        "Arn": principal.arn,
        "UserId": principal.unique_id or principal.account_number,
        "Account": principal.account_number,
    }


async def get_session_token(call: IamCall) -> Fields:
    """Return credentials for the caller itself: a user, or an account's root for an hour at most."""
    principal = _lasting(call)
    is_root = principal.kind is PrincipalKind.ACCOUNT
    asked_s = call.form.number("DurationSeconds", least=_LEAST_S, most=_DAY_AND_HALF_S)
    most_s = _HOUR_S if is_root else _DAY_AND_HALF_S
    session = _session(call, lifetime_s=min(asked_s or _HALF_DAY_S, most_s))
    return _credentials(
        call,
        _token(call, session, kind=principal.kind, name="" if is_root else principal.name),
    )


async def get_federation_token(call: IamCall) -> Fields:
    """Return credentials for somebody whom the caller knows; without a policy they open nothing by identity."""
    _refuse_tags(call)
    principal = _lasting(call)
    name = call.form.text("Name", FEDERATED_NAME)
    is_root = principal.kind is PrincipalKind.ACCOUNT
    asked_s = call.form.number("DurationSeconds", least=_LEAST_S, most=_DAY_AND_HALF_S)
    most_s = _HOUR_S if is_root else _DAY_AND_HALF_S
    session = _session(
        call,
        lifetime_s=min(asked_s or _HALF_DAY_S, most_s),
        name=name,
        role_arn=principal.arn,
        issuer_id=principal.unique_id,
        policies=_session_policies(call, call.account_id),
    )
    token = _token(
        call,
        session,
        kind=PrincipalKind.FEDERATED,
        name=name,
        unique_id=f"{call.number}:{name}",
        user_name=None if is_root else principal.name,
    )
    federated: Fields = {
        "FederatedUserId": f"{call.number}:{name}",
        "Arn": f"arn:aws:sts::{call.number}:federated-user/{name}",
    }
    return {**_credentials(call, token), "FederatedUser": federated, "PackedPolicySize": 0}


async def assume_role(call: IamCall) -> Fields:
    """Return credentials for a role, if its trust policy lets the caller have them."""
    _refuse_tags(call)
    form, arn = call.form, call.form.text("RoleArn", ARN)
    name = form.text("RoleSessionName", SESSION_NAME)
    asked_s = form.number("DurationSeconds", least=_LEAST_S, most=_HALF_DAY_S)
    known = _assumable(call, arn)
    role, account = known.role, known.account
    role_arn = f"arn:aws:iam::{account.number}:role{role.path}{role.name}"
    _require_trust(call, known, role_arn, _trust_facts(form, name, lifetime_s=asked_s or _HOUR_S))
    most_s = _HOUR_S if call.principal.kind is PrincipalKind.ROLE else role.max_session_s
    if asked_s is not None and asked_s > most_s:
        raise IamError(
            IamCode.VALIDATION_ERROR,
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            if most_s == role.max_session_s
            else "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    session = _session(
        call,
        lifetime_s=asked_s or _HOUR_S,
        name=name,
        role_arn=role_arn,
        policies=_session_policies(call, account.id),
    )
    user_id = f"{role.unique_id}:{name}"
    token = _token(
        call,
        session,
        kind=PrincipalKind.ROLE,
        name=role.name,
        unique_id=user_id,
        account_id=account.id,
    )
    assumed: Fields = {
        "AssumedRoleId": user_id,
        "Arn": f"arn:aws:sts::{account.number}:assumed-role/{role.name}/{name}",
    }
    return {**_credentials(call, token), "AssumedRoleUser": assumed, "PackedPolicySize": 0}


def _assumable(call: IamCall, arn: str) -> KnownRole:
    """Return the role; one that is missing is refused like one that does not trust the caller."""
    try:
        account_id, name = find_role_by_arn(call, arn)
        return call.identities.find_role(account_id, name)
    except NoSuchEntityError as error:
        raise _untrusted(call, arn) from error


def _require_trust(call: IamCall, known: KnownRole, role_arn: str, facts: Facts) -> None:
    if call.principal.kind is PrincipalKind.ACCOUNT:
        raise IamError(IamCode.ACCESS_DENIED, "Roles may not be assumed by root accounts.")
    if call.principal.kind is PrincipalKind.FEDERATED:
        raise _untrusted(call, role_arn)
    trust = parse_policy(known.role.trust_policy, kind=DocumentKind.TRUST)
    own = policies_of(call.principal, call.identities)
    named = NamedPolicy(name=_TRUST_POLICY, policy=trust, principal_ids=known.role.trust_ids)
    policies = replace(own, resource=named)
    asked = Asked(
        principal=call.principal,
        action="sts:AssumeRole",
        resource=role_arn,
        owner=Owner(account_id=known.account.id, account_number=known.account.number),
        context=call.context(facts),
    )
    if not evaluate(asked, policies).is_allowed:
        raise _untrusted(call, role_arn)


def _trust_facts(form: Form, session_name: str, *, lifetime_s: int) -> Facts:
    facts = {"sts:rolesessionname": (session_name,), "sts:durationseconds": (str(lifetime_s),)}
    external_id = form.find("ExternalId", EXTERNAL_ID)
    if external_id is not None:
        facts["sts:externalid"] = (external_id,)
    source = form.find("SourceIdentity", SESSION_NAME)
    if source is not None:
        facts["sts:sourceidentity"] = (source,)
    return facts


def _untrusted(call: IamCall, arn: str) -> IamError:
    refusal = AccessDeniedError(principal=call.principal, action="sts:AssumeRole", reason="not trusted")
    return access_denied(refusal, arn)


def _refuse_tags(call: IamCall) -> None:
    """Return unless the session is to have tags of its own, by which policies would have to decide.

    Raises:
        IamError: ValidationError.
    """
    if call.form.structures("Tags"):
        raise IamError(IamCode.VALIDATION_ERROR, "Tags of sessions are not supported.")


def _lasting(call: IamCall) -> Principal:
    """Return the caller, who has lasting credentials.

    Raises:
        IamError: AccessDenied: a session makes no other one of its kind.
    """
    if call.principal.session is not None:
        raise IamError(IamCode.ACCESS_DENIED, f"Cannot call {call.action} with session credentials")
    return call.principal


def _session_policies(call: IamCall, account_id: str) -> tuple[str, ...]:
    """Return the documents of the policies that limit a session.

    Raises:
        MalformedPolicyError, PolicyTooLargeError, NoSuchEntityError
        IamError: ValidationError.
    """
    documents = []
    text = call.form.find("Policy", SESSION_POLICY)
    if text is not None:
        parse_policy(text, kind=DocumentKind.IDENTITY, limit=MAX_USER_POLICIES)
        documents.append(text)
    arns = [one.text("arn", ARN) for one in call.form.structures("PolicyArns")]
    if len(arns) > _MOST_POLICY_ARNS:
        raise IamError(IamCode.VALIDATION_ERROR, f"At most {_MOST_POLICY_ARNS} policies can be named.")
    for arn in arns:
        policy = call.identities.policies.find(account_id, arn)
        version = call.identities.policies.find_version(account_id, arn, policy.default_version)
        documents.append(version.document)
    if sum(map(len, documents)) > 2 * MAX_USER_POLICIES:
        # They travel with each request, in the session token.
        raise IamError(IamCode.PACKED_POLICY_TOO_LARGE, "The session policies are too long in all.")
    return tuple(documents)


def _session(
    call: IamCall,
    *,
    lifetime_s: int,
    name: str = "",
    role_arn: str = "",
    issuer_id: str = "",
    policies: tuple[str, ...] = (),
) -> Session:
    return Session(
        issued_at_ms=call.now_ms,
        expires_at_ms=call.now_ms + lifetime_s * 1000,
        name=name,
        role_arn=role_arn,
        issuer_id=issuer_id,
        policies=policies,
    )


def _token(
    call: IamCall,
    session: Session,
    *,
    kind: PrincipalKind,
    name: str,
    unique_id: str | None = None,
    user_name: str | None = None,
    account_id: str | None = None,
) -> SessionToken:
    return SessionToken(
        access_key=new_access_key(),
        secret=new_secret(),
        kind=kind,
        account_id=account_id or call.account_id,
        name=name,
        unique_id=call.principal.unique_id if unique_id is None else unique_id,
        user_name=user_name,
        session=session,
    )


def _credentials(call: IamCall, token: SessionToken) -> Fields:
    return {
        "Credentials": {
            "AccessKeyId": token.access_key,
            "SecretAccessKey": token.secret.reveal(),
            "SessionToken": call.box.seal(token),
            "Expiration": values.instant(token.session.expires_at_ms),
        }
    }
