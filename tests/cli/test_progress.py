import os
import pty
import subprocess
import sys

import pytest

from valetkey.cli.progress import upload_progress

PROGRAM = r"""
from valetkey.cli.progress import upload_progress
with upload_progress("[red]name\x1b[2J\x9b", size_bytes=4) as observe:
    observe(3)
    observe(-1)
    observe(2)
print("done")
"""


def test_bar_is_drawn_on_a_terminal_and_not_on_standard_output() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
            check=True,
            timeout=60,
        )
        os.close(theirs)
        shown = b""
        try:
            while block := screen.read(4096):
                shown += block
        except OSError:
            pass  # the other end is closed

    assert ended.stdout == b"done\n"
    assert b"[red]name\\x1b[2J\\x9b" in shown
    assert b"\x1b[2J" not in shown


def test_nothing_is_drawn_elsewhere(capfd: pytest.CaptureFixture[str]) -> None:
    with upload_progress("name", size_bytes=4) as observe:
        observe(4)

    assert capfd.readouterr() == ("", "")
