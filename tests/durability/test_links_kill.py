"""A worker that is killed in the middle: a link is never used more often than it grants, and never forgets a use."""

from __future__ import annotations

import http.client
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from tests.clients.admin import ask_admin
from tests.raw.wire import exchange, fetch

from valetkey import Signer
from valetkey.testing.server import RunningServer, running_server

USES = 100
REQUESTS = 1000
BUCKET = "uses"


def workers_of(server: RunningServer) -> list[int]:
    """Return the processes that serve, which are the children of the one that was started."""
    parent = server.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def new_link(server: RunningServer, **stated: object) -> tuple[str, str]:
    body = {"operations": ["GET"], "bucket": BUCKET, "key": "doc", **stated}
    status, link = ask_admin(server, "POST", "links", body)
    assert status == 200, link
    return link["id"], link["url"]


def status_of(url: str) -> int:
    try:
        return fetch(url).status
    except (OSError, http.client.HTTPException):
        return 0


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_worker_grants_no_use_too_many(tmp_path: Path, victim: int) -> None:
    with running_server(tmp_path / "data", workers=2) as server:
        signer = Signer(server.access_key, server.secret_key, region=server.region, endpoint=server.endpoint)
        assert fetch(str(signer.presign("PUT", BUCKET)), "PUT").status == 200
        assert fetch(str(signer.presign("PUT", BUCKET, "doc")), "PUT", body=b"x" * 1000).status == 200
        link_id, url = new_link(server, max_uses=USES)
        pid, is_warm = workers_of(server)[victim], Event()

        def ask(number: int) -> int:
            if number == USES // 3:
                is_warm.set()
            return status_of(url)

        with ThreadPoolExecutor(32) as clients:
            asked = [clients.submit(ask, number) for number in range(REQUESTS)]
            is_warm.wait()
            os.kill(pid, signal.SIGKILL)
            statuses = [each.result() for each in asked]
        granted = statuses.count(200)
        assert granted <= USES
        uses = ask_admin(server, "GET", f"links/{link_id}")[1]["uses"]
        # Who was cut off may have been counted; who was served has been, beyond doubt.
        assert granted <= uses <= USES
        while status_of(url) == 200:
            granted += 1
        assert granted <= USES
        assert exchange(server.port, "GET", "/-/health").status == 200


def test_what_was_granted_is_counted_after_a_power_cut(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running_server(folder, workers=2) as server:
        signer = Signer(server.access_key, server.secret_key, region=server.region, endpoint=server.endpoint)
        fetch(str(signer.presign("PUT", BUCKET)), "PUT")
        fetch(str(signer.presign("PUT", BUCKET, "doc")), "PUT", body=b"x")
        link_id, url = new_link(server, max_uses=7)
        revoked_id, revoked_url = new_link(server)
        assert [status_of(url) for _ in range(5)] == [200] * 5
        assert ask_admin(server, "POST", f"links/{revoked_id}/revoke")[0] == 200
        server.kill()
    with running_server(folder, workers=2) as server:
        assert ask_admin(server, "GET", f"links/{link_id}")[1]["uses"] == 5
        for old, expected in ((revoked_url, [403]), (url, [200, 200, 403])):
            # The port is another one now, and the Host is signed.
            shown = ask_admin(server, "GET", f"links/{link_id if old is url else revoked_id}")[1]["url"]
            assert [status_of(shown) for _ in expected] == expected
