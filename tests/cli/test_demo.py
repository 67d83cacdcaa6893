"""What `make run` starts, lived through by a stranger."""

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from valetkey.cli.demo import SAMPLE_PAGE
from valetkey.testing.server import free_port

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VALETKEY_"))}


def start(folder: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "valetkey", "demo", "--data", "data", "--listen", f"127.0.0.1:{port}"],
        cwd=folder,
        env=CLEAN | {"HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running_demo(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    demo = start(folder, port)
    with demo:
        try:
            assert demo.stdout is not None
            lines = []
            for line in demo.stdout:
                lines.append(line)
                if "Ctrl-C" in line:
                    break
            yield demo, "".join(lines)
        finally:
            demo.terminate()


def shell(command: str, folder: Path) -> str:
    ended = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=CLEAN | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.needs_program("curl")
def test_stranger_follows_what_is_printed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Read me\n")
    with running_demo(tmp_path, free_port()) as (demo, printed):
        (sample,) = re.findall(r"^  (http\S+hello\.html\S+)$", printed, re.MULTILINE)
        with urllib.request.urlopen(sample, timeout=30) as answer:
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert answer.read().decode() == SAMPLE_PAGE

        (upload,) = re.findall(r"^  (curl .*)$", printed, re.MULTILINE)
        shell(upload, tmp_path)

        (export,) = re.findall(r"^  (export .*)$", printed, re.MULTILINE)
        python = f"{shlex.quote(sys.executable)} -m valetkey"
        url = shell(f"{export}; {python} share README.md --expires 2h", tmp_path).strip()
        uploaded = shell(f"{export}; {python} presign GET s3://demo/uploaded", tmp_path).strip()
        for link in (url, uploaded):
            with urllib.request.urlopen(link, timeout=30) as answer:
                assert answer.read() == b"# Read me\n"

        assert "Root credentials  data/credentials" in printed
        assert ((tmp_path / "data" / "credentials").stat().st_mode & 0o777) == 0o600
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0


def test_second_start_finds_what_the_first_left(tmp_path: Path) -> None:
    for _ in range(2):
        with running_demo(tmp_path, free_port()) as (demo, printed):
            assert "hello.html" in printed
            demo.terminate()
            assert demo.wait(30) == 0


def test_taken_address_and_taken_folder_are_sentences(tmp_path: Path) -> None:
    port = free_port()
    with running_demo(tmp_path, port):
        with start(tmp_path, port) as second:
            _, error = second.communicate(timeout=60)
        assert second.returncode == 2
        assert error == (
            f"valetkey: Cannot listen on 127.0.0.1:{port}: Address already in use. "
            "Stop what uses it, or say --listen HOST:PORT.\n"
        )

        with start(tmp_path, free_port()) as third:
            printed, error = third.communicate(timeout=60)
        assert third.returncode == 2
        assert printed == ""
        assert error.startswith("valetkey: ")
        assert "Traceback" not in error
