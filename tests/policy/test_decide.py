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

ROOT = Principal(kind=PrincipalKind.ROOT, name="root")


def test_root_may_do_everything() -> None:
    assert decide(ROOT, "s3:DeleteBucket").is_allowed


def test_anonymous_may_do_nothing() -> None:
    decision = decide(ANONYMOUS, "s3:GetObject")
    assert not decision.is_allowed
    assert decision.reason == "no rule allows an anonymous request"


def test_a_denied_request_raises_with_its_reason() -> None:
    with pytest.raises(AccessDeniedError) as caught:
        require_allowed(ANONYMOUS, "s3:GetObject")
    assert caught.value.action == "s3:GetObject"
    assert caught.value.reason
