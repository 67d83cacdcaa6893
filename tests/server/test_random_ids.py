"""Ids are drawn many at a time, and each is given out once."""

import os
import re

from valetkey.server.random_ids import RandomIds


def test_no_id_comes_twice() -> None:
    ids = RandomIds()
    drawn = [ids.draw() for _ in range(5000)]
    assert len(set(drawn)) == len(drawn)


def test_ids_need_no_encoding_and_are_no_flags() -> None:
    ids = RandomIds()
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{47}", ids.draw()) for _ in range(5000))


def test_forked_worker_gives_out_none_of_its_parents_ids() -> None:
    ids = RandomIds()
    ids.draw()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, " ".join(ids.draw() for _ in range(100)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        theirs = set(pipe.read().decode().split())
    os.waitpid(child, 0)
    assert len(theirs) == 100
    assert theirs.isdisjoint(ids.draw() for _ in range(100))
