"""A worker takes in no more connections than it has files for, whatever they ask for."""

from __future__ import annotations

import pytest

from valetkey.server.run import FILES_EACH, OTHER_FILES, connections_within


@pytest.mark.parametrize("files", [256, 1024, 4096, 1_048_576])
def test_each_may_be_a_download_of_an_object_in_parts(files: int) -> None:
    assert FILES_EACH * connections_within(files) + min(OTHER_FILES, files // 2) <= files


def test_where_files_are_plenty_so_are_connections() -> None:
    assert connections_within(FILES_EACH * 16_384 + OTHER_FILES) == 16_384
