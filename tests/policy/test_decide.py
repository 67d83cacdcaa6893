"""Decisions keep their reason, and what no rule allows is denied."""

import pytest

from valetkey.policy.decide import (
    ANONYMOUS,
    AccessDeniedError,
    Principal,
    PrincipalKind,
    decide,
    require_allowed,
)

OWNER = Principal(kind=PrincipalKind.ACCOUNT, name="owner", account_id="a" * 64)
OTHER = Principal(kind=PrincipalKind.ACCOUNT, name="other", account_id="b" * 64)


def test_the_owner_may_do_everything_in_its_bucket() -> None:
    assert decide(OWNER, "s3:DeleteBucket", owner_id=OWNER.account_id).is_allowed


def test_another_account_may_do_nothing_there() -> None:
    decision = decide(OTHER, "s3:GetObject", owner_id=OWNER.account_id)
    assert not decision.is_allowed
    assert decision.reason == "the bucket belongs to another account"


def test_every_account_may_create_buckets_of_its_own() -> None:
    assert decide(OTHER, "s3:CreateBucket", owner_id=None).is_allowed


@pytest.mark.parametrize("owner_id", [None, "", OWNER.account_id], ids=["no bucket", "unknown", "a bucket"])
def test_anonymous_may_do_nothing(owner_id: str | None) -> None:
    decision = decide(ANONYMOUS, "s3:GetObject", owner_id=owner_id)
    assert not decision.is_allowed
    assert decision.reason == "no rule allows an anonymous request"


def test_a_denied_request_raises_with_its_reason() -> None:
    with pytest.raises(AccessDeniedError) as caught:
        require_allowed(ANONYMOUS, "s3:GetObject", owner_id=OWNER.account_id)
    assert caught.value.action == "s3:GetObject"
    assert caught.value.reason
