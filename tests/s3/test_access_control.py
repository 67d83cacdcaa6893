"""Access control lists that change nothing are told from all others."""

from __future__ import annotations

import pytest

from valetkey.s3.answers import Owner
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.access_control import grants_owner_alone, render_owner_control

ME = Owner(id="a" * 64, display_name="me & you")
MINE = render_owner_control(ME)


def test_what_we_say_of_a_bucket_changes_nothing() -> None:
    assert grants_owner_alone(MINE.encode(), ME.id)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(MINE.replace("FULL_CONTROL", "READ"), id="less"),
        pytest.param(MINE.replace("a" * 64, "b" * 64), id="another account"),
        pytest.param(MINE.replace("<ID>" + "a" * 64 + "</ID>", "<URI>all</URI>"), id="a group"),
        pytest.param("<AccessControlPolicy/>", id="nothing"),
    ],
)
def test_everything_else_would_change_something(document: str) -> None:
    assert not grants_owner_alone(document.encode(), ME.id)


@pytest.mark.parametrize("grant", ["<Grant/>", "<Other/>"])
def test_a_grant_to_nobody_is_malformed(grant: str) -> None:
    body = f"<AccessControlPolicy><AccessControlList>{grant}</AccessControlList></AccessControlPolicy>"
    with pytest.raises(S3Error):
        grants_owner_alone(body.encode(), ME.id)
