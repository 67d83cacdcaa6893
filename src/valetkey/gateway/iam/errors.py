"""What IAM and STS answer instead of a result, and the one table from the rooms' errors to it.

Source: IAM API Reference and STS API Reference, "Common errors" and the errors of each action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from valetkey.gateway.faults import UnknownAccessKeyError, translate
from valetkey.links import errors as links
from valetkey.policy.errors import AccessDeniedError
from valetkey.policy.malformed import MalformedPolicyError, PolicyTooLargeError
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.sigv4 import errors as sigv4
from valetkey.store import errors as store
from valetkey.store.identity_model import EntityKind, Obstacle


class IamCode(Enum):
    """A code with its status."""

    ACCESS_DENIED = ("AccessDenied", 403)
    DELETE_CONFLICT = ("DeleteConflict", 409)
    ENTITY_ALREADY_EXISTS = ("EntityAlreadyExists", 409)
    EXPIRED_TOKEN = ("ExpiredToken", 403)
    INCOMPLETE_SIGNATURE = ("IncompleteSignature", 400)
    INVALID_ACTION = ("InvalidAction", 400)
    INVALID_CLIENT_TOKEN_ID = ("InvalidClientTokenId", 403)
    INVALID_INPUT = ("InvalidInput", 400)
    LIMIT_EXCEEDED = ("LimitExceeded", 409)
    MALFORMED_INPUT = ("MalformedInput", 400)
    MALFORMED_POLICY_DOCUMENT = ("MalformedPolicyDocument", 400)
    MISSING_AUTHENTICATION_TOKEN = ("MissingAuthenticationToken", 403)
    NO_SUCH_ENTITY = ("NoSuchEntity", 404)
    PACKED_POLICY_TOO_LARGE = ("PackedPolicyTooLarge", 400)
    REQUEST_ENTITY_TOO_LARGE = ("RequestEntityTooLarge", 413)
    REQUEST_EXPIRED = ("RequestExpired", 400)
    SERVICE_FAILURE = ("ServiceFailure", 500)
    SERVICE_UNAVAILABLE = ("ServiceUnavailable", 503)
    SIGNATURE_DOES_NOT_MATCH = ("SignatureDoesNotMatch", 403)
    VALIDATION_ERROR = ("ValidationError", 400)

    def __init__(self, wire: str, status: int) -> None:
        self.wire = wire
        self.status = status


class IamError(Exception):
    """A refusal, as the client gets to see it."""

    def __init__(self, code: IamCode, message: str) -> None:
        super().__init__(f"{code.wire}: {message}")
        self.code = code
        self.message = message


_UNKNOWN_CALLER: Final = "The security token included in the request is invalid."
_OBSTACLES: Final[Mapping[Obstacle, str]] = {
    Obstacle.ACCESS_KEYS: "Cannot delete entity, must delete access keys first.",
    Obstacle.INLINE_POLICIES: "Cannot delete entity, must delete policies first.",
    Obstacle.ATTACHED_POLICIES: "Cannot delete entity, must detach all policies first.",
    Obstacle.GROUPS: "Cannot delete entity, must remove users from group first.",
    Obstacle.MEMBERS: "Cannot delete entity, must remove users from group first.",
    Obstacle.HOLDERS: "Cannot delete a policy attached to entities.",
    Obstacle.VERSIONS: "This policy has more than one version. Before you delete a policy, you must delete the "
    "policy's versions. The default version is deleted with the policy.",
    Obstacle.IS_DEFAULT: "Cannot delete the default version of a policy.",
}

_NOUNS: Final[Mapping[EntityKind, str]] = {
    EntityKind.USER: "The user with name {name} cannot be found.",
    EntityKind.GROUP: "The group with name {name} cannot be found.",
    EntityKind.ROLE: "The role with name {name} cannot be found.",
    EntityKind.ACCESS_KEY: "The Access Key with id {name} cannot be found.",
    EntityKind.POLICY: "Policy {name} does not exist or is not attachable.",
    EntityKind.POLICY_VERSION: "Policy version {name} does not exist.",
    EntityKind.INLINE_POLICY: "The policy with name {name} cannot be found.",
    EntityKind.ACCOUNT: "The account {name} cannot be found.",
}


def access_denied(error: AccessDeniedError, resource: str) -> IamError:
    """Return the refusal of an action on `resource`, an ARN or `*`."""
    who = error.principal.arn or "Anonymous"
    why = (
        "with an explicit deny"
        if error.statement is not None
        else f"because no identity-based policy allows the {error.action} action"
    )
    return IamError(
        IamCode.ACCESS_DENIED,
        f"User: {who} is not authorized to perform: {error.action} on resource: {resource} {why}",
    )


def _simple(code: IamCode, message: str) -> Callable[[Any], IamError]:
    def to_iam(_error: object) -> IamError:
        return IamError(code, message)

    return to_iam


def _no_such_entity(error: store.NoSuchEntityError) -> IamError:
    return IamError(IamCode.NO_SUCH_ENTITY, _NOUNS[error.kind].format(name=error.name))


def _exists(error: store.EntityExistsError) -> IamError:
    noun = error.kind.value.capitalize()
    return IamError(IamCode.ENTITY_ALREADY_EXISTS, f"{noun} with name {error.name} already exists.")


def _conflict(error: store.DeleteConflictError) -> IamError:
    message = _OBSTACLES.get(error.obstacle, f"Cannot delete entity, {error.obstacle.value}.")
    return IamError(IamCode.DELETE_CONFLICT, message)


def _limit(error: store.LimitExceededError) -> IamError:
    quota = error.quota.name.replace("_", " ").capitalize()
    return IamError(IamCode.LIMIT_EXCEEDED, f"Cannot exceed quota for {quota}: {error.quota.value}")


def _malformed_policy(error: MalformedPolicyError) -> IamError:
    where = f" ({error.where})" if error.where else ""
    return IamError(IamCode.MALFORMED_POLICY_DOCUMENT, f"{error.message}{where}")


def _too_large(error: PolicyTooLargeError) -> IamError:
    return IamError(IamCode.LIMIT_EXCEEDED, f"Maximum policy size of {error.limit} bytes exceeded")


def _denied(error: AccessDeniedError) -> IamError:
    return access_denied(error, "*")


def _skewed(error: sigv4.SkewedError) -> IamError:
    return IamError(
        IamCode.SIGNATURE_DOES_NOT_MATCH,
        f"Signature not yet current or expired: {error.request_time_text} is more than 15 minutes from the time "
        "of the server",
    )


def _invalid_grant(error: links.InvalidGrantError) -> IamError:
    return IamError(IamCode.VALIDATION_ERROR, f"{error}.")


def _no_such_link(error: links.NoSuchLinkError) -> IamError:
    return IamError(IamCode.NO_SUCH_ENTITY, str(error))


def _link_exists(error: links.LinkExistsError) -> IamError:
    return IamError(IamCode.ENTITY_ALREADY_EXISTS, str(error))


FAULTS: Final[Mapping[type[Exception], Callable[[Any], IamError]]] = {
    UnknownAccessKeyError: _simple(IamCode.INVALID_CLIENT_TOKEN_ID, _UNKNOWN_CALLER),
    AccessDeniedError: _denied,
    MalformedPolicyError: _malformed_policy,
    PolicyTooLargeError: _too_large,
    sigv4.SignatureMismatchError: _simple(
        IamCode.SIGNATURE_DOES_NOT_MATCH,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
        "Access Key and signing method. Consult the service documentation for details.",
    ),
    sigv4.SkewedError: _skewed,
    sigv4.ExpiredError: _simple(IamCode.REQUEST_EXPIRED, "Request has expired."),
    store.NoSuchEntityError: _no_such_entity,
    store.EntityExistsError: _exists,
    store.DeleteConflictError: _conflict,
    store.LimitExceededError: _limit,
    links.InvalidGrantError: _invalid_grant,
    links.NoSuchLinkError: _no_such_link,
    links.LinkExistsError: _link_exists,
    links.LedgerFailedError: _simple(IamCode.SERVICE_FAILURE, "The ledger of links cannot be used."),
    links.LedgerClosedError: _simple(IamCode.SERVICE_UNAVAILABLE, "The request has failed for the moment."),
    store.StoreClosedError: _simple(IamCode.SERVICE_UNAVAILABLE, "The request has failed for the moment."),
    store.OutOfSpaceError: _simple(IamCode.SERVICE_FAILURE, "The disk that holds the data folder is full."),
}

_S3_CODES: Final[Mapping[Code, IamError]] = {
    Code.INVALID_TOKEN: IamError(IamCode.INVALID_CLIENT_TOKEN_ID, _UNKNOWN_CALLER),
    Code.EXPIRED_TOKEN: IamError(
        IamCode.EXPIRED_TOKEN, "The security token included in the request is expired"
    ),
}


def to_iam_error(error: Exception) -> IamError:
    """Return what IAM answers for an error of one of the rooms, or for S3's error for it."""
    if isinstance(error, IamError):
        return error
    for kind in type(error).__mro__:
        if kind in FAULTS:
            return FAULTS[kind](error)
    if isinstance(error, sigv4.SignatureError):
        return IamError(IamCode.INCOMPLETE_SIGNATURE, translate(error).message)
    if isinstance(error, S3Error):
        if error.code in _S3_CODES:
            known = _S3_CODES[error.code]
            return IamError(known.code, known.message)
        if error.code is Code.ACCESS_DENIED:
            return IamError(IamCode.ACCESS_DENIED, error.message)
        if error.code is Code.REQUEST_TIMEOUT:
            return IamError(IamCode.REQUEST_EXPIRED, error.message)
    return IamError(IamCode.SERVICE_FAILURE, "The request processing has failed because of an unknown error.")
