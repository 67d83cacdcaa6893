"""Numbered scripts that bring an SQLite file from one format to the next. Each ends by naming the format it leaves."""

import sqlite3
from pathlib import Path


class NewerFormatError(Exception):
    """A later program wrote the file. Nothing is changed then."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"The file has format {found}, and this program knows {known}: use a newer one.")
        self.found = found
        self.known = known


def found_format(connection: sqlite3.Connection) -> int:
    """Return the format that the file has; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def bring_up(connection: sqlite3.Connection, folder: Path) -> None:
    """Run the scripts in `folder`, `NNNN_name.sql`, that the file has not seen yet.

    Raises:
        NewerFormatError
    """
    scripts, found = sorted(folder.glob("*.sql")), found_format(connection)
    if found > len(scripts):
        raise NewerFormatError(found, len(scripts))
    for script in scripts[found:]:
        connection.executescript(script.read_text(encoding="utf-8"))
