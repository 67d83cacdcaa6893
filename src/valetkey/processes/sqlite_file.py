"""Connections to SQLite files that several processes share. They may change threads, and serve one at a time."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

_LOG_LIMIT_BYTES: Final = 8 * 1024 * 1024


def connect(path: Path, *, wait_s: int, kept_statements: int = 128) -> sqlite3.Connection:
    """Return a connection that begins no transaction by itself, and waits so long for another one's."""
    connection = sqlite3.connect(
        path,
        timeout=wait_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=kept_statements,
    )
    # Savepoints keep their undo journal in memory then, and need no temporary file on a full disk.
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def connect_writer(path: Path, *, wait_s: int, kept_statements: int = 128) -> sqlite3.Connection:
    """Return a connection whose commits are durable when they return."""
    connection = connect(path, wait_s=wait_s, kept_statements=kept_statements)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT_BYTES}")
    return connection


def connect_reader(path: Path, *, wait_s: int, kept_statements: int = 128) -> sqlite3.Connection:
    """Return a connection that cannot write."""
    connection = connect(path, wait_s=wait_s, kept_statements=kept_statements)
    connection.execute("PRAGMA query_only = ON")
    return connection
