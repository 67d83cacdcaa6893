"""Doors to the servers that the hand-made requests go to."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.raw.door import Door, open_door
from tests.raw.realm import Realm

from valetkey.testing.server import RunningServer, running_server

_ACCOUNTS = """
[alice]
id = {alice_id}
access_key = ALICEKEY000000000001
secret_key = a secret of Alice's that is long enough
[bob]
id = {bob_id}
access_key = BOBKEY00000000000001
secret_key = a secret of Bob's that is long enough
"""


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


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that accounts share: the root's, Alice's and Bob's."""
    folder = tmp_path_factory.mktemp("shared")
    accounts = folder / "accounts.ini"
    accounts.write_text(_ACCOUNTS.format(alice_id="a" * 64, bob_id="b" * 64))
    accounts.chmod(0o600)
    with running_server(folder / "data", environment={"VALETKEY_ACCOUNTS_FILE": str(accounts)}) as running:
        yield running


@pytest.fixture(scope="session")
def alice(shared_server: RunningServer) -> Door:
    return open_door(
        replace(
            shared_server,
            access_key="ALICEKEY000000000001",
            secret_key="a secret of Alice's that is long enough",
        ),
        "alices",
    )


@pytest.fixture(scope="session")
def bob(shared_server: RunningServer) -> Door:
    return open_door(
        replace(
            shared_server,
            access_key="BOBKEY00000000000001",
            secret_key="a secret of Bob's that is long enough",
        ),
        "bobs",
    )


@pytest.fixture(scope="session")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    """A server with two workers, for those who want more than they were given."""
    with running_server(tmp_path_factory.mktemp("realm") / "data", workers=2) as running:
        yield Realm(server=running)
