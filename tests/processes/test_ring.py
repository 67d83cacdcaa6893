"""The last records of several processes in one file that never grows."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.processes.ring import MOST_RECORD_BYTES, PARTITIONS, SLOT_BYTES, SLOTS, Ring, partition_of

WRITER = """
import sys
from pathlib import Path
from valetkey.processes.ring import Ring
ring = Ring(Path(sys.argv[1]))
kept = sum(ring.append(3, f"{sys.argv[2]}-{number}".encode() * 50) for number in range(400))
print(kept)
"""


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Ring]:
    opened = Ring(tmp_path / "ring")
    yield opened
    opened.close()


def test_an_empty_ring_holds_nothing(ring: Ring) -> None:
    assert [ring.read(partition) for partition in range(PARTITIONS)] == [[]] * PARTITIONS


def test_the_newest_come_first_and_push_out_the_oldest(ring: Ring) -> None:
    for number in range(SLOTS + 5):
        assert ring.append(7, b"%d" % number)
    assert ring.read(7) == [b"%d" % number for number in range(SLOTS + 4, 4, -1)]
    assert ring.read(8) == []


def test_the_file_never_grows_beyond_its_size(ring: Ring, tmp_path: Path) -> None:
    for number in range(3 * SLOTS):
        for partition in (0, PARTITIONS - 1):
            ring.append(partition, b"x" * (number % MOST_RECORD_BYTES))
    assert (tmp_path / "ring").stat().st_size <= PARTITIONS * (SLOTS * SLOT_BYTES + 8)
    assert (tmp_path / "ring").stat().st_mode & 0o077 == 0


def test_what_is_too_long_is_left_out(ring: Ring) -> None:
    assert ring.append(0, b"x" * MOST_RECORD_BYTES)
    assert not ring.append(0, b"x" * (MOST_RECORD_BYTES + 1))
    assert len(ring.read(0)) == 1


def test_nobody_waits_for_a_lock(ring: Ring, tmp_path: Path) -> None:
    with (tmp_path / "ring").open("rb+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not ring.append(0, b"x")
    assert ring.append(0, b"x")


def test_a_damaged_record_is_left_out(ring: Ring, tmp_path: Path) -> None:
    for text in (b"first", b"second"):
        ring.append(0, text)
    content = bytearray((tmp_path / "ring").read_bytes())
    content[content.index(b"second")] ^= 1
    (tmp_path / "ring").write_bytes(content)
    assert ring.read(0) == [b"first"]


def test_a_full_disk_raises_nothing(tmp_path: Path) -> None:
    full = Ring(tmp_path / "ring")
    descriptor = os.open("/dev/full", os.O_RDWR)
    os.dup2(descriptor, full._descriptor)
    os.close(descriptor)
    assert not full.append(0, b"x")
    full.close()


def test_several_processes_write_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b", "c")
    ]
    kept = [int(writer.communicate(timeout=60)[0]) for writer in writers]
    ring = Ring(path)
    records = ring.read(3)
    assert sum(kept) >= SLOTS
    assert len(records) == SLOTS
    assert all(record == record[: len(record) // 50] * 50 for record in records)
    ring.close()


@given(content=st.binary(max_size=600), partition=st.integers(0, PARTITIONS - 1))
def test_whatever_the_file_holds_it_is_read(
    content: bytes, partition: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("ring") / "ring"
    path.write_bytes(content)
    ring = Ring(path)
    ring.read(partition)
    ring.append(partition, b"new")
    ring.close()


def test_names_are_spread_over_the_partitions() -> None:
    assert len({partition_of(f"account-{number}") for number in range(500)}) == PARTITIONS


def test_what_is_written_after_the_end_is_dropped(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "ring")
    ring.close()
    other = tmp_path / "other"
    with other.open("wb"):  # takes the number of the file that was closed
        assert not ring.append(0, b"x")
    assert other.read_bytes() == b""
