"""Workers are replaced, also where the system has just refused a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

NOBODY = 65_534

# The first worker ends by itself, and the second one tells its parent to stop. Between them no process may be started,
# until that has been tried once. Root may always start one, so it is not root.
SUPERVISOR = f"""
import logging, os, resource, signal, sys
from valetkey.server.workers import SIGNALS, Workers

soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)

class Limiting(logging.StreamHandler):
    def emit(self, record):
        super().emit(record)
        is_refused = "cannot be started" in record.getMessage()
        resource.setrlimit(resource.RLIMIT_NPROC, (soft if is_refused else 0, hard))

def work(parent, say_serving):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    say_serving()
    os.write(1, b"serving ")
    if os.path.exists(sys.argv[1]):
        os.kill(os.getppid(), signal.SIGTERM)
        os.read(parent, 1)
    open(sys.argv[1], "w").close()
    return 0

if os.getuid() == 0:
    os.setuid({NOBODY})
logging.basicConfig(handlers=[Limiting()])
Workers(work, 1, watch=None, stop_within_s=1).run(at_stop=lambda: None)
"""


def test_a_process_that_the_system_refuses_is_asked_for_again() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        ended = subprocess.run(
            [sys.executable, "-c", SUPERVISOR, f"{folder}/first"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.stdout.split() == ["serving", "serving"]
    assert "A worker cannot be started" in ended.stderr
    assert ended.returncode == 0
