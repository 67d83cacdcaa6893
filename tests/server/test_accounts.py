"""Accounts and their keys: read strictly, found by key, named by id."""

from __future__ import annotations

from pathlib import Path

import pytest

from valetkey.policy.decide import PrincipalKind
from valetkey.server.accounts import Account, AccountKeys, read_accounts
from valetkey.server.settings import SettingsError
from valetkey.sigv4.secret import Secret

ACCOUNT = Account(id="a" * 64, name="Alice", access_key="AK", secret_key=Secret("precious"))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "accounts.ini"
    path.write_text(text)
    return path


def test_a_key_leads_to_its_account() -> None:
    keys = AccountKeys([ACCOUNT])
    found = keys.find("AK")
    assert found is not None
    secret, principal = found
    assert secret.reveal() == "precious"
    assert (principal.kind, principal.name) == (PrincipalKind.ACCOUNT, "Alice")
    assert principal.account_id == "a" * 64
    assert keys.name_of("a" * 64) == "Alice"


def test_an_unknown_key_is_nobodys() -> None:
    keys = AccountKeys([ACCOUNT])
    assert keys.find("somebody else") is None
    assert keys.name_of("b" * 64) is None


def test_accounts_come_from_sections(tmp_path: Path) -> None:
    text = f"[alt]\nid = {'a' * 64}\ndisplay_name = Alice\naccess_key = AK\nsecret_key = precious\n"
    (account,) = read_accounts(write(tmp_path, text))
    assert (account.id, account.name, account.access_key) == ("a" * 64, "Alice", "AK")
    assert "precious" not in repr(account)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("precious", id="no section"),
        pytest.param("[a]\nid = 1\naccess_key = AK\nsecret_key = precious", id="short id"),
        pytest.param(f"[a]\nid = {'a' * 64}\nsecret_key = precious", id="no access key"),
        pytest.param(f"[a]\nid = {'a' * 64}\naccess_key = AK", id="no secret key"),
        pytest.param(f"[a]\nid = {'a' * 64}\naccess_key = AK\nsecret_key = precious\nx = 1", id="unknown"),
    ],
)
def test_a_malformed_file_is_refused_without_its_secrets(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_accounts(write(tmp_path, text))
    assert "precious" not in str(caught.value)
