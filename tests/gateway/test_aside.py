"""What takes long is done beside the event loop, and what is quick in it."""

import threading

import pytest

from valetkey.gateway.aside import QUICK, aside, parsed
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.reader import parse_complete_upload


def is_in_loop_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@pytest.mark.parametrize(("size", "expected"), [(0, True), (QUICK, True), (QUICK + 1, False)])
async def test_long_work_is_done_in_a_thread(size: int, *, expected: bool) -> None:
    assert await aside(is_in_loop_thread, size=size) is expected


@pytest.mark.parametrize(("size_bytes", "expected"), [(0, True), (32 * 1024, True), (32 * 1024 + 1, False)])
async def test_long_document_is_read_in_a_thread(size_bytes: int, *, expected: bool) -> None:
    assert await parsed(b"x" * size_bytes, lambda _: is_in_loop_thread()) is expected


async def test_refusal_of_a_long_document_comes_back() -> None:
    with pytest.raises(S3Error):
        await parsed(b"<CompleteMultipartUpload>" + b"<Part/>" * 10_000, parse_complete_upload)
