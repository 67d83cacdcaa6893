from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.tokens import decode_token, encode_token

KEY = b"k" * 32
TOKEN = encode_token("key", key=KEY, scope="photos")


def _decode(token: str) -> str:
    return decode_token(token, key=KEY, scope="photos")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_token_brings_back_its_place(text: str) -> None:
    token = encode_token(text, key=KEY, scope="photos")
    assert _decode(token) == text
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")


@given(st.text(max_size=60))
def test_made_up_token_is_refused(refusal_of: Callable[..., Code | None], text: str) -> None:
    assert refusal_of(_decode, text) is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "token",
    ["", "AAAA", "A" * 24, TOKEN[:-1], " " + TOKEN, TOKEN + "=", TOKEN + "\n", "ü", "%%%"],
    ids=["empty", "short", "seal alone", "cut", "space", "padding", "line feed", "not ascii", "not base64"],
)
def test_damaged_token_is_refused(token: str) -> None:
    with pytest.raises(S3Error) as caught:
        _decode(token)
    assert caught.value.message == "The continuation token provided is incorrect"
    assert dict(caught.value.details) == {"ArgumentName": "continuation-token"}


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_change_of_any_character_is_noticed(place: int) -> None:
    other = "A" if TOKEN[place] != "A" else "B"
    with pytest.raises(S3Error):
        _decode(TOKEN[:place] + other + TOKEN[place + 1 :])


def test_token_is_bound_to_its_key_and_scope() -> None:
    for key, scope in ((b"other", "photos"), (KEY, "other"), (KEY, "")):
        with pytest.raises(S3Error):
            decode_token(TOKEN, key=key, scope=scope)
