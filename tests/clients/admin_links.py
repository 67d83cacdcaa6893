"""Making links over the admin API, for tests that use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.clients.admin import ask_admin
from tests.raw.wire import Reply, fetch

from valetkey.testing.server import RunningServer

UPLOAD: Final = ["PUT", "MULTIPART"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link, as whoever issued it sees it."""

    server: RunningServer
    id: str
    url: str

    def to(self, key: str) -> str:
        """Return the URL of a key, encoded, below the prefix that the link is for."""
        place, _, query = self.url.partition("?")
        return f"{place}{key}?{query}"

    def with_query(self, text: str, key: str = "") -> str:
        """Return the URL with some more parameters."""
        place, _, query = self.url.partition("?")
        return f"{place}{key}?{text}&{query}"

    def shown(self) -> dict[str, Any]:
        """Return what the server tells of it now."""
        status, answer = ask_admin(self.server, "GET", f"links/{self.id}")
        assert status == 200, answer
        return dict(answer)

    def do(self, verb: str) -> None:
        """Pause, resume or revoke it."""
        status, answer = ask_admin(self.server, "POST", f"links/{self.id}/{verb}")
        assert status == 200, answer

    def alter(self, **stated: Any) -> None:
        status, answer = ask_admin(self.server, "POST", f"links/{self.id}", stated)
        assert status == 200, answer


def new_link(
    server: RunningServer,
    bucket: str,
    operations: list[str] | str = "GET",
    *,
    signed_by: tuple[str, str] | None = None,
    **stated: Any,
) -> Link:
    """Make a link. `signed_by` is the key that issues it; else it is the root's."""
    body = {"operations": operations, "bucket": bucket, **stated}
    status, answer = ask_admin(server, "POST", "links", body, key=signed_by)
    assert status == 200, answer
    return Link(server, answer["id"], answer["url"])


def refusal(reply: Reply) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return reply.status, reply.fault.code


def body_of(url: str) -> bytes:
    """Return what a URL gives."""
    reply = fetch(url)
    assert reply.status in (200, 206), reply
    return reply.body
