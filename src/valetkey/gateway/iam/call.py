"""What a request to IAM or STS is run with, and whether its caller may do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from valetkey.gateway.call import Request, Rules
from valetkey.gateway.caller_policies import policies_of
from valetkey.gateway.context import RequestContext
from valetkey.gateway.iam.errors import IamCode, IamError, access_denied
from valetkey.gateway.iam.form import Form
from valetkey.gateway.session_tokens import TokenBox
from valetkey.policy.errors import AccessDeniedError
from valetkey.policy.evaluate import Decision, evaluate
from valetkey.policy.evaluate import Request as Asked
from valetkey.policy.principal import Principal
from valetkey.sigv4.verify import Proof
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import EntityKind, Holder
from valetkey.store.identity_store import Identities

Facts = Mapping[str, tuple[str, ...]]
"""Values of condition keys, by name in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IamCall:
    """A request whose signer is proved."""

    action: str
    """Such as `CreateUser`."""
    form: Form
    principal: Principal
    proof: Proof | None
    request: Request
    headers: Mapping[str, str]
    identities: Identities
    rules: Rules
    box: TokenBox
    facts: Facts = field(default_factory=dict)
    """What the parameters say to conditions."""

    @property
    def now_ms(self) -> int:
        """The one instant by which this request is judged, in milliseconds since the epoch."""
        return self.request.now_ms

    @property
    def account_id(self) -> str:
        """Canonical user id of the caller's account."""
        return self.principal.account_id

    @property
    def number(self) -> str:
        """The same as ARNs have it."""
        return self.principal.account_number

    def holder(self, kind: EntityKind, name: str) -> Holder:
        """Return the name of one in the caller's account."""
        return Holder(account_id=self.account_id, kind=kind, name=name)

    def context(self, facts: Facts) -> IamContext:
        """Return the condition keys of the request, with some more."""
        plain = RequestContext(
            request=self.request,
            headers=self.headers,
            query={},
            proof=self.proof,
            principal=self.principal,
            region=self.rules.region,
            find=lambda: None,
        )
        return IamContext(plain=plain, facts=facts)

    def require(self, action: str, resource: str, facts: Facts) -> None:
        """Return if the caller may do `action`, such as `iam:CreateUser`, on `resource`, an ARN or `*`.

        Raises:
            IamError: AccessDenied.
        """
        decision = self.decide(action, resource, facts)
        if not decision.is_allowed:
            refusal = AccessDeniedError(
                principal=self.principal,
                action=action,
                reason=decision.reason,
                statement=decision.statement,
            )
            raise access_denied(refusal, resource) from refusal

    def decide(self, action: str, resource: str, facts: Facts) -> Decision:
        """Return whether the caller may do `action` on `resource`, of the caller's own account."""
        try:
            policies = policies_of(self.principal, self.identities)
        except NoSuchEntityError as error:
            raise IamError(
                IamCode.INVALID_CLIENT_TOKEN_ID, "The security token included in the request is invalid."
            ) from error
        decisions = [
            evaluate(
                Asked(
                    principal=self.principal,
                    action=action,
                    resource=name,
                    owner=None,
                    context=self.context(facts),
                ),
                policies,
            )
            for name in _names_of(resource, self.number)
        ]
        refused = next((one for one in decisions if not one.is_allowed and one.statement is not None), None)
        return refused or next((one for one in decisions if one.is_allowed), decisions[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class IamContext:
    """The condition keys of a request to IAM or STS."""

    plain: RequestContext
    facts: Facts

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return the values of the condition key, which is in lower case; None if the request has none."""
        return self.facts[key] if key in self.facts else self.plain.values(key)


def _names_of(resource: str, number: str) -> tuple[str, ...]:
    """Return the ARN, and as policies may have it that leave the own account out."""
    head = f"arn:aws:iam::{number}:"
    if not resource.startswith(head):
        return (resource,)
    return resource, f"arn:aws:iam:::{resource.removeprefix(head)}"
