import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.cli.disposition import attachment
from valetkey.cli.errors import BadInputError


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        pytest.param("report.pdf", 'attachment; filename="report.pdf"', id="plain"),
        pytest.param("my report.pdf", 'attachment; filename="my report.pdf"', id="space"),
        pytest.param(
            "Bericht – März.pdf",
            "attachment; filename=\"Bericht - Marz.pdf\"; filename*=UTF-8''Bericht%20%E2%80%93%20M%C3%A4rz.pdf",
            id="accents and dash",
        ),
        pytest.param(
            "履歴書.pdf",
            "attachment; filename=\"___.pdf\"; filename*=UTF-8''%E5%B1%A5%E6%AD%B4%E6%9B%B8.pdf",
            id="no ASCII likeness",
        ),
        pytest.param(
            'a"b\\c%41;d.txt',
            "attachment; filename=\"a_b_c_41_d.txt\"; filename*=UTF-8''a%22b%5Cc%2541%3Bd.txt",
            id="characters that clients read differently",
        ),
        pytest.param(
            "cafe\u0301.txt",
            "attachment; filename=\"cafe.txt\"; filename*=UTF-8''cafe%CC%81.txt",
            id="combining accent",
        ),
    ],
)
def test_download_name_is_given_in_both_forms_when_needed(filename: str, header: str) -> None:
    assert attachment(filename) == header


@pytest.mark.parametrize(
    "filename", ["", " ", "..", "a/b", "a\nb", "a\r\nX: y", "a\x7f", "\udcff"], ids=ascii
)
def test_name_that_no_file_should_have_is_refused(filename: str) -> None:
    with pytest.raises(BadInputError):
        attachment(filename)


names = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1).filter(
    lambda name: name.strip(" .")
)
FORM = re.compile(r"""attachment; filename="([^"]*)"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+\-.^_`|~%]+))?""")


@given(names)
def test_header_is_ascii_and_reads_back_as_the_name(filename: str) -> None:
    header = attachment(filename)

    parts = FORM.fullmatch(header)
    assert header.isascii()
    assert parts is not None
    fallback, whole = parts.groups()
    assert fallback == filename if whole is None else unquote(whole, errors="strict") == filename
