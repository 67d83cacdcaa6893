"""A log file with several writers loses no line when it is replaced."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

from valetkey.server.log_file import LogFile


def lines_of(folder: Path) -> list[str]:
    return [
        line
        for path in folder.glob("log*")
        if path.suffix != ".lock"
        for line in path.read_text().splitlines()
    ]


def write(path: Path, writer: int) -> None:
    file = LogFile(path, most_bytes=2000, kept=1000)
    for number in range(300):
        file.write(f"writer {writer} line {number}\n".encode())
    file.close()


def test_writers_in_several_processes_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(tmp_path / "log", number)) for number in range(3)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
        assert process.exitcode == 0
    expected = sorted(f"writer {writer} line {number}" for writer in range(3) for number in range(300))
    assert sorted(lines_of(tmp_path)) == expected
    assert len(list(tmp_path.glob("log.2*"))) > 3


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LogFile(path, most_bytes=0, kept=0)
    file.write(b"one\n")
    path.rename(tmp_path / "moved")
    file.write(b"two\n")
    file.close()
    assert (tmp_path / "moved").read_bytes() == b"one\n"
    assert path.read_bytes() == b"two\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "log"
    other = tmp_path / "log.of-somebody-else"
    other.touch()
    file = LogFile(path, most_bytes=1, kept=2)
    for number in range(6):
        file.write(f"{number}\n".encode())
    file.close()
    aside = sorted(tmp_path.glob("log.2*"))
    assert [one.read_text() for one in aside] == ["3\n", "4\n"]
    assert path.read_text() == "5\n"
    assert other.exists()
