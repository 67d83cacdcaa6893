"""How the tables of decisions are written, and how a row is judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from valetkey.policy.documents import DocumentKind, parse_policy
from valetkey.policy.evaluate import (
    AclGrant,
    Decision,
    NamedPolicy,
    Owner,
    PolicySet,
    Request,
    evaluate,
)
from valetkey.policy.principal import ANONYMOUS, Principal, PrincipalKind, Session
from valetkey.policy.public import PublicAccessBlock

HERE: Final = "111111111111"
THERE: Final = "222222222222"
OWNER: Final = Owner(account_id="a" * 64, account_number=HERE)
BUCKET: Final = "b"
ROLE_ARN: Final = f"arn:aws:iam::{HERE}:role/team/reader"
ANN_ARN: Final = f"arn:aws:iam::{HERE}:user/team/ann"
SESSION_ARN: Final = f"arn:aws:sts::{HERE}:assumed-role/reader/shift"
FEDERATED_ARN: Final = f"arn:aws:sts::{HERE}:federated-user/guest"


def _session(name: str = "", role_arn: str = "") -> Session:
    return Session(issued_at_ms=0, expires_at_ms=1, name=name, role_arn=role_arn)


def _own(kind: PrincipalKind, name: str, **more: Any) -> Principal:
    return Principal(kind=kind, name=name, account_id=OWNER.account_id, account_number=HERE, **more)


CALLERS: Final[Mapping[str, Principal]] = {
    "root": _own(PrincipalKind.ACCOUNT, "owner"),
    "ann": _own(PrincipalKind.USER, "ann", path="/team/", unique_id="AIDAANN"),
    "ann*": _own(PrincipalKind.USER, "ann*", unique_id="AIDASTAR"),
    "ann-session": _own(PrincipalKind.USER, "ann", path="/team/", unique_id="AIDAANN", session=_session()),
    "role": _own(
        PrincipalKind.ROLE, "reader", unique_id="AROAREADER:shift", session=_session("shift", ROLE_ARN)
    ),
    "guest": _own(
        PrincipalKind.FEDERATED,
        "guest",
        unique_id=f"{HERE}:guest",
        session=_session("guest", ANN_ARN),
    ),
    "bob": Principal(
        kind=PrincipalKind.USER,
        name="bob",
        account_id="b" * 64,
        account_number=THERE,
        unique_id="AIDABOB",
    ),
    "other-root": Principal(
        kind=PrincipalKind.ACCOUNT, name="other", account_id="b" * 64, account_number=THERE
    ),
    "stranger": ANONYMOUS,
}


def statement(line: str, **more: Any) -> dict[str, Any]:
    """`Allow s3:GetObject,s3:PutObject b/*`, and other elements by name; `!` before a list means Not….

    A resource that is neither `*` nor an ARN is a bucket or an object.
    """
    effect, *rest = line.split(" ")
    found: dict[str, Any] = {"Effect": effect}
    for name, text in zip(("Action", "Resource"), rest, strict=False):
        texts = text.removeprefix("!").split(",")
        if name == "Resource":
            texts = [one if one == "*" or one.startswith("arn:") else f"arn:aws:s3:::{one}" for one in texts]
        found[f"Not{name}" if text.startswith("!") else name] = texts
    return {**found, **more}


def everyone(line: str, **more: Any) -> dict[str, Any]:
    return statement(line, Principal="*", **more)


def to(arn: str, line: str, **more: Any) -> dict[str, Any]:
    return statement(line, Principal={"AWS": arn}, **more)


def document(*statements: object, version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


class Facts:
    """The context of a request, by key in any case."""

    def __init__(self, facts: Mapping[str, str | Sequence[str]]) -> None:
        self._facts = {
            key.lower(): (value,) if isinstance(value, str) else tuple(value) for key, value in facts.items()
        }

    def values(self, key: str) -> tuple[str, ...] | None:
        return self._facts.get(key)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One decision: `expected` is `allow` or `deny`, then the policy and the index of the statement if one decided."""

    who: str
    does: str
    """`s3:GetObject b/key`."""
    expected: str
    bucket: Sequence[object] = ()
    user: Sequence[object] = ()
    group: Sequence[object] = ()
    boundary: Sequence[object] | None = None
    session: Sequence[object] | None = None
    trust: Sequence[object] = ()
    acl: AclGrant | None = None
    block: PublicAccessBlock = field(default_factory=PublicAccessBlock)
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    is_owned: bool = True
    version: str = "2012-10-17"


def _named(name: str, kind: DocumentKind, statements: Sequence[object], version: str) -> NamedPolicy:
    bucket = BUCKET if kind is DocumentKind.RESOURCE else None
    text = document(*statements, version=version)
    return NamedPolicy(name=name, policy=parse_policy(text, kind=kind, bucket=bucket))


def policies_of(row: Row) -> PolicySet:
    def some(name: str, kind: DocumentKind, given: Sequence[object] | None) -> tuple[NamedPolicy, ...]:
        return (_named(name, kind, given, row.version),) if given else ()

    identity = DocumentKind.IDENTITY
    resource = some("trust", DocumentKind.TRUST, row.trust) or some(
        "bucket", DocumentKind.RESOURCE, row.bucket
    )
    boundary = some("boundary", identity, row.boundary)
    acl = row.acl
    return PolicySet(
        identity=some("user", identity, row.user) + some("group", identity, row.group),
        boundary=boundary[0] if boundary else None,
        session=some("session", identity, row.session),
        resource=resource[0] if resource else None,
        acl=None if acl is None else lambda: acl,
        block=row.block,
    )


def request_of(row: Row) -> Request:
    action, resource = row.does.split(" ")
    return Request(
        principal=CALLERS[row.who],
        action=action,
        resource=resource if resource == "*" or resource.startswith("arn:") else f"arn:aws:s3:::{resource}",
        owner=OWNER if row.is_owned else None,
        context=Facts(row.context),
    )


def text_of(decision: Decision) -> str:
    verdict = "allow" if decision.is_allowed else "deny"
    decided = decision.statement
    return verdict if decided is None else f"{verdict} {decided.policy} {decided.index}"


def judged(row: Row) -> str:
    decision = evaluate(request_of(row), policies_of(row))
    assert decision.reason
    return text_of(decision)
