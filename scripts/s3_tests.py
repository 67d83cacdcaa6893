"""Run the public compatibility suite `ceph/s3-tests` against a server of this tree, and compare with the page.

`docs/compatibility.md` says which tests an area holds, how many pass and which need not. A run tells where that is
not so: a test that fails and is not named there, a name whose test passes or is gone, another count.

The suite lies outside of this tree, with a virtual environment of its own: what its `requirements.txt` names,
and pytest-xdist, pytest-timeout and pytest-json-report.
"""

from __future__ import annotations

import argparse
import configparser
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from s3_tests_page import FOLDER, PAGE, Page, Result, objections, read_page

from valetkey.testing.server import RunningServer, running_server

DAY_S: Final = 10
"""Seconds that lifecycle rules count as a day. The tests sleep for multiples of it."""

TEST_LIMIT_S: Final = 400

ALONE: Final = ("s3tests/functional/test_s3.py::test_list_buckets_paginated",)
"""Tests that want an account without a bucket. They go first, one at a time."""

ENVIRONMENT_LEFT_OUT: Final = ("AWS_", "REQUESTS_CA_BUNDLE", "PYTEST_", "VALETKEY_")

SERVER_SETTINGS: Final = {"VALETKEY_LIFECYCLE_DAY_S": str(DAY_S), "VALETKEY_OBJECT_OWNERSHIP": "ObjectWriter"}

ACCOUNTS: Final = ("alt", "tenant", "iam", "iam root", "iam alt root")
"""The accounts beside the root, which is the suite's `main`. Those of `iam` have users."""

OF_IDENTITIES: Final = ("s3tests/functional/test_iam.py", "s3tests/functional/test_sts.py")
"""Modules whose `alt` is a user in the account `iam`: they give it policies by its name."""

