"""The server access log as Amazon writes it: into a file, and for buckets that have one into their target buckets.

What goes to a bucket lies in the data folder until it is delivered: `server-logs/BUCKET.DAY.WORKER.log`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from valetkey.gateway.call import Rules
from valetkey.gateway.log_delivery import SPOOL_NAME, spool_lock
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.processes.backlog import Backlog
from valetkey.processes.file_lock import PRIVATE_FILE_MODE
from valetkey.s3.server_log import Record, to_line
from valetkey.server.access_log import MOST_AGENT_CHARS, redacted, redacted_target
from valetkey.server.log_file import LogFile
from valetkey.server.observed import Over
from valetkey.sigv4.claims import AuthType, SignatureVersion
from valetkey.store.model import Bucket

WRITE_EVERY_S: Final = 0.5
MOST_WAITING: Final = 20_000
"""Requests that may wait for a slow disk; of what comes then no line is written."""

_AUTH_TYPES: Final = {AuthType.HEADER: "AuthHeader", AuthType.QUERY: "QueryString", AuthType.FORM: None}
_VERSIONS: Final = {SignatureVersion.V4: "SigV4", SignatureVersion.V2: "SigV2"}
_READS: Final = frozenset({"GetObject", "HeadObject"})
_WRITES: Final = frozenset({"PutObject", "UploadPart"})


class Logged(NamedTuple):
    """A request that is over, of which a line is to be written."""

    over: Over
    bucket: Bucket | None


class ServerLog:
    """Writes lines on a thread of its own."""

    def __init__(self, file: LogFile | None, *, data: Path, rules: Rules, host_id: str) -> None:
        self._file = file
        self._spool = data / SPOOL_NAME
        self._lock = spool_lock(self._spool)
        self._worker = secrets.token_hex(4)
        self._rules = rules
        self._host_id = host_id
        self._lines: Backlog[Logged] = Backlog(
            "The server access log",
            name="server-log",
            every_s=WRITE_EVERY_S,
            most=MOST_WAITING,
            handle=self._write,
            end=self._end,
        )

    @property
    def is_for_all(self) -> bool:
        """True: each request has a line; else only those for buckets that have a log."""
        return self._file is not None

    def add(self, logged: Logged) -> None:
        """Write a line soon. For one thread, that of the event loop."""
        self._lines.add(logged)

    def close(self, *, timeout_s: float) -> None:
        """Write what waits, for at most that long."""
        self._lines.close(timeout_s=timeout_s)

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
        self._lock.close()

    def _write(self, logged: Sequence[Logged], is_last: bool) -> int:  # noqa: FBT001 - the last is like any
        lines = [(one.bucket, one.over.started_ns, to_line(self._record(one))) for one in logged]
        if self._file is not None and lines:
            self._file.write("".join(line for _, _, line in lines).encode())
        self._write_spool(lines)
        return 0

    def _write_spool(self, lines: Iterable[tuple[Bucket | None, int, str]]) -> None:
        texts: dict[str, list[str]] = {}
        for bucket, started_ns, line in lines:
            if bucket is not None and "logging" in bucket.settings:
                day = f"{datetime.fromtimestamp(started_ns / 1e9, UTC):%Y%m%d}"
                texts.setdefault(f"{bucket.id}.{day}.{self._worker}.log", []).append(line)
        if not texts:
            return
        # While it is held, nobody takes a file away that is being written to.
        with self._lock.hold():
            for name, pieces in texts.items():
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                with os.fdopen(os.open(self._spool / name, flags, PRIVATE_FILE_MODE), "wb") as file:
                    file.write("".join(pieces).encode())

    def _record(self, one: Logged) -> Record:
        over, request = one.over, one.over.request
        trail, (status, error) = request.trail, over.outcome
        told = () if over.answer is None else over.answer.headers
        headers = {name: value.decode("latin-1") for name, value in request.headers}
        answer = {name.lower(): value.decode("latin-1") for name, value in told}
        proof, target = trail.proof, trail.target
        return Record(
            bucket_owner=None if one.bucket is None else self._rules.owner_of(one.bucket),
            bucket=None if target is None else target.bucket,
            at=request.now.astimezone(UTC),
            remote=request.remote,
            requester=_requester(trail.principal),
            request_id=over.request_id,
            method=request.method,
            operation=trail.operation,
            key=None if target is None or target.key is None else redacted(target.key),
            uri=redacted_target(request.raw_path, request.raw_query),
            status=status,
            error=error,
            sent_bytes=max(over.sent_bytes, 0),
            object_bytes=_object_bytes(trail.operation, status, headers, answer),
            total_ms=(over.ended_ns - over.started_ns) // 1_000_000,
            turn_around_ms=(over.answered_ns - over.started_ns) // 1_000_000 if over.answered_ns else None,
            referrer=redacted(headers.get(b"referer", "")[:_MOST_REFERRER_CHARS]),
            agent=redacted(headers.get(b"user-agent", "")[:MOST_AGENT_CHARS]),
            version_id=answer.get(b"x-amz-version-id"),
            host_id=self._host_id,
            signature_version=None if proof is None else _VERSIONS[proof.version],
            auth_type=None if proof is None else _AUTH_TYPES[proof.auth_type],
            host=headers.get(b"host", "")[:_MOST_HOST_CHARS],
            region=self._rules.region,
        )


_MOST_REFERRER_CHARS: Final = 2048
_MOST_HOST_CHARS: Final = 255


def _requester(principal: Principal | None) -> str | None:
    if principal is None or principal.kind is PrincipalKind.ANONYMOUS:
        return None
    return principal.account_id if principal.kind is PrincipalKind.ACCOUNT else principal.arn


def _object_bytes(
    operation: str | None, status: int, headers: dict[bytes, str], answer: dict[bytes, str]
) -> int | None:
    if status not in (200, 206):
        return None
    text = ""
    if operation in _READS:
        text = answer.get(b"content-range", "").rpartition("/")[2] or answer.get(b"content-length", "")
    elif operation in _WRITES:
        text = headers.get(b"x-amz-decoded-content-length") or headers.get(b"content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
