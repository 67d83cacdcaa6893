"""Accounts and their keys: read strictly, found by key, named by id."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from valetkey.gateway.iam.naming import account_number
from valetkey.gateway.session_tokens import TokenBox
from valetkey.policy.principal import PrincipalKind
from valetkey.server.accounts import (
    Account,
    AccountKeys,
    all_accounts,
    ensure_accounts,
    is_shared,
    read_accounts,
)
from valetkey.server.credentials import owner_id
from valetkey.server.settings import SettingsError, load_settings
from valetkey.sigv4.secret import Secret
from valetkey.store import Store
from valetkey.store.identity_model import NewEntity

ACCOUNT = Account(id="a" * 64, name="Alice", access_key="AK", secret_key=Secret("precious"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store.open(tmp_path / "data", master_key=bytes(32))
    yield opened
    await opened.close()


async def test_a_key_that_the_store_keeps_leads_to_its_user(store: Store) -> None:
    await ensure_accounts([ACCOUNT], store.identities, now_ms=1)
    await ensure_accounts([ACCOUNT], store.identities, now_ms=2)
    new = NewEntity(account_id=ACCOUNT.id, name="bob", unique_id="AIDABOB")
    await store.identities.create_user(new, now_ms=1)
    secret = Secret("kept")
    await store.identities.keys.create(ACCOUNT.id, "bob", access_key="BK", secret=secret, now_ms=1)
    found = AccountKeys([ACCOUNT], store.identities, TokenBox(bytes(32)), region="us-east-1").find("BK")
    assert found is not None
    assert found[0].reveal() == "kept"
    number = account_number(ACCOUNT.id)
    assert found[1].arn == f"arn:aws:iam::{number}:user/bob"
    assert re.fullmatch("[0-9]{12}", number)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "accounts.ini"
    path.write_text(text)
    return path


async def test_a_key_leads_to_its_account(store: Store) -> None:
    await ensure_accounts([ACCOUNT], store.identities, now_ms=1)
    keys = AccountKeys([ACCOUNT], store.identities, TokenBox(bytes(32)), region="us-east-1")
    found = keys.find("AK")
    assert found is not None
    secret, principal = found
    assert secret.reveal() == "precious"
    assert (principal.kind, principal.name) == (PrincipalKind.ACCOUNT, "Alice")
    assert principal.account_id == "a" * 64
    assert keys.name_of("a" * 64) == "Alice"


async def test_a_key_of_the_settings_ends_with_its_account(store: Store) -> None:
    await ensure_accounts([ACCOUNT], store.identities, now_ms=1)
    keys = AccountKeys([ACCOUNT], store.identities, TokenBox(bytes(32)), region="us-east-1")
    await store.identities.accounts.update(ACCOUNT.id, is_active=False)
    assert keys.find("AK") is None
    await store.identities.accounts.update(ACCOUNT.id, is_active=True)
    assert keys.find("AK") is not None
    await store.identities.accounts.delete(ACCOUNT.id)
    assert keys.find("AK") is None


async def test_an_unknown_key_is_nobodys(store: Store) -> None:
    keys = AccountKeys([ACCOUNT], store.identities, TokenBox(bytes(32)), region="us-east-1")
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


def accounts_of(tmp_path: Path, *sections: tuple[str, str]) -> list[Account]:
    """The accounts of a server whose root has the key ROOT, with sections of an id and an access key each."""
    texts = [
        f"[{number}]\nid = {account_id}\naccess_key = {key}\nsecret_key = precious\n"
        for number, (account_id, key) in enumerate(sections)
    ]
    file = write(tmp_path, "".join(texts))
    environ = {
        "VALETKEY_ACCESS_KEY": "ROOT",
        "VALETKEY_SECRET_KEY": "secret",
        "VALETKEY_ACCOUNTS_FILE": str(file),
    }
    return all_accounts(load_settings({"data": str(tmp_path)}, environ), bytes(32))


def test_the_root_account_is_among_all(tmp_path: Path) -> None:
    accounts = accounts_of(tmp_path, ("a" * 64, "A"), ("b" * 64, "B"))
    assert {account.access_key: account.id for account in accounts} == {
        "ROOT": owner_id(bytes(32)),
        "A": "a" * 64,
        "B": "b" * 64,
    }


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param([("a" * 64, "A"), ("a" * 64, "B")], id="id"),
        pytest.param([("a" * 64, "A"), ("b" * 64, "A")], id="access key"),
        pytest.param([(owner_id(bytes(32)), "A")], id="id of the root"),
        pytest.param([("a" * 64, "ROOT")], id="access key of the root"),
    ],
)
def test_no_two_accounts_are_alike(tmp_path: Path, sections: list[tuple[str, str]]) -> None:
    with pytest.raises(SettingsError):
        accounts_of(tmp_path, *sections)


@pytest.mark.parametrize(("mode", "expected"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_may_read_is_noticed(tmp_path: Path, mode: int, expected: bool) -> None:
    path = write(tmp_path, "")
    path.chmod(mode)
    assert is_shared(path) is expected
