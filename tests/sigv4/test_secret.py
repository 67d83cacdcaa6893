"""A secret stays where it is put."""

from __future__ import annotations

import copy
import pickle

import pytest

from valetkey.sigv4.secret import Secret


@pytest.mark.parametrize(
    "shown",
    [repr(Secret("hunter2")), str(Secret("hunter2")), f"{Secret('hunter2'):>20}", "%s" % Secret("hunter2")],  # noqa: UP031
    ids=["repr", "str", "format", "percent"],
)
def test_it_does_not_print(shown: str) -> None:
    assert shown.strip() == "Secret('…')"


def test_it_reveals_itself_when_asked() -> None:
    assert Secret("hunter2").reveal() == "hunter2"


def test_equal_secrets_are_equal() -> None:
    assert Secret("é") == Secret("é")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_not_carried_away(carry: object) -> None:
    assert callable(carry)
    with pytest.raises(TypeError, match="not pickled"):
        carry(Secret("hunter2"))


def test_it_has_no_other_attribute() -> None:
    with pytest.raises(AttributeError):
        Secret("a").note = "b"  # type: ignore[attr-defined]
