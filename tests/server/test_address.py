"""What is said of an address that nobody can listen on."""

from pathlib import Path

import pytest

from valetkey.server.address import require_free
from valetkey.server.setting_values import Listen, ListenUnix
from valetkey.server.settings import SettingsError


def test_nothing_is_to_be_stopped_where_the_address_is_not_ours() -> None:
    with pytest.raises(SettingsError) as caught:
        require_free(Listen(host="192.0.2.1", port=9000))
    assert str(caught.value).endswith(". Say --listen HOST:PORT.")
    assert "Stop" not in str(caught.value)


def test_a_file_in_the_place_of_the_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.write_bytes(b"kept")
    with pytest.raises(SettingsError, match="it is no socket"):
        require_free(ListenUnix(path=path))
    assert path.read_bytes() == b"kept"
