"""The server that tests start finds a port, also where others take theirs at the same time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from valetkey.testing import server as testing
from valetkey.testing.server import PortTakenError, free_port, running_server, start_server


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        yield port


def test_a_port_that_is_asked_for_and_taken_is_an_error(tmp_path: Path, taken: int) -> None:
    with pytest.raises(PortTakenError, match="Address already in use"):
        start_server(tmp_path / "data", port=taken)


def test_another_port_takes_the_place_of_one_that_was_taken_meanwhile(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([taken, free_port()])
    monkeypatch.setattr(testing, "free_port", lambda: next(found))
    with running_server(tmp_path / "data") as server:
        assert server.port != taken
