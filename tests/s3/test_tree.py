"""A document that comes in is bounded while it is read, whatever it says."""

from __future__ import annotations

import pytest

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.tree import parse_root


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(f'<a xmlns="{"u" * 256}"/>', id="namespace"),
        pytest.param(f'<a xmlns:b="{"u" * 256}"><b:c/></a>', id="named-namespace"),
        pytest.param(f"<a>{'t' * 65_533}</a>", id="text"),
        pytest.param(f"<a>{'<b/>' * 119_999}</a>", id="elements"),
        pytest.param("<a>" * 8 + "</a>" * 8, id="depth"),
    ],
)
def test_the_longest_documents_are_read(document: str) -> None:
    assert parse_root(document.encode()).name == "a"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(f'<a xmlns="{"u" * 257}"/>', id="namespace"),
        pytest.param(f'<a xmlns:b="{"u" * 257}"><b:c/></a>', id="named-namespace"),
        pytest.param(f'<a><b xmlns:c="{"u" * 257}"/></a>', id="namespace-inside"),
        pytest.param(f"<a>{'t' * 65_534}</a>", id="text"),
        pytest.param(f"<{'a' * 65_536}/>", id="name"),
        pytest.param(f'<a b="{"v" * 65_536}"/>', id="attribute"),
        pytest.param(f"<a>{'<b/>' * 120_000}</a>", id="elements"),
        pytest.param("<a>" * 9 + "</a>" * 9, id="depth"),
        pytest.param('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', id="entity"),
    ],
)
def test_a_longer_document_is_malformed(document: str) -> None:
    with pytest.raises(S3Error) as raised:
        parse_root(document.encode())
    assert raised.value.code is Code.MALFORMED_XML
