"""A key that is deactivated while many connections use its URLs: no request begun after the answer gets in.

Two workers, each of which remembers verified URLs, keys and policies; whoever deactivates the key speaks to one.
"""

from __future__ import annotations

import http.client
import itertools
import json
import queue
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from tests.clients.admin import ask_admin

from valetkey.testing.server import RunningServer, running_server

CONNECTIONS = 12
ROUNDS = 12
EACH = 3
"""Requests that every connection makes in each state."""
LONG_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is known of the key, from one answer to the next request that changes it."""

    status: int | None
    """What a request must be answered that begins and ends in it; None while it changes."""


@dataclass(slots=True)
class Story:
    """What all connections see, and what they report."""

    state: State = field(default_factory=lambda: State(200))
    is_over: bool = False
    reports: queue.Queue[tuple[State, int, int, bytes]] = field(default_factory=queue.Queue)


def use(story: Story, number: int, url: str, server: RunningServer) -> None:
    """Fetch a URL over one connection until the story is over, and report what came of it in which state."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(server.host, server.port, timeout=LONG_S)
    try:
        while not story.is_over:
            before = story.state
            connection.request("GET", f"{parts.path}?{parts.query}")
            with connection.getresponse() as response:
                body = response.read()
            # An answer of before the change may be on its way while it is made.
            if before is story.state:
                story.reports.put((before, number, response.status, body))
    finally:
        connection.close()


def stay(story: Story, state: State) -> None:
    """Let every connection make some requests in a state, each of which is answered as it must be."""
    story.state = state
    counts: Counter[int] = Counter()
    while len(counts) < CONNECTIONS or min(counts.values()) < EACH:
        reported, number, status, body = story.reports.get(timeout=LONG_S)
        if reported.status is not None:
            assert status == reported.status, body
        if reported is state:
            counts[number] += 1
    story.state = State(None)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path / "data", workers=2) as running:
        yield running


def signed_urls(server: RunningServer, pair: tuple[str, str]) -> list[str]:
    """Return a URL for each connection: of SigV4 and of SigV2, of an object of its own or of a common one."""
    urls = []
    for version in ("s3v4", "s3"):
        session = boto3.session.Session(*pair, region_name=server.region)
        client = session.client("s3", endpoint_url=server.endpoint, config=Config(signature_version=version))
        urls += [
            client.generate_presigned_url(
                "get_object", Params={"Bucket": "loaded", "Key": key}, ExpiresIn=3600
            )
            for key in ("0", "1", "common")
        ]
        client.close()
    return list(itertools.islice(itertools.cycle(urls), CONNECTIONS))


def prepare(server: RunningServer) -> tuple[str, str]:
    """Make a bucket with objects, and a user who may read them, and return the user's key."""
    session = boto3.session.Session(server.access_key, server.secret_key, region_name=server.region)
    root = session.client("s3", endpoint_url=server.endpoint)
    root.create_bucket(Bucket="loaded")
    for key in ("0", "1", "common"):
        root.put_object(Bucket="loaded", Key=key, Body=b"content")
    root.close()
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::loaded/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert ask_admin(server, "POST", "users", {"name": "reader"})[0] == 200
    assert ask_admin(server, "PUT", "policies/read?user=reader", {"document": document})[0] == 200
    made = ask_admin(server, "POST", "keys", {"user": "reader"})[1]
    return made["access_key"], made["secret_key"]


@pytest.mark.timeout(300)
def test_no_request_begun_after_a_key_was_stopped_gets_in(server: RunningServer) -> None:
    pair = prepare(server)
    story = Story()
    threads = [
        threading.Thread(target=use, args=(story, number, url, server))
        for number, url in enumerate(signed_urls(server, pair))
    ]
    for thread in threads:
        thread.start()
    try:
        stay(story, State(200))
        for _ in range(ROUNDS):
            assert ask_admin(server, "POST", f"keys/{pair[0]}/deactivate")[0] == 200
            stay(story, State(403))
            assert ask_admin(server, "POST", f"keys/{pair[0]}/activate")[0] == 200
            stay(story, State(200))
        assert ask_admin(server, "DELETE", f"keys/{pair[0]}")[0] == 200
        stay(story, State(403))
    finally:
        story.is_over = True
        for thread in threads:
            thread.join(LONG_S)
