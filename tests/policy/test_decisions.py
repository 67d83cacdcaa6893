"""Tables: policies, request, what is decided, and by which statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from tests.policy.rows import (
    ANN_ARN,
    FEDERATED_ARN,
    HERE,
    ROLE_ARN,
    SESSION_ARN,
    THERE,
    Row,
    everyone,
    judged,
    statement,
    to,
)

from valetkey.policy.evaluate import AclGrant
from valetkey.policy.public import PublicAccessBlock

GET: Final = "s3:GetObject b/k"
READ: Final = "Allow s3:GetObject b/*"
NO_READ: Final = "Deny s3:GetObject b/*"
ALL: Final = [statement("Allow * *")]
HERE_ROOT: Final = f"arn:aws:iam::{HERE}:root"
THERE_ROOT: Final = f"arn:aws:iam::{THERE}:root"
BOB: Final = f"arn:aws:iam::{THERE}:user/bob"
BOTH: Final = "b,b/*"


def row(who: str, expected: str, does: str = GET, **more: Any) -> Row:
    return Row(who=who, does=does, expected=expected, **more)


ROOT: Final = {
    "may do everything in its bucket": row("root", "allow"),
    "may delete its bucket": row("root", "allow", "s3:DeleteBucket b"),
    "may create buckets": row("root", "allow", "s3:CreateBucket new", is_owned=False),
    "may list its buckets": row("root", "allow", "s3:ListAllMyBuckets *", is_owned=False),
    "may make users": row("root", "allow", f"iam:CreateUser arn:aws:iam::{HERE}:user/new", is_owned=False),
    "is bound by a Deny for everyone": row("root", "deny bucket 0", bucket=[everyone(NO_READ)]),
    "is bound by a Deny for its account": row("root", "deny bucket 0", bucket=[to(HERE, NO_READ)]),
    "is not bound by a Deny for a user": row("root", "allow", bucket=[to(ANN_ARN, NO_READ)]),
    "is not bound by a Deny for others": row("root", "allow", bucket=[to(THERE, NO_READ)]),
    "needs no Allow beside its own": row("root", "allow", bucket=[everyone(READ)]),
    "may read its bucket policy": row(
        "root", "allow", "s3:GetBucketPolicy b", bucket=[everyone(f"Deny s3:* {BOTH}")]
    ),
    "may put its bucket policy": row(
        "root", "allow", "s3:PutBucketPolicy b", bucket=[everyone(f"Deny s3:* {BOTH}")]
    ),
    "may delete its bucket policy": row(
        "root", "allow", "s3:DeleteBucketPolicy b", bucket=[everyone(f"Deny s3:* {BOTH}")]
    ),
    "is denied the policy's status like the rest": row(
        "root", "deny bucket 0", "s3:GetBucketPolicyStatus b", bucket=[everyone(f"Deny s3:* {BOTH}")]
    ),
    "of another account is not spared": row(
        "other-root", "deny bucket 0", "s3:GetBucketPolicy b", bucket=[everyone(f"Deny s3:* {BOTH}")]
    ),
    "users are not spared": row(
        "ann", "deny bucket 0", "s3:GetBucketPolicy b", user=ALL, bucket=[everyone(f"Deny s3:* {BOTH}")]
    ),
    "is bound by policies attached to it": row("root", "deny user 0", user=[statement(NO_READ)]),
    "is not limited by the public access block": row(
        "root", "allow", bucket=[everyone(READ)], block=PublicAccessBlock(restrict_public_buckets=True)
    ),
}

USERS: Final = {
    "may nothing by default": row("ann", "deny"),
    "may nothing by default where nobody owns": row("ann", "deny", "s3:CreateBucket n", is_owned=False),
    "may by a policy of their own": row("ann", "allow user 0", user=[statement(READ)]),
    "may by a policy of a group": row("ann", "allow group 0", group=[statement(READ)]),
    "may by the second statement": row(
        "ann", "allow user 1", user=[statement("Allow s3:PutObject b/*"), statement(READ)]
    ),
    "their own Deny wins over Allow": row("ann", "deny user 1", user=[statement(READ), statement(NO_READ)]),
    "the order does not matter": row("ann", "deny user 0", user=[statement(NO_READ), statement(READ)]),
    "a group's Deny wins": row("ann", "deny group 0", user=[statement(READ)], group=[statement(NO_READ)]),
    "their Deny wins over the group": row(
        "ann", "deny user 0", user=[statement(NO_READ)], group=[statement(READ)]
    ),
    "their Deny wins over the bucket": row(
        "ann", "deny user 0", user=[statement(NO_READ)], bucket=[to(ANN_ARN, READ)]
    ),
    "the bucket's Deny wins over theirs": row(
        "ann", "deny bucket 0", user=ALL, bucket=[to(ANN_ARN, NO_READ)]
    ),
    "the bucket's Deny for the account binds them": row(
        "ann", "deny bucket 0", user=ALL, bucket=[to(HERE, NO_READ)]
    ),
    "may by the bucket naming them": row("ann", "allow bucket 0", bucket=[to(ANN_ARN, READ)]),
    "may by the bucket naming them without account": row(
        "ann", "allow bucket 0", bucket=[to("arn:aws:iam:::user/team/ann", READ)]
    ),
    "may by the bucket naming everyone": row("ann", "allow bucket 0", bucket=[everyone(READ)]),
    "may not by the bucket naming the account": row("ann", "deny", bucket=[to(HERE, READ)]),
    "may not by the bucket naming the account's root": row("ann", "deny", bucket=[to(HERE_ROOT, READ)]),
    "may by themselves when the bucket names the account": row(
        "ann", "allow user 0", user=ALL, bucket=[to(HERE, READ)]
    ),
    "are not another user": row("ann", "deny", bucket=[to(f"arn:aws:iam::{HERE}:user/eve", READ)]),
    "have a path": row("ann", "deny", bucket=[to(f"arn:aws:iam::{HERE}:user/ann", READ)]),
    "are known by case": row("ann", "deny", bucket=[to(ANN_ARN.replace("ann", "Ann"), READ)]),
    "the bucket that names them decides before they do": row(
        "ann", "allow bucket 0", user=ALL, bucket=[to(ANN_ARN, READ)]
    ),
    "the closest Allow decides": row("ann", "allow bucket 1", bucket=[to(HERE, READ), to(ANN_ARN, READ)]),
    "a NotPrincipal spares them": row(
        "ann",
        "allow user 0",
        user=ALL,
        bucket=[statement(NO_READ, NotPrincipal={"AWS": [ANN_ARN, HERE_ROOT]})],
    ),
    "a NotPrincipal of others does not": row(
        "ann", "deny bucket 0", user=ALL, bucket=[statement(NO_READ, NotPrincipal={"AWS": BOB})]
    ),
    "a NotPrincipal of the account spares its root only": row(
        "ann", "deny bucket 0", user=ALL, bucket=[statement(NO_READ, NotPrincipal={"AWS": HERE_ROOT})]
    ),
    "a NotPrincipal of everyone spares all": row(
        "ann", "allow user 0", user=ALL, bucket=[statement(NO_READ, NotPrincipal="*")]
    ),
    "their temporary credentials are theirs": row("ann-session", "allow user 0", user=[statement(READ)]),
    "the bucket naming them names their session": row(
        "ann-session", "allow bucket 0", bucket=[to(ANN_ARN, READ)]
    ),
    "may list buckets by a pattern for all": row(
        "ann",
        "allow user 0",
        "s3:ListAllMyBuckets arn:aws:s3:::*",
        is_owned=False,
        user=[statement("Allow s3:ListAllMyBuckets *")],
    ),
    "may be denied to list buckets by a pattern for all": row(
        "ann",
        "deny user 0",
        "s3:ListAllMyBuckets arn:aws:s3:::*",
        is_owned=False,
        user=[statement("Deny s3:ListAllMyBuckets arn:aws:s3:::*"), *ALL],
    ),
}

LIMITS: Final = {
    "a boundary that allows changes nothing": row("ann", "allow user 0", user=ALL, boundary=ALL),
    "a boundary allows nothing by itself": row("ann", "deny", boundary=ALL),
    "a boundary takes what it does not allow": row(
        "ann", "deny", user=ALL, boundary=[statement("Allow s3:PutObject *")]
    ),
    "a boundary's Deny forbids": row("ann", "deny boundary 1", user=ALL, boundary=[*ALL, statement(NO_READ)]),
    "a boundary does not limit the bucket naming the user": row(
        "ann", "allow bucket 0", bucket=[to(ANN_ARN, READ)], boundary=[statement("Allow s3:PutObject *")]
    ),
    "a boundary does not limit the bucket naming everyone": row(
        "ann", "allow bucket 0", bucket=[everyone(READ)], boundary=[statement("Allow s3:PutObject *")]
    ),
    "a boundary's Deny binds the bucket's Allow": row(
        "ann", "deny boundary 0", bucket=[to(ANN_ARN, READ)], boundary=[statement(NO_READ)]
    ),
    "a boundary limits a role": row("role", "deny", user=ALL, boundary=[statement("Allow s3:PutObject *")]),
    "a boundary limits the bucket naming the role": row(
        "role", "deny", bucket=[to(ROLE_ARN, READ)], boundary=[statement("Allow s3:PutObject *")]
    ),
    "a boundary does not limit the bucket naming the session": row(
        "role", "allow bucket 0", bucket=[to(SESSION_ARN, READ)], boundary=[statement("Allow s3:PutObject *")]
    ),
    "a role may by its policies": row("role", "allow user 0", user=[statement(READ)]),
    "a role may nothing by default": row("role", "deny"),
    "a session policy that allows changes nothing": row("role", "allow user 0", user=ALL, session=ALL),
    "a session policy allows nothing by itself": row("role", "deny", session=ALL),
    "a session policy takes what it does not allow": row(
        "role", "deny", user=ALL, session=[statement("Allow s3:PutObject *")]
    ),
    "a session policy's Deny forbids": row(
        "role", "deny session 0", user=ALL, session=[statement(NO_READ), *ALL]
    ),
    "the bucket naming the role allows": row("role", "allow bucket 0", bucket=[to(ROLE_ARN, READ)]),
    "the bucket naming the role is within the session policy": row(
        "role", "allow bucket 0", bucket=[to(ROLE_ARN, READ)], session=ALL
    ),
    "the bucket naming the role is limited by the session policy": row(
        "role", "deny", bucket=[to(ROLE_ARN, READ)], session=[statement("Allow s3:PutObject *")]
    ),
    "the bucket naming the session is not": row(
        "role", "allow bucket 0", bucket=[to(SESSION_ARN, READ)], session=[statement("Allow s3:PutObject *")]
    ),
    "the bucket naming everyone is not": row(
        "role", "allow bucket 0", bucket=[everyone(READ)], session=[statement("Allow s3:PutObject *")]
    ),
    "a session's Deny binds the bucket naming it": row(
        "role", "deny session 0", bucket=[to(SESSION_ARN, READ)], session=[statement(NO_READ)]
    ),
    "another session of the role is another": row(
        "role", "deny", bucket=[to(SESSION_ARN.replace("shift", "night"), READ)]
    ),
    "a role without its path is another": row(
        "role", "deny", bucket=[to(f"arn:aws:iam::{HERE}:role/reader", READ)]
    ),
    "all of boundary, session and identity": row("role", "allow user 0", user=ALL, session=ALL, boundary=ALL),
    "a Deny for the role binds its session": row(
        "role", "deny bucket 0", user=ALL, bucket=[to(ROLE_ARN, NO_READ)]
    ),
    "a NotPrincipal of the role spares its session": row(
        "role", "allow user 0", user=ALL, bucket=[statement(NO_READ, NotPrincipal={"AWS": ROLE_ARN})]
    ),
    "a federated session without policy may nothing": row("guest", "deny", user=ALL),
    "a federated session within both may": row("guest", "allow user 0", user=ALL, session=[statement(READ)]),
    "a federated session is within its user": row("guest", "deny", session=ALL),
    "the bucket naming the federated session allows": row(
        "guest", "allow bucket 0", bucket=[to(FEDERATED_ARN, READ)]
    ),
    "the bucket naming its user is limited by the session": row("guest", "deny", bucket=[to(ANN_ARN, READ)]),
    "the bucket naming its user allows within the session": row(
        "guest", "allow bucket 0", bucket=[to(ANN_ARN, READ)], session=ALL
    ),
    "a Deny for its user binds it": row(
        "guest", "deny bucket 0", user=ALL, session=ALL, bucket=[to(ANN_ARN, NO_READ)]
    ),
}

ACROSS: Final = {
    "another account may nothing by default": row("other-root", "deny"),
    "another account may by the bucket": row("other-root", "allow bucket 0", bucket=[to(THERE, READ)]),
    "by its root's ARN": row("other-root", "allow bucket 0", bucket=[to(THERE_ROOT, READ)]),
    "by its canonical id": row(
        "other-root", "allow bucket 0", bucket=[statement(READ, Principal={"CanonicalUser": "b" * 64})]
    ),
    "not by another's canonical id": row(
        "other-root", "deny", bucket=[statement(READ, Principal={"CanonicalUser": "c" * 64})]
    ),
    "by everyone": row("other-root", "allow bucket 0", bucket=[everyone(READ)]),
    "by everyone in a list": row(
        "other-root", "allow bucket 0", bucket=[statement(READ, Principal={"AWS": [BOB, "*"]})]
    ),
    "not by naming its user": row("other-root", "deny", bucket=[to(BOB, READ)]),
    "a service is nobody's account": row(
        "other-root",
        "deny",
        bucket=[statement(READ, Principal={"Service": "logging.s3.amazonaws.com"})],
    ),
    "an identity provider is nobody's account": row(
        "other-root", "deny", bucket=[statement(READ, Principal={"Federated": "accounts.google.com"})]
    ),
    "an ARN without account is of the owner's account": row(
        "other-root", "deny", bucket=[to("arn:aws:iam:::root", READ)]
    ),
    "a user needs both sides": row("bob", "allow bucket 0", user=ALL, bucket=[to(BOB, READ)]),
    "a user needs the bucket's side": row("bob", "deny", user=ALL),
    "a user needs its own side": row("bob", "deny", bucket=[to(BOB, READ)]),
    "a user needs its own side for everyone's too": row("bob", "deny", bucket=[everyone(READ)]),
    "its account's name is enough on the bucket's side": row(
        "bob", "allow bucket 0", user=ALL, bucket=[to(THERE, READ)]
    ),
    "its account's canonical id is enough on the bucket's side": row(
        "bob",
        "allow bucket 0",
        user=ALL,
        bucket=[statement(READ, Principal={"CanonicalUser": "b" * 64})],
    ),
    "its own Deny forbids": row("bob", "deny user 0", user=[statement(NO_READ)], bucket=[to(BOB, READ)]),
    "the bucket's Deny forbids": row(
        "bob", "deny bucket 1", user=ALL, bucket=[to(BOB, READ), to(THERE, NO_READ)]
    ),
    "its boundary limits": row(
        "bob", "deny", user=ALL, boundary=[statement("Allow s3:Put* *")], bucket=[to(BOB, READ)]
    ),
    "an ACL is the bucket's side": row("bob", "allow", user=ALL, acl=AclGrant.ACCOUNT),
    "an ACL is one side only": row("bob", "deny", acl=AclGrant.ACCOUNT),
    "an ACL for its account is enough for its root": row("other-root", "allow", acl=AclGrant.ACCOUNT),
    "an ACL for all is enough for its root": row("other-root", "allow", acl=AclGrant.GROUP),
    "an ACL that grants nothing": row("other-root", "deny", acl=AclGrant.NONE),
    "a Deny is above an ACL": row(
        "other-root", "deny bucket 0", acl=AclGrant.ACCOUNT, bucket=[everyone(NO_READ)]
    ),
    "a bucket policy is asked before an ACL": row(
        "other-root", "allow bucket 0", acl=AclGrant.ACCOUNT, bucket=[to(THERE, READ)]
    ),
    "a role of the owner's account is no stranger": row("role", "deny", acl=AclGrant.ACCOUNT),
    "an ACL for the owner's account is no leave for its users": row("ann", "deny", acl=AclGrant.ACCOUNT),
    "an ACL for all is leave for the owner's users": row("ann", "allow", acl=AclGrant.GROUP),
    "a NotPrincipal spares another account": row(
        "other-root",
        "allow bucket 1",
        bucket=[statement(NO_READ, NotPrincipal={"AWS": THERE}), to(THERE, READ)],
    ),
    "a NotPrincipal forbids another account": row(
        "other-root",
        "deny bucket 0",
        bucket=[statement(NO_READ, NotPrincipal={"AWS": HERE}), to(THERE, READ)],
    ),
}

IGNORE: Final = PublicAccessBlock(ignore_public_acls=True)
RESTRICT: Final = PublicAccessBlock(restrict_public_buckets=True)
FIXED: Final = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
NEAR: Final = {"aws:SourceIp": "203.0.113.9"}

STRANGERS: Final = {
    "may nothing by default": row("stranger", "deny"),
    "may not list buckets": row("stranger", "deny", "s3:ListAllMyBuckets *", is_owned=False),
    "may not create buckets": row("stranger", "deny", "s3:CreateBucket n", is_owned=False),
    "may by a bucket policy": row("stranger", "allow bucket 0", bucket=[everyone(READ)]),
    "may by the long form of everyone": row("stranger", "allow bucket 0", bucket=[to("*", READ)]),
    "may not by an account's name": row("stranger", "deny", bucket=[to(HERE, READ)]),
    "may not do another action": row("stranger", "deny", "s3:PutObject b/k", bucket=[everyone(READ)]),
    "may by an ACL for all": row("stranger", "allow", acl=AclGrant.GROUP),
    "may not by no ACL": row("stranger", "deny", acl=AclGrant.NONE),
    "a Deny is above an ACL": row(
        "stranger", "deny bucket 0", acl=AclGrant.GROUP, bucket=[everyone(NO_READ)]
    ),
    "a Deny is above an Allow": row("stranger", "deny bucket 1", bucket=[everyone(READ), everyone(NO_READ)]),
    "a Deny for an account is not about them": row(
        "stranger", "allow bucket 1", bucket=[to(HERE, NO_READ), everyone(READ)]
    ),
    "a NotPrincipal is about them": row(
        "stranger",
        "deny bucket 0",
        bucket=[statement(NO_READ, NotPrincipal={"AWS": HERE}), everyone(READ)],
    ),
    "ignored ACLs for all do not count": row("stranger", "deny", acl=AclGrant.GROUP, block=IGNORE),
    "ignored ACLs do not count for accounts": row("other-root", "deny", acl=AclGrant.GROUP, block=IGNORE),
    "an ACL for one account is not ignored": row("other-root", "allow", acl=AclGrant.ACCOUNT, block=IGNORE),
    "ignoring ACLs leaves policies": row("stranger", "allow bucket 0", bucket=[everyone(READ)], block=IGNORE),
    "a restricted public policy is not for them": row(
        "stranger", "deny", bucket=[everyone(READ)], block=RESTRICT
    ),
    "a restricted public policy is not for other accounts": row(
        "other-root", "deny", bucket=[everyone(READ)], block=RESTRICT
    ),
    "nor what it allows them by name": row(
        "other-root", "deny", bucket=[to(THERE, READ), everyone(READ)], block=RESTRICT
    ),
    "it is for users of the owner": row("ann", "allow bucket 0", bucket=[everyone(READ)], block=RESTRICT),
    "its Deny still forbids": row(
        "stranger", "deny bucket 1", bucket=[everyone(READ), everyone(NO_READ)], block=RESTRICT
    ),
    "a policy that is not public is not restricted": row(
        "other-root", "allow bucket 0", bucket=[to(THERE, READ)], block=RESTRICT
    ),
    "a policy for fixed addresses is not restricted": row(
        "stranger",
        "allow bucket 0",
        bucket=[everyone(READ, Condition=FIXED)],
        context=NEAR,
        block=RESTRICT,
    ),
    "an ACL is not restricted": row(
        "stranger", "allow", acl=AclGrant.GROUP, bucket=[everyone(READ)], block=RESTRICT
    ),
    "blocking what is put blocks no request": row(
        "stranger",
        "allow bucket 0",
        bucket=[everyone(READ)],
        block=PublicAccessBlock(block_public_acls=True, block_public_policy=True),
    ),
}

ASSUME: Final = f"sts:AssumeRole {ROLE_ARN}"
MAY_ASSUME: Final = "Allow sts:AssumeRole"

TRUST: Final = {
    "a named user may assume": row("ann", "allow trust 0", ASSUME, trust=[to(ANN_ARN, MAY_ASSUME)]),
    "a user named without account may": row(
        "ann", "allow trust 0", ASSUME, trust=[to("arn:aws:iam:::user/team/ann", MAY_ASSUME)]
    ),
    "a user of the named account needs a policy": row("ann", "deny", ASSUME, trust=[to(HERE, MAY_ASSUME)]),
    "a user of the named account with a policy may": row(
        "ann", "allow trust 0", ASSUME, user=ALL, trust=[to(HERE, MAY_ASSUME)]
    ),
    "a policy alone is not enough": row("ann", "deny", ASSUME, user=ALL, trust=[to(BOB, MAY_ASSUME)]),
    "root is not enough": row("root", "deny", ASSUME, trust=[to(BOB, MAY_ASSUME)]),
    "root of the named account may": row("root", "allow trust 0", ASSUME, trust=[to(HERE, MAY_ASSUME)]),
    "another account's user needs both": row(
        "bob", "allow trust 0", ASSUME, user=ALL, trust=[to(BOB, MAY_ASSUME)]
    ),
    "another account's user without policy may not": row("bob", "deny", ASSUME, trust=[to(BOB, MAY_ASSUME)]),
    "another account's root may": row("other-root", "allow trust 0", ASSUME, trust=[to(THERE, MAY_ASSUME)]),
    "a stranger may not": row("stranger", "deny", ASSUME, trust=[to(HERE, MAY_ASSUME)]),
    "a Deny forbids": row(
        "ann",
        "deny trust 1",
        ASSUME,
        trust=[to(ANN_ARN, MAY_ASSUME), to(HERE, "Deny sts:AssumeRole")],
    ),
    "another action is another": row(
        "ann", "deny", f"sts:TagSession {ROLE_ARN}", trust=[to(ANN_ARN, MAY_ASSUME)]
    ),
    "an external id is asked": row(
        "bob",
        "allow trust 0",
        ASSUME,
        user=ALL,
        trust=[to(BOB, MAY_ASSUME, Condition={"StringEquals": {"sts:ExternalId": "42"}})],
        context={"sts:ExternalId": "42"},
    ),
    "a wrong external id refuses": row(
        "bob",
        "deny",
        ASSUME,
        user=ALL,
        trust=[to(BOB, MAY_ASSUME, Condition={"StringEquals": {"sts:ExternalId": "42"}})],
        context={"sts:ExternalId": "43"},
    ),
    "a role may assume a role that names it": row(
        "role", "allow trust 0", ASSUME, trust=[to(ROLE_ARN, MAY_ASSUME)]
    ),
    "within its session policy": row(
        "role", "deny", ASSUME, trust=[to(ROLE_ARN, MAY_ASSUME)], session=[statement(READ)]
    ),
}

TABLES: Final[Mapping[str, Mapping[str, Row]]] = {
    "root": ROOT,
    "users": USERS,
    "limits": LIMITS,
    "across accounts": ACROSS,
    "strangers": STRANGERS,
    "trust": TRUST,
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{topic}: {name}")
        for topic, table in TABLES.items()
        for name, case in table.items()
    ],
)
def test_decision(case: Row) -> None:
    assert judged(case) == case.expected