IDENTITY_USER: Final = "alt-user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Where the suite lies, and what runs it."""

    root: Path
    python: Path
    folder: Path
    """Where settings, logs and reports are written."""

    def pytest(self, settings: str, *arguments: str) -> None:
        """Run pytest in the suite, with the file of that name in the folder as the suite's settings."""
        command = [str(self.python.absolute()), "-m", "pytest", *arguments, "-q", "-p", "no:cacheprovider"]
        environment = suite_environment(self.root, self.folder / settings)
        with (self.folder / "pytest.log").open("ab") as output:
            subprocess.run(  # noqa: S603 - the interpreter that the caller named
                command, cwd=self.root, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
            )

    def read(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return what pytest left in a file of the folder, and remove that file.

        Raises:
            SystemExit: pytest could not run at all; the text holds the end of what it printed.
        """
        path = self.folder / name
        if not path.exists():
            log = (self.folder / "pytest.log").read_text("utf-8", "replace")
            raise SystemExit(f"pytest left no {name}:\n{log[-2000:]}")
        value = json.loads(path.read_bytes())
        path.unlink()
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is given to pytest at once."""

    tests: Sequence[str]
    jobs: int
    """Tests at the same time; 0: one, in pytest's own process."""
    settings: str
    """The file with the suite's settings."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite, tell how it went, and return the exit code: 0 if it went as the page says."""
    options = _parser().parse_args(arguments)
    page = read_page(PAGE.read_text("utf-8"))
    wanted = wanted_areas(page, options.area)
    with _folder(keep=options.keep) as folder:
        suite = Suite(root=options.suite.resolve(), python=options.python, folder=folder)
        with running_server(folder / "data", workers=options.workers, environment=SERVER_SETTINGS) as server:
            write_settings(folder, server)
            areas = {
                nodeid: area
                for nodeid, marks in find_tests(suite, options.k).items()
                if (area := page.area_of(nodeid, marks)) in wanted
            }
            results = [
                result for run in runs_of(list(areas), options.n) for result in run_tests(suite, run, areas)
            ]
    if not results:
        raise SystemExit("No test was run.")
    wrong = objections(page, results, whole=wanted if options.k is None else ())
    sys.stdout.write("\n".join([*counts(results), "", *(wrong or ["As the page says."])]) + "\n")
    return 1 if wrong else 0


def wanted_areas(page: Page, named: Sequence[str] | None) -> set[str]:
    """Return the areas that are to run: the named ones, else all of the page.

    Raises:
        SystemExit: there is none of that name.
    """
    run = {area.name for area in page.areas if area.passes is not None}
    unknown = set(named or ()) - run
    if unknown:
        raise SystemExit(f"No such area: {', '.join(sorted(unknown))}. There are {', '.join(sorted(run))}.")
    return set(named or run)


def find_tests(suite: Suite, expression: str | None) -> dict[str, list[str]]:
    """Return the suite's tests with their marks; of all, or of those that pytest selects by `expression`."""
    selected = [] if expression is None else ["-k", expression]
    marks = str(suite.folder / "marks.json")
    suite.pytest(
        "suite.conf", FOLDER, *selected, "--collect-only", "-p", "s3_tests_marks", "--marks-file", marks
    )
    tests: dict[str, list[str]] = suite.read("marks.json")
    return tests


def runs_of(tests: Sequence[str], jobs: int) -> list[Run]:
    """Return what to give to pytest, run after run."""
    alone = [nodeid for nodeid in ALONE if nodeid in tests]
    identities = [nodeid for nodeid in tests if nodeid.startswith(OF_IDENTITIES)]
    others = [nodeid for nodeid in tests if nodeid not in (*ALONE, *identities)]
    runs = [
        Run(tests=alone, jobs=0, settings="suite.conf"),
        Run(tests=others, jobs=jobs, settings="suite.conf"),
        # One at a time: they share that one user, and the names of all they make.
        Run(tests=identities, jobs=0, settings="identities.conf"),
    ]
    return [run for run in runs if run.tests]


def write_settings(folder: Path, server: RunningServer) -> None:
    """Make the accounts, and write what the suite must know of them and of `server`."""
    accounts = {name: make_account(server, name) for name in ACCOUNTS}
    write_suite_settings(folder / "suite.conf", server, accounts)
    accounts["alt"] |= make_identity_user(server)
    write_suite_settings(folder / "identities.conf", server, accounts)


def write_suite_settings(
    path: Path, server: RunningServer, accounts: Mapping[str, Mapping[str, str]]
) -> None:
    """Write what the suite must know of `server`. A location is left out: the region is the default one."""
    root = valetkey(server, "accounts", "show", "root", "--json")
    main = {
        "user_id": root["id"],
        "display_name": root["name"],
        "email": "root@example.com",
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "lc_debug_interval": str(DAY_S),
    }
    others = {
        name if name.startswith("iam") else f"s3 {name}": dict(account) for name, account in accounts.items()
    }
    others["s3 tenant"] |= {"tenant": "tenant"}
    place = {"host": server.host, "port": str(server.port), "is_secure": "False", "ssl_verify": "False"}
    fixtures = {"bucket prefix": "vk-{random}-"}
    parser = configparser.RawConfigParser()
    parser.read_dict({"DEFAULT": place, "fixtures": fixtures, "s3 main": main, **others})
    with path.open("w", encoding="utf-8") as file:
        parser.write(file)


def make_account(server: RunningServer, name: str) -> dict[str, str]:
    """Make an account with the command line, and return how it is called and signs."""
    name = name.replace(" ", "-")
    made = valetkey(
        server, "accounts", "create", name, "--email", f"{name}@example.com",
        "--access-key", f"VKTEST{name.upper().replace('-', ''):0>14}",
        "--secret-key", f"{name}+test/secret that is long enough", "--json",
    )  # fmt: skip
    # The suite compares this one's id with the account's number in STS, those of all others with owners and grants.
    user_id = made["number"] if name == "iam-root" else made["id"]
    fields = ("email", "access_key", "secret_key")
    return {"user_id": user_id, "display_name": made["name"], **{field: made[field] for field in fields}}


def make_identity_user(server: RunningServer) -> dict[str, str]:
    """Make a user in the account `iam` who may do everything in buckets, and return how it signs."""
    user, of_account = ("--user", IDENTITY_USER), ("--account", "iam")
    valetkey(server, "users", "create", IDENTITY_USER, *of_account, "--json")
    valetkey(server, "policies", "attach", "AmazonS3FullAccess", *user, *of_account)
    key = valetkey(server, "keys", "create", *user, *of_account, "--json")
    return {"user_id": IDENTITY_USER, "access_key": key["access_key"], "secret_key": key["secret_key"]}


def valetkey(server: RunningServer, *words: str) -> dict[str, Any]:
    """Run the command as the root account, and return the JSON that it prints, or nothing."""
    environment = {
        **_outer_environment(),
        "VALETKEY_ENDPOINT": server.endpoint,
        "VALETKEY_REGION": server.region,
        "VALETKEY_ACCESS_KEY": server.access_key,
        "VALETKEY_SECRET_KEY": server.secret_key,
    }
    command = [sys.executable, "-m", "valetkey", *words]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)  # noqa: S603 - ours
    value: dict[str, Any] = json.loads(ended.stdout or "{}")
    return value


