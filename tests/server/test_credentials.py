"""Root credentials: made once, kept privately, never shown."""

import re
import stat
from pathlib import Path

import pytest

from valetkey.server.credentials import owner_id, root_credentials
from valetkey.server.settings import Settings, SettingsError, load_settings


def settings_for(folder: Path, **environ: str) -> Settings:
    return load_settings({"data": str(folder)}, environ)


def test_they_are_made_once_and_kept(tmp_path: Path) -> None:
    first = root_credentials(settings_for(tmp_path))
    second = root_credentials(settings_for(tmp_path))
    assert first.access_key == second.access_key
    assert first.secret_key.reveal() == second.secret_key.reveal()
    assert len(first.secret_key.reveal()) >= 32


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    root_credentials(settings_for(tmp_path))
    assert stat.S_IMODE((tmp_path / "credentials").stat().st_mode) == 0o600


def test_given_ones_are_not_written_down(tmp_path: Path) -> None:
    given = settings_for(tmp_path, VALETKEY_ACCESS_KEY="GIVENKEY", VALETKEY_SECRET_KEY="given-secret-key")
    assert root_credentials(given).access_key == "GIVENKEY"
    assert not (tmp_path / "credentials").exists()


def test_a_broken_file_is_a_sentence_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("aws_secret_access_key = precious\n")
    with pytest.raises(SettingsError) as caught:
        root_credentials(settings_for(tmp_path))
    assert "precious" not in str(caught.value)


def test_the_owner_id_hangs_on_the_master_key_alone() -> None:
    assert re.fullmatch("[0-9a-f]{64}", owner_id(bytes(32)))
    assert owner_id(bytes(32)) == owner_id(bytes(32))
    assert owner_id(bytes(32)) != owner_id(b"m" * 32)
    assert owner_id(bytes(32)) != bytes(32).hex()
