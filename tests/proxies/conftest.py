"""A server behind each of the proxies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.conftest import names_under_localhost as names_under_localhost
from tests.clients.conftest import no_settings_of_this_machine as no_settings_of_this_machine
from tests.proxies.certificates import write_certificate
from tests.proxies.running import PROGRAMS, Places, Proxy, running_proxy
from tests.raw.signing import key_of

from valetkey.testing.server import free_port, running_server


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=pytest.mark.needs_program(name)) for name in PROGRAMS],
)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy with the configuration of the documentation, and the server that the file's first lines start."""
    folder = tmp_path_factory.mktemp(request.param)
    pair = write_certificate(folder)
    both = folder / "both.pem"
    both.write_bytes(pair[0].read_bytes() + pair[1].read_bytes())
    port = free_port()
    own = folder / "own"
    own.mkdir()
    options = (
        "--trusted-proxy", "127.0.0.1", "--domain", "s3.localhost",
        "--public-url", f"https://store.localhost:{port}/store",
    )  # fmt: skip
    with running_server(folder / "data", options=options) as server:
        places = Places(folder=own, port=port, backend_port=server.port, pair=pair, both=both)
        with running_proxy(request.param, places, server) as running:
            key = key_of(server, host=running.host())
            assert running.send("PUT", key.presign("PUT", "/proxied")).status == 200
            yield running
