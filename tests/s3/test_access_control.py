"""Access control lists, ownership and public access blocks are read as S3's schema has them, and written alike."""

from __future__ import annotations

import pytest

from valetkey.s3.answers import Owner
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.grants import (
    GranteeKind,
    NamedGrant,
    NamedGrantee,
    Ownership,
    PublicAccessBlockConfiguration,
)
from valetkey.s3.xml.access_control import (
    parse_access_control,
    parse_ownership_controls,
    parse_public_access_block,
    render_access_control,
    render_ownership_controls,
    render_public_access_block,
)

ME = Owner(id="a" * 64, display_name="me & you")
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


def a_grant(kind: GranteeKind, value: str, permission: str, name: str | None = None) -> NamedGrant:
    return NamedGrant(grantee=NamedGrantee(kind=kind, value=value, display_name=name), permission=permission)


MINE = a_grant(GranteeKind.ID, ME.id, "FULL_CONTROL", ME.display_name)
PUBLIC = a_grant(GranteeKind.GROUP, EVERYBODY, "READ")
LIST = render_access_control(ME, [MINE, PUBLIC])


def test_a_list_is_written_as_s3_writes_it_with_groups_first() -> None:
    schema = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    expected = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Owner><ID>{ME.id}</ID><DisplayName>me &amp; you</DisplayName></Owner><AccessControlList>"
        f'<Grant><Grantee {schema} xsi:type="Group"><URI>{EVERYBODY}</URI></Grantee>'
        "<Permission>READ</Permission></Grant>"
        f'<Grant><Grantee {schema} xsi:type="CanonicalUser"><ID>{ME.id}</ID>'
        "<DisplayName>me &amp; you</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant>"
        "</AccessControlList></AccessControlPolicy>"
    )
    assert expected == LIST


def test_an_empty_list_is_written_and_read() -> None:
    text = render_access_control(ME, [])
    assert "<AccessControlList/>" in text
    assert parse_access_control(text.encode()).grants == ()


def test_what_is_written_is_read() -> None:
    policy = parse_access_control(LIST.encode())
    assert policy.owner_id == ME.id
    assert [(grant.grantee.kind, grant.grantee.value, grant.permission) for grant in policy.grants] == [
        (GranteeKind.GROUP, EVERYBODY, "READ"),
        (GranteeKind.ID, ME.id, "FULL_CONTROL"),
    ]


def test_a_grantee_may_be_named_by_email() -> None:
    body = render_access_control(ME, [a_grant(GranteeKind.EMAIL, "ann@example.com", "WRITE_ACP")])
    (grant,) = parse_access_control(body.encode()).grants
    assert (grant.grantee.kind, grant.grantee.value) == (GranteeKind.EMAIL, "ann@example.com")
    assert grant.grantee.argument == "AmazonCustomerByEmail/EmailAddress"


def test_a_grantee_without_a_type_is_what_its_element_says() -> None:
    body = LIST.replace(' xsi:type="Group"', "").replace(' xsi:type="CanonicalUser"', "")
    assert parse_access_control(body.encode()).grants == parse_access_control(LIST.encode()).grants


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(LIST[:-1], id="cut off"),
        pytest.param(LIST.replace("FULL_CONTROL", "ALL"), id="unknown permission"),
        pytest.param(LIST.replace('xsi:type="Group"', 'xsi:type="CanonicalUser"'), id="type of another"),
        pytest.param(LIST.replace('xsi:type="Group"', 'xsi:type="Crowd"'), id="unknown type"),
        pytest.param(LIST.replace("<Permission>READ</Permission>", ""), id="no permission"),
        pytest.param(LIST.replace("<Grant>", "<Line>").replace("</Grant>", "</Line>"), id="no grant"),
        pytest.param(LIST.replace(f"<URI>{EVERYBODY}</URI>", ""), id="nobody"),
        pytest.param(LIST.replace("<URI>", f"<ID>{ME.id}</ID><URI>"), id="two in one"),
        pytest.param("<AccessControlPolicy/>", id="nothing"),
        pytest.param("<AccessControlPolicy><AccessControlList/></AccessControlPolicy>", id="no owner"),
        pytest.param(render_access_control(ME, [PUBLIC] * 101), id="too long"),
    ],
)
def test_another_document_is_refused(document: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_access_control(document.encode())
    assert caught.value.code is Code.MALFORMED_ACL_ERROR


def test_the_longest_list_is_read() -> None:
    assert len(parse_access_control(render_access_control(ME, [PUBLIC] * 100).encode()).grants) == 100


@pytest.mark.parametrize("ownership", list(Ownership), ids=lambda ownership: ownership.value)
def test_ownership_is_read_as_it_is_written(ownership: Ownership) -> None:
    assert parse_ownership_controls(render_ownership_controls(ownership.value).encode()) is ownership


@pytest.mark.parametrize(
    "content",
    ["", "<Rule/>", "<Rule><ObjectOwnership>Nobody</ObjectOwnership></Rule>", "<Rule/><Rule/>", "<Other/>"],
)
def test_another_ownership_is_refused(content: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_ownership_controls(f"<OwnershipControls>{content}</OwnershipControls>".encode())
    assert caught.value.code is Code.MALFORMED_XML


@pytest.mark.parametrize(
    "block",
    [
        PublicAccessBlockConfiguration(),
        PublicAccessBlockConfiguration(block_public_acls=True, restrict_public_buckets=True),
        PublicAccessBlockConfiguration(ignore_public_acls=True, block_public_policy=True),
    ],
    ids=["nothing", "two", "the other two"],
)
def test_a_block_is_read_as_it_is_written(block: PublicAccessBlockConfiguration) -> None:
    assert parse_public_access_block(render_public_access_block(block).encode()) == block


def test_what_a_block_does_not_name_is_not_blocked() -> None:
    body = "<PublicAccessBlockConfiguration><BlockPublicAcls>TRUE</BlockPublicAcls></PublicAccessBlockConfiguration>"
    assert parse_public_access_block(body.encode()) == PublicAccessBlockConfiguration(block_public_acls=True)


@pytest.mark.parametrize("content", ["<BlockPublicAcls>maybe</BlockPublicAcls>", "<BlockAll>true</BlockAll>"])
def test_another_block_is_refused(content: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_public_access_block(
            f"<PublicAccessBlockConfiguration>{content}</PublicAccessBlockConfiguration>".encode()
        )
    assert caught.value.code is Code.MALFORMED_XML
