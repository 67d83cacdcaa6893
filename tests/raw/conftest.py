"""Doors to the servers that the hand-made requests go to."""

from collections.abc import Iterator

import pytest
from tests.raw.door import Door, open_door

from valetkey.testing.server import RunningServer, running_server


@pytest.fixture(scope="session")
def door(server: RunningServer) -> Door:
    """A bucket of the ordinary server, shared by all hand-made requests: each test has keys of its own."""
    return open_door(server, "raw-requests")


@pytest.fixture(scope="session")
def strict_door(strict_server: RunningServer) -> Door:
    return open_door(strict_server, "raw-requests")


@pytest.fixture(scope="session")
def frankfurt_door(frankfurt_server: RunningServer) -> Door:
    return open_door(frankfurt_server, "raw-requests")


@pytest.fixture(scope="session")
def impatient_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A server that waits one second for a client."""
    folder = tmp_path_factory.mktemp("impatient") / "data"
    with running_server(folder, environment={"VALETKEY_BODY_TIMEOUT_S": "1"}) as running:
        yield open_door(running, "raw-requests")
