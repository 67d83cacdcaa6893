"""What every test meets: markers, Hypothesis's settings, and servers that answer."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from tests.leaks import find_leaks

from valetkey.testing.server import RunningServer, running_server

# A busy machine of two cores is no finding: neither a slow example nor slow generation fails a test.
settings.register_profile(
    "valetkey", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("valetkey")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker for tests that take tens of seconds."""
    config.addinivalue_line("markers", "slow: takes tens of seconds; `-m 'not slow'` leaves it out.")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing, with the reason; under CI, where all must be there, fail it."""
    wanted = [str(name) for marker in item.iter_markers("needs_program") for name in marker.args]
    missing = [name for name in wanted if shutil.which(name) is None]
    if not missing:
        return
    sentence = f"{' and '.join(missing)} not found on PATH; scripts/system-packages.sh can install it."
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


_FOLDER = pytest.StashKey[Path]()
_LEAKS = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session", autouse=True)
def folder_of_the_run(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> None:
    """Remember where the servers write."""
    pytestconfig.stash[_FOLDER] = tmp_path_factory.getbasetemp()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which a server wrote a secret. All servers have ended by now."""
    config = session.config
    folder = config.stash.get(_FOLDER, None)
    # Those that other processes of a run have told of already, where there are several.
    leaks = config.stash.setdefault(_LEAKS, [])
    leaks += [] if folder is None else find_leaks(folder)
    if hasattr(config, "workeroutput"):
        config.workeroutput["leaks"] = leaks
    if leaks and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Gather what one of several processes of a run has found."""
    node.config.stash.setdefault(_LEAKS, []).extend(getattr(node, "workeroutput", {}).get("leaks", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which server wrote a secret, and where."""
    leaks = config.stash.get(_LEAKS, [])
    if leaks:
        terminalreporter.section("secrets in the output of servers", red=True)
        for leak in leaks:
            terminalreporter.write_line(leak)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server as most people run it, with two workers."""
    with running_server(tmp_path_factory.mktemp("server") / "data", workers=2) as running:
        yield running


@pytest.fixture(scope="session")
def virtual_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that finds a bucket's name in front of `localhost`, too."""
    folder = tmp_path_factory.mktemp("virtual") / "data"
    with running_server(folder, options=("--domain", "localhost")) as running:
        yield running


@pytest.fixture(scope="session")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that behaves as Amazon does also where ours differs on purpose."""
    with running_server(tmp_path_factory.mktemp("strict") / "data", options=("--strict",)) as running:
        yield running


@pytest.fixture(scope="session")
def frankfurt_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server in a region for which SDKs sign with SigV4 only."""
    with running_server(tmp_path_factory.mktemp("frankfurt") / "data", region="eu-central-1") as running:
        yield running
