"""The master key: made once, kept privately, never shown."""

import base64
import stat
from pathlib import Path

import pytest

from valetkey.server.master_key import derive, master_key
from valetkey.server.settings import Settings, SettingsError, load_settings

KEY = bytes(range(32))


def settings_for(folder: Path, **environ: str) -> Settings:
    return load_settings({"data": str(folder)}, environ)


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    first = master_key(settings_for(tmp_path))
    assert len(first) == 32
    assert master_key(settings_for(tmp_path)) == first
    assert (tmp_path / "master.key").read_text() == first.hex() + "\n"


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    assert master_key(settings_for(one)) != master_key(settings_for(two))


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    master_key(settings_for(tmp_path))
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["master.key", "master.print"]


def test_what_a_cut_start_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "master.key.new").write_text("00")
    assert len(master_key(settings_for(tmp_path))) == 32
    assert not (tmp_path / "master.key.new").exists()


@pytest.mark.parametrize(
    "text",
    [KEY.hex(), KEY.hex().upper(), base64.b64encode(KEY).decode(), f" {KEY.hex()}\n"],
    ids=["hex", "upper case", "base64", "with space around"],
)
def test_given_key_is_not_written_down(tmp_path: Path, text: str) -> None:
    given = settings_for(tmp_path, VALETKEY_MASTER_KEY=text)
    assert master_key(given) == KEY
    assert [path.name for path in tmp_path.iterdir()] == ["master.print"]
    assert KEY.hex() not in (tmp_path / "master.print").read_text()
    assert KEY.hex() not in repr(given)


def test_another_key_than_the_first_is_refused(tmp_path: Path) -> None:
    master_key(settings_for(tmp_path))
    with pytest.raises(SettingsError, match="is not the one that"):
        master_key(settings_for(tmp_path, VALETKEY_MASTER_KEY=KEY.hex()))


def test_a_lost_key_is_not_made_anew(tmp_path: Path) -> None:
    key = master_key(settings_for(tmp_path))
    (tmp_path / "master.key").unlink()
    with pytest.raises(SettingsError, match="is missing"):
        master_key(settings_for(tmp_path))
    assert master_key(settings_for(tmp_path, VALETKEY_MASTER_KEY=key.hex())) == key


def test_it_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(base64.b64encode(KEY).decode() + "\n")
    assert master_key(settings_for(tmp_path, VALETKEY_MASTER_KEY_FILE=str(file))) == KEY


MALFORMED = pytest.mark.parametrize(
    "text",
    ["hunter2", "g" * 64, "00" * 31, "00" * 33, "0 " * 32, base64.b64encode(bytes(33)).decode(), "ключ"],
    ids=["a word", "no hex", "31 bytes", "33 bytes", "spaced", "33 bytes in base64", "not ASCII"],
)


@MALFORMED
def test_malformed_setting_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="VALETKEY_MASTER_KEY expected 64 hex digits") as caught:
        settings_for(tmp_path, VALETKEY_MASTER_KEY=text)
    assert text not in str(caught.value)


@MALFORMED
def test_malformed_file_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    (tmp_path / "master.key").write_text(text)
    with pytest.raises(SettingsError, match=r"master\.key cannot be read") as caught:
        master_key(settings_for(tmp_path))
    assert text not in str(caught.value)
    assert (tmp_path / "master.key").read_text() == text


def test_empty_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "master.key").touch()
    with pytest.raises(SettingsError):
        master_key(settings_for(tmp_path))
    assert (tmp_path / "master.key").read_bytes() == b""


def test_file_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "master.key").mkdir()
    with pytest.raises(SettingsError, match="IsADirectoryError"):
        master_key(settings_for(tmp_path))


def test_derived_keys_tell_purposes_apart() -> None:
    assert derive(KEY, "one") == derive(KEY, "one")
    assert len({derive(KEY, "one"), derive(KEY, "two"), derive(bytes(32), "one"), KEY}) == 4