def run_tests(suite: Suite, run: Run, areas: Mapping[str, str]) -> list[Result]:
    """Run the tests of `run`, and return how each ended."""
    suite.pytest(
        run.settings, *run.tests, "-n", str(run.jobs), f"--timeout={TEST_LIMIT_S}",
        "--json-report", f"--json-report-file={suite.folder / 'report.json'}",
        "--json-report-omit", "collectors", "log", "streams", "keywords", "warnings",
    )  # fmt: skip
    return [
        Result(nodeid=t["nodeid"], area=areas[t["nodeid"]], outcome=t["outcome"], message=_message(t))
        for t in suite.read("report.json")["tests"]
    ]


def suite_environment(root: Path, settings: Path) -> dict[str, str]:
    """Return the environment of the suite: nothing that would lead its clients elsewhere."""
    return {
        **_outer_environment(),
        "S3TEST_CONF": str(settings),
        "PYTHONPATH": os.pathsep.join([str(root), str(Path(__file__).resolve().parent)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _outer_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - passed on to what we start
        if not name.startswith(ENVIRONMENT_LEFT_OUT)
    }


def counts(results: Iterable[Result]) -> Iterator[str]:
    """Yield a line for each area and for all: how many tests of how many passed."""
    results = list(results)
    tests = Counter(result.area for result in results)
    passes = Counter(result.area for result in results if result.outcome == "passed")
    for area in tests:
        yield f"{area:24}{passes[area]:5} of {tests[area]}"
    yield f"{'all':24}{passes.total():5} of {len(results)}"


def _message(test: Mapping[str, Mapping[str, Mapping[str, str]]]) -> str:
    crashes = (test[stage].get("crash") for stage in ("setup", "call", "teardown") if stage in test)
    messages = [crash["message"].partition("\n")[0] for crash in crashes if crash]
    return messages[0][:200] if messages else ""


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    """Make a folder for one run, which is gone after it unless it is to be kept."""
    if keep:
        folder = Path(tempfile.mkdtemp(prefix="valetkey-s3-tests-"))
        sys.stdout.write(f"{folder}\n")
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="valetkey-s3-tests-") as name:
        yield Path(name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--suite", type=Path, required=True, help="checkout of the suite")
    parser.add_argument("--python", type=Path, required=True, help="Python of the suite's own environment")
    parser.add_argument("--area", nargs="+", metavar="NAME", help="run these areas only")
    parser.add_argument("-k", metavar="EXPRESSION", help="run what pytest selects by this")
    parser.add_argument("--workers", type=int, default=2, help="workers of the server")
    parser.add_argument("-n", type=int, default=2, help="tests at the same time")
    parser.add_argument("--keep", action="store_true", help="keep the folder with data, settings and logs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
