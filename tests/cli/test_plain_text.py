"""Names and messages in which somebody hid something."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.cli.plain_text import plain_name, shown


@pytest.mark.parametrize(
    ("key", "name"),
    [
        pytest.param("a/b.txt", "b.txt", id="last segment"),
        pytest.param("b.txt", "b.txt", id="no folder"),
        pytest.param("a/b/", "b", id="folder"),
        pytest.param("März – Ada’s 写真 🔑.pdf", "März – Ada’s 写真 🔑.pdf", id="any script"),
        pytest.param("", "download", id="nothing"),
        pytest.param("//", "download", id="slashes"),
        pytest.param("a/..", "download", id="dots"),
        pytest.param("a/-", "download", id="hyphen"),
        pytest.param("a/ .- .", "download", id="dots and spaces"),
        pytest.param("x/a\x15touch PWNED\rz", "a_touch PWNED_z", id="kill and return"),
        pytest.param("a\x00b\x1bc\x7fd\x9be", "a_b_c_d_e", id="C0 and DEL and C1"),
        pytest.param("a\u202etxt.exe", "a_txt.exe", id="direction override"),
        pytest.param("a\u2066b\u200bc\ufeffd", "a_b_c_d", id="formats"),
        pytest.param("a\u2028b\u2029c", "a_b_c", id="separators"),
        pytest.param(".bashrc", "bashrc", id="dot file"),
        pytest.param(" ..-.profile", "profile", id="dot file behind a space"),
        pytest.param("-rf", "rf", id="flag"),
        pytest.param("..\\..\\evil.ps1", "_.._evil.ps1", id="backslashes"),
        pytest.param("C:evil", "C_evil", id="drive"),
        pytest.param("a.txt:b", "a.txt_b", id="stream"),
        pytest.param("a.exe. .", "a.exe", id="end that Windows drops"),
        pytest.param("NUL", "_NUL", id="device"),
        pytest.param("con.txt", "_con.txt", id="device with an ending"),
        pytest.param("Com¹ .x", "_Com¹ .x", id="device with a raised digit"),
        pytest.param(".lpt1. ", "_lpt1", id="device behind dots"),
        pytest.param("conout$", "_conout$", id="console"),
        pytest.param("CON" + 300 * " " + "x", "_CON", id="device after the cut"),
        pytest.param("console.txt", "console.txt", id="no device"),
        pytest.param(300 * "a" + ".pdf", 195 * "a" + ".pdf", id="long"),
        pytest.param(300 * "ä", 99 * "ä", id="long in other letters"),
        pytest.param("a." + 300 * "b", "a." + 197 * "b", id="long ending"),
    ],
)
def test_local_name_is_plain(key: str, name: str) -> None:
    assert plain_name(key) == name


@given(st.text() | st.from_regex(re.compile(r"\A[ .-]*(con|nul|com1)?[ .:\\/]*\Z", re.IGNORECASE)))
def test_local_name_stays_here_whatever_the_key(key: str) -> None:
    name = plain_name(key)

    assert 0 < len(name.encode()) <= 200
    assert not name.startswith((".", "-", " "))
    assert not name.endswith((".", " "))
    assert not set(name) & set("/\\:")
    assert {unicodedata.category(char) for char in name}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert name.partition(".")[0].strip().upper() not in {"CON", "NUL", "COM1"}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param("März 写真 🔑", "März 写真 🔑", id="any script"),
        pytest.param("a\x1b[2J\r\n", r"a\x1b[2J\r\n", id="C0"),
        pytest.param("a\x7f\x9b2J", r"a\x7f\x9b2J", id="DEL and C1"),
        pytest.param("a\u202eb\u2028", r"a\u202eb\u2028", id="direction and separator"),
        pytest.param("a\udcff", r"a\udcff", id="no encoding"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(text: str, seen: str) -> None:
    assert shown(text) == seen
