"""A store in an empty folder, with a bucket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.store.stock import NOW_MS, open_store

from valetkey.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def store(folder: Path) -> AsyncIterator[Store]:
    opened = open_store(folder)
    await opened.buckets.create("bucket", now_ms=NOW_MS)
    yield opened
    await opened.close()
