"""The names that keys get in a ZIP file, and how much of it is made at a time."""

from __future__ import annotations

import pytest
from zipstream import ZipStream

from valetkey.gateway.links.zip_download import _LIVE, MOST_AT_ONCE, ZipBody, _free_name, _require_room
from valetkey.s3.errors import S3Error


def names_of(*keys: str) -> list[str | None]:
    taken: dict[str, int] = {}
    return [_free_name(key, taken) for key in keys]


def test_what_a_file_system_takes_for_one_name_has_two() -> None:
    assert names_of("A.txt", "a.txt", "ü", "u\u0308") == ["A.txt", "a (2).txt", "ü", "u\u0308 (2)"]


def test_a_number_that_is_taken_is_passed_over() -> None:
    assert names_of("a (2)", "a", "/a", "//a", "a (2)/") == ["a (2)", "a", "a (3)", "a (4)", None]


def test_many_keys_of_one_name_take_no_longer_than_others() -> None:
    # With a search from the beginning for each, this would take hours.
    taken: dict[str, int] = {}
    names = {_free_name(f"{'/' * (number % 900)}a", taken) for number in range(100_000)}
    assert len(names) == 100_000


def test_so_many_objects_are_put_together_at_a_time() -> None:
    bodies = [ZipBody(ZipStream(sized=True)) for _ in range(2)]

    for body in bodies:
        _LIVE.add(body)
        body.count = MOST_AT_ONCE // 2
    _require_room()
    bodies[0].count += 1
    with pytest.raises(S3Error):
        _require_room()
    bodies[1].close()
    _require_room()
