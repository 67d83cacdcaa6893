from pathlib import Path

import pytest

from valetkey.cli.content_type import guess_content_type


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param("a.html", b"<p>hi", "text/html; charset=utf-8", id="ASCII page"),
        pytest.param("a.txt", "ä".encode() * 40_000, "text/plain; charset=utf-8", id="long UTF-8 text"),
        pytest.param(
            "a.txt", b"x" + "ä".encode() * 40_000, "text/plain; charset=utf-8", id="cut in a character"
        ),
        pytest.param("a.txt", b"M\xe4rz", "text/plain", id="Latin-1 text"),
        pytest.param("a.txt", "ä".encode()[:1], "text/plain", id="half a character at the end"),
        pytest.param("a.pdf", b"%PDF", "application/pdf", id="PDF"),
        pytest.param("a.tar.gz", b"\x1f\x8b", "application/gzip", id="compressed stays compressed"),
        pytest.param("a.svgz", b"\x1f\x8b", "application/gzip", id="compressed image"),
        pytest.param("a", b"", "application/octet-stream", id="no suffix"),
        pytest.param("a.nosuchtype", b"", "application/octet-stream", id="unknown suffix"),
    ],
)
def test_type_follows_name_and_text(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with path.open("rb") as file:
        assert guess_content_type(path, file) == expected
        assert file.tell() == 0
