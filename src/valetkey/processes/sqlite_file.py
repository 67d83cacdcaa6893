"""Connections to SQLite files that several processes share. They may change threads, and serve one at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
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


def marks_of(rows: int, columns: int) -> str:
    """Return what stands for so many rows behind `VALUES`."""
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


def execute_rows(
    source: sqlite3.Connection | sqlite3.Cursor,
    statement: Callable[[int], str],
    rows: Sequence[tuple[object, ...]],
    *,
    at_once: int,
) -> None:
    """Execute the statement for all rows, which `statement` returns for a number of them; so many at once.

    One for each row would hand the interpreter's lock over as often.
    """
    for begin in range(0, len(rows), at_once):
        some = rows[begin : begin + at_once]
        source.execute(statement(len(some)), list(chain.from_iterable(some)))
