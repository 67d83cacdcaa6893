import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.xml.text import encoder_of_all, escaped, key_encoder, url_encoded

# Any code points, surrogates too: a renderer never fails.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
PLAIN = st.text("abcXYZ019/._- é", max_size=20)

# Written out once more, character by character. Source: XML 1.0, section 2.2 (Char) and section 2.4 (markup).
MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
XML_CHARACTER = re.compile("[\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped_one_by_one(text: str) -> str:
    return "".join(
        MARKUP.get(each) or (each if XML_CHARACTER.fullmatch(each) else f"&#x{ord(each):x};") for each in text
    )


@given(TEXTS)
def test_what_xml_cannot_hold_is_a_reference_and_all_else_stays(text: str) -> None:
    assert escaped(text) == escaped_one_by_one(text)


@given(st.lists(TEXTS | PLAIN, max_size=4))
def test_keys_of_a_page_are_written_as_each_alone(keys: list[str]) -> None:
    encode = encoder_of_all(keys, key_encoder(None))
    assert [encode(key) for key in keys] == [escaped_one_by_one(key) for key in keys]


@pytest.mark.parametrize("special", ["&", "<", ">", '"', "\r", "\x00", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_one_special_key_in_a_page_is_seen(special: str) -> None:
    keys = ["a", f"b{special}", "c"]
    encode = encoder_of_all(keys, escaped)
    assert [encode(key) for key in keys] == ["a", escaped_one_by_one(f"b{special}"), "c"]


@given(st.lists(PLAIN, max_size=4))
def test_percent_encoded_pages_stay_percent_encoded(keys: list[str]) -> None:
    encode = encoder_of_all(keys, key_encoder("url"))
    assert [encode(key) for key in keys] == [url_encoded(key) for key in keys]
