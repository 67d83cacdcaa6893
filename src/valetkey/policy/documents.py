"""Policy documents: read once, when they are put or loaded; decisions ask what was read.

Source: IAM User Guide, "Grammar of the IAM JSON policy language"; Amazon S3 User Guide, "Bucket policies". Texts
quoted are those of Amazon S3 and IAM.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from valetkey.policy.document_rules import DocumentKind as DocumentKind
from valetkey.policy.document_rules import Rules
from valetkey.policy.malformed import MalformedPolicyError as MalformedPolicyError
from valetkey.policy.malformed import PolicyTooLargeError as PolicyTooLargeError
from valetkey.policy.malformed import shown
from valetkey.policy.statements import Effect as Effect
from valetkey.policy.statements import Statement as Statement
from valetkey.policy.statements import parse_statement

MAX_USER_POLICIES: Final = 2048
"""Of all inline policies of a user together, and of the policy of a session: characters but white space."""
MAX_GROUP_POLICIES: Final = 5120
"""Of all inline policies of a group together."""
MAX_MANAGED_POLICY: Final = 6144
MAX_ROLE_POLICIES: Final = 10_240
"""Of all inline policies of a role together."""
MAX_TRUST_POLICY: Final = 2048
MAX_BUCKET_POLICY_BYTES: Final = 20 * 1024

_LARGEST: Final[Mapping[DocumentKind, int]] = MappingProxyType(
    {
        DocumentKind.IDENTITY: MAX_ROLE_POLICIES,
        DocumentKind.RESOURCE: MAX_BUCKET_POLICY_BYTES,
        DocumentKind.TRUST: MAX_TRUST_POLICY,
    }
)
_MOST_CHARACTERS: Final = 131_072
"""Of any document with its white space, as IAM's API takes it."""
_WITH_VARIABLES: Final = "2012-10-17"
_OLD: Final = "2008-10-17"
_FIELDS: Final = frozenset({"Version", "Id", "Statement"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy document that was read."""

    id: str
    version: str
    """`2012-10-17`, or `2008-10-17`, which knows no variables."""
    kind: DocumentKind
    statements: tuple[Statement, ...]


class _Number(str):
    """A number as the document writes it: only conditions take one, and read it by the type of their key."""

    __slots__ = ()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _refuse(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def _read(text: str) -> dict[str, object]:
    if not text.lstrip(" \t\r\n").startswith("{"):
        raise MalformedPolicyError("Policies must be valid JSON and the first byte must be '{'")
    try:
        document = json.loads(
            text, object_pairs_hook=_object, parse_int=_Number, parse_float=_Number, parse_constant=_refuse
        )
        # A half of a surrogate pair could be kept and shown nowhere.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedPolicyError("This policy contains invalid Json") from error
    assert isinstance(document, dict), "its first byte says so"
    return document


def length_of(text: str) -> int:
    """Return how many characters of `text` count against a limit of IAM: all but white space."""
    return sum(map(len, text.split()))


def _require_size(text: str, kind: DocumentKind, limit: int) -> None:
    if kind is DocumentKind.RESOURCE:
        if len(text.encode("utf-8", "surrogatepass")) > limit:
            raise PolicyTooLargeError(
                f"Normalized policy document exceeds the maximum allowed size of {limit} bytes.", limit=limit
            )
    elif len(text) > _MOST_CHARACTERS or length_of(text) > limit:
        raise PolicyTooLargeError(f"Maximum policy size of {limit} bytes exceeded", limit=limit)


def _version(document: Mapping[str, object], kind: DocumentKind) -> str:
    version = document.get("Version", _OLD)
    if version in (_OLD, _WITH_VARIABLES):
        return str(version)
    if kind is DocumentKind.RESOURCE:
        raise MalformedPolicyError("The policy must contain a valid version string", where="Version")
    raise MalformedPolicyError("Policy document must be version 2012-10-17 or greater.", where="Version")


def _require_unique_sids(statements: tuple[Statement, ...]) -> None:
    seen = set[str]()
    for statement in statements:
        if statement.sid and statement.sid in seen:
            raise MalformedPolicyError(
                "Statement IDs (SID) in a single policy must be unique.",
                where=f"Statement[{statement.index}].Sid",
            )
        seen.add(statement.sid)


def parse_policy(
    text: str | bytes, *, kind: DocumentKind, bucket: str | None = None, limit: int | None = None
) -> Policy:
    """Return the policy that `text` writes.

    `bucket` is the name of the bucket whose policy it is to become: then every resource must be of it. `limit`
    takes the place of the largest size of its kind: bytes of a bucket's policy, else characters but white space.

    Raises:
        MalformedPolicyError: it is none, or says what nobody could obey: an unknown action, key or operator, a
            value of a wrong form, a principal or a resource where none belongs.
        PolicyTooLargeError: it is longer than `limit`.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            raise MalformedPolicyError(
                "Policies must be valid JSON and the first byte must be '{'"
            ) from error
    _require_size(text, kind, _LARGEST[kind] if limit is None else limit)
    document = _read(text)
    for name in document:
        if name not in _FIELDS:
            raise MalformedPolicyError(f"Unknown field {shown(name)}")
    version = _version(document, kind)
    policy_id = document.get("Id", "")
    if not isinstance(policy_id, str):
        raise MalformedPolicyError("Invalid policy syntax.", where="Id")
    if "Statement" not in document:
        raise MalformedPolicyError("Missing required field Statement")
    given = document["Statement"]
    if given == []:
        raise MalformedPolicyError("Could not parse the policy: Statement is empty!", where="Statement")
    rules = Rules(kind=kind, has_variables=version == _WITH_VARIABLES, bucket=bucket)
    listed = given if isinstance(given, list) else [given]
    statements = tuple(parse_statement(one, rules, index=index) for index, one in enumerate(listed))
    _require_unique_sids(statements)
    return Policy(id=policy_id, version=version, kind=kind, statements=statements)
