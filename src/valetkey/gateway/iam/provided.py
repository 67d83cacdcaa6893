"""The managed policies that come with the program, under the ARNs by which Amazon's are known.

Source: AWS Managed Policy Reference, as far as what they allow means something here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from valetkey.store.identity_model import PROVIDED, NewPolicy
from valetkey.store.identity_store import Identities

_S3_READ: Final = ("s3:Get*", "s3:List*", "s3:Describe*")
_IAM_READ: Final = ("iam:Get*", "iam:List*", "iam:Simulate*", "iam:GenerateCredentialReport")

_STATEMENTS: Final[Mapping[str, tuple[str, Sequence[Mapping[str, object]]]]] = {
    "AdministratorAccess": (
        "Everything.",
        [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    ),
    "PowerUserAccess": (
        "Everything but users and their rights.",
        [{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}],
    ),
    "ReadOnlyAccess": (
        "Reading everything.",
        [{"Effect": "Allow", "Action": [*_S3_READ, *_IAM_READ], "Resource": "*"}],
    ),
    "AmazonS3FullAccess": (
        "Everything in buckets.",
        [{"Effect": "Allow", "Action": ["s3:*", "s3-object-lambda:*"], "Resource": "*"}],
    ),
    "AmazonS3ReadOnlyAccess": (
        "Reading in buckets.",
        [{"Effect": "Allow", "Action": list(_S3_READ), "Resource": "*"}],
    ),
    "IAMFullAccess": (
        "Everything with users and their rights.",
        [{"Effect": "Allow", "Action": ["iam:*"], "Resource": "*"}],
    ),
    "IAMReadOnlyAccess": (
        "Seeing users and their rights.",
        [{"Effect": "Allow", "Action": list(_IAM_READ), "Resource": "*"}],
    ),
    "IAMUserChangePassword": (
        "Nothing here: there are no passwords.",
        [
            {
                "Effect": "Allow",
                "Action": ["iam:ChangePassword", "iam:GetAccountPasswordPolicy"],
                "Resource": "*",
            }
        ],
    ),
}


def provided_policies() -> list[NewPolicy]:
    """Return the policies for all accounts. The same ones have the same ids at every start."""
    return [
        NewPolicy(
            account_id=PROVIDED,
            name=name,
            unique_id="ANPA" + sha256(name.encode()).hexdigest()[:17].upper(),
            document=json.dumps({"Version": "2012-10-17", "Statement": statements}),
            description=description,
        )
        for name, (description, statements) in _STATEMENTS.items()
    ]


async def provide_policies(identities: Identities, *, now_ms: int) -> None:
    """Let the policies exist in the store, as this program has them."""
    for policy in provided_policies():
        await identities.policies.provide(policy, now_ms=now_ms)
