"""Asking the admin API as a program would: one signed request, one answer."""

from __future__ import annotations

import json
from typing import Any

from tests.raw.wire import fetch

from valetkey import Signer
from valetkey.testing.server import RunningServer


def ask_admin(
    server: RunningServer,
    method: str,
    path: str,
    body: object = None,
    *,
    key: tuple[str, str] | None = None,
) -> tuple[int, Any]:
    """Return the status and the JSON of the answer. `key` is the pair to sign with; else it is the root's."""
    access_key, secret_key = key or (server.access_key, server.secret_key)
    signer = Signer(access_key, secret_key, region=server.region, endpoint=server.endpoint)
    url = f"{server.endpoint}/-/api/v1/{path}"
    sent = b"" if body is None else json.dumps(body).encode()
    headers = signer.sign_headers(method, url, {}, body=sent)
    answer = fetch(url, method=method, headers=headers, body=sent)
    return answer.status, json.loads(answer.body)
