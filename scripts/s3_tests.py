"""Run the public compatibility suite `ceph/s3-tests` against a server of this tree, and count by area.

The suite lies outside of this tree, with a virtual environment of its own: what its `requirements.txt` names,
and pytest-xdist, pytest-timeout and pytest-json-report.
"""

from __future__ import annotations

import argparse
import configparser
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from valetkey import Signer
from valetkey.testing.server import RunningServer, running_server

DAY_S: Final = 10
"""Seconds that lifecycle rules count as a day. The tests sleep for multiples of it."""

TEST_LIMIT_S: Final = 400

ALONE: Final = ("s3tests/functional/test_s3.py::test_list_buckets_paginated",)
"""Tests that want an account without a bucket. They go first, one at a time."""

ENVIRONMENT_LEFT_OUT: Final = ("AWS_", "REQUESTS_CA_BUNDLE", "PYTEST_", "VALETKEY_")

ACCOUNTS: Final[Mapping[str, Mapping[str, str]]] = {
    name: {
        "id": digit * 64,
        "display_name": name,
        "email": f"{name.replace(' ', '.')}@example.com",
        "access_key": f"VKTEST{name.upper().replace(' ', ''):0>14}",
        "secret_key": f"{name}+test/secret that is long enough",
    }
    for name, digit in {"alt": "a", "tenant": "b", "iam": "c", "iam root": "d", "iam alt root": "e"}.items()
}
"""The accounts beside the root, which is the suite's `main`. Those of `iam` have users."""

OF_IDENTITIES: Final = ("s3tests/functional/test_iam.py", "s3tests/functional/test_sts.py")
"""Modules whose `alt` is a user in the account `iam`: they give it policies by its name."""

IDENTITY_USER: Final = "alt-user"

_PROVIDED: Final = "arn:aws:iam::aws:policy/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is given to pytest at once."""

    selection: Sequence[str]
    jobs: int
    """Tests at the same time; 0: one, in pytest's own process."""
    settings: str
    """The file with the suite's settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one test ended."""

    nodeid: str
    outcome: str
    """As pytest names it: `passed`, `failed`, `error`, `skipped`."""
    message: str
    """The first line of what went wrong, or nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite, tell how it went, and return the exit code: 1 if a test did not pass."""
    options = _parser().parse_args(arguments)
    areas = read_areas(options.areas)
    unknown = set(options.area or ()) - set(areas.values())
    if unknown or (options.area and not areas):
        raise SystemExit(f"No such area: {', '.join(sorted(unknown))}. The areas come from --areas.")
    chosen = [nodeid for nodeid, area in areas.items() if area in (options.area or set(areas.values()))]
    with ExitStack() as stack:
        if options.keep:
            folder = Path(tempfile.mkdtemp(prefix="valetkey-s3-tests-"))
            sys.stdout.write(f"{folder}\n")
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="valetkey-s3-tests-")))
        server = stack.enter_context(
            running_server(folder / "data", workers=options.workers, environment=settings_in(folder))
        )
        write_suite_settings(folder / "suite.conf", server)
        user = {**ACCOUNTS["alt"], **make_identity_user(server)}
        write_suite_settings(folder / "identities.conf", server, alt=user)
        results = []
        for run in selections(chosen, options.n):
            narrowed = [*run.selection, *(["-k", options.k] if options.k else [])]
            results += run_suite(
                options.suite.resolve(), options.python, folder, replace(run, selection=narrowed)
            )
    sys.stdout.write(told(results, areas))
    return 0 if all(result.outcome in ("passed", "skipped") for result in results) else 1


def selections(chosen: Sequence[str], jobs: int) -> list[Run]:
    """Return what to give to pytest, run after run. `chosen` empty means all."""
    alone = [nodeid for nodeid in ALONE if nodeid in chosen or not chosen]
    identities = [nodeid for nodeid in chosen if nodeid.startswith(OF_IDENTITIES)]
    others = [nodeid for nodeid in chosen if nodeid not in (*ALONE, *identities)]
    if not chosen:
        identities = list(OF_IDENTITIES)
        others = [
            "s3tests/functional",
            *(f"--deselect={nodeid}" for nodeid in ALONE),
            *(f"--ignore={module}" for module in OF_IDENTITIES),
        ]
    runs = [
        Run(selection=alone, jobs=0, settings="suite.conf"),
        Run(selection=others, jobs=jobs, settings="suite.conf"),
        # One at a time: they share that one user, and the names of all they make.
        Run(selection=identities, jobs=0, settings="identities.conf"),
    ]
    return [run for run in runs if run.selection]


def read_areas(path: Path | None) -> dict[str, str]:
    """Return the area of each test of the table at `path`, which has columns `nodeid` and `area`."""
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["nodeid"]: row["area"] for row in csv.DictReader(file)}


def settings_in(folder: Path) -> dict[str, str]:
    """Write the file of accounts into `folder`, and return the settings of the server."""
    _write_ini(folder / "accounts.ini", ACCOUNTS)
    return {
        "VALETKEY_ACCOUNTS_FILE": str(folder / "accounts.ini"),
        "VALETKEY_LIFECYCLE_DAY_S": str(DAY_S),
        "VALETKEY_OBJECT_OWNERSHIP": "ObjectWriter",
    }


def write_suite_settings(
    path: Path, server: RunningServer, *, alt: Mapping[str, str] = ACCOUNTS["alt"]
) -> None:
    """Write what the suite must know of `server`. A location is left out: the region is the default one."""
    owner, name = root_account(server)
    main = {
        "user_id": owner,
        "display_name": name,
        "email": "root@example.com",
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "lc_debug_interval": str(DAY_S),
    }
    others = {
        name if name.startswith("iam") else f"s3 {name}": {**account, "user_id": account["id"]}
        for name, account in {**ACCOUNTS, "alt": alt}.items()
    }
    others["s3 tenant"] |= {"tenant": "tenant"}
    place = {"host": server.host, "port": str(server.port), "is_secure": "False", "ssl_verify": "False"}
    fixtures = {"bucket prefix": "vk-{random}-"}
    _write_ini(path, {"DEFAULT": place, "fixtures": fixtures, "s3 main": main, **others})


def root_account(server: RunningServer) -> tuple[str, str]:
    """Return the canonical user id and the display name of the root account."""
    signer = Signer(server.access_key, server.secret_key, region=server.region, endpoint=server.endpoint)
    url = str(signer.presign("GET", None, expires=60))
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the server that we started
        document = answer.read().decode()
    fields = (re.search(f"<{tag}>([^<]*)</{tag}>", document) for tag in ("ID", "DisplayName"))
    owner, name = (found[1] if found else "" for found in fields)
    return owner, name


def make_identity_user(server: RunningServer) -> dict[str, str]:
    """Make a user in the account `iam` who may do everything in buckets, and return how it signs."""
    ask = partial(_ask_iam, server, ACCOUNTS["iam"])
    ask(Action="CreateUser", UserName=IDENTITY_USER)
    ask(Action="AttachUserPolicy", UserName=IDENTITY_USER, PolicyArn=f"{_PROVIDED}AmazonS3FullAccess")
    answer = ask(Action="CreateAccessKey", UserName=IDENTITY_USER)
    fields = {tag: re.search(f"<{tag}>([^<]*)</{tag}>", answer) for tag in ("AccessKeyId", "SecretAccessKey")}
    access_key, secret_key = (found[1] if found else "" for found in fields.values())
    return {"id": IDENTITY_USER, "access_key": access_key, "secret_key": secret_key}


def _ask_iam(server: RunningServer, account: Mapping[str, str], **parameters: str) -> str:
    signer = Signer(account["access_key"], account["secret_key"], service="iam", endpoint=server.endpoint)
    body = urlencode({"Version": "2010-05-08", **parameters}).encode()
    url = f"{server.endpoint}/"
    headers = signer.sign_headers(
        "POST", url, {"content-type": "application/x-www-form-urlencoded"}, body=body
    )
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - the server that we started
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        text: str = answer.read().decode()
        return text


def run_suite(suite: Path, python: Path, folder: Path, run: Run) -> list[Result]:
    """Run the tests of `run`, and return how each ended.

    Raises:
        SystemExit: pytest could not run at all; the text holds the end of what it printed.
    """
    report, log = folder / "report.json", folder / "pytest.log"
    report.unlink(missing_ok=True)
    command = [
        str(python.absolute()), "-m", "pytest", *run.selection, "-q", "-p", "no:cacheprovider", "-n", str(run.jobs),
        f"--timeout={TEST_LIMIT_S}", "--json-report", f"--json-report-file={report}",
        "--json-report-omit", "collectors", "log", "streams", "keywords", "warnings",
    ]  # fmt: skip
    with log.open("ab") as output:
        subprocess.run(  # noqa: S603 - the interpreter that the caller named
            command, cwd=suite, env=suite_environment(suite, folder / run.settings), stdout=output,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    if not report.exists():
        raise SystemExit(f"pytest left no report:\n{log.read_text('utf-8', 'replace')[-2000:]}")
    tests_run = json.loads(report.read_bytes())["tests"]
    return [Result(nodeid=t["nodeid"], outcome=t["outcome"], message=_message(t)) for t in tests_run]


def suite_environment(suite: Path, settings: Path) -> dict[str, str]:
    """Return the environment of the suite: nothing that would lead its clients elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - passed on to the suite
        if not name.startswith(ENVIRONMENT_LEFT_OUT)
    }
    own = {
        "S3TEST_CONF": str(settings),
        "PYTHONPATH": str(suite),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return kept | own


def told(results: Iterable[Result], areas: Mapping[str, str]) -> str:
    """Return passes by area (without a table of areas: by module), and each test that did not pass."""
    by_area: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_area[areas.get(result.nodeid, Path(result.nodeid.partition("::")[0]).stem)].append(result)
    lines = []
    for area, members in sorted(by_area.items()):
        for result in members:
            if result.outcome != "passed":
                name = result.nodeid.partition("::")[2]
                lines.append(f"{area}: {result.outcome}: {name}: {result.message}")
    lines.append("")
    by_area["all"] = [result for members in by_area.values() for result in members]
    for area, members in by_area.items():
        passes = sum(result.outcome == "passed" for result in members)
        lines.append(f"{area:24}{passes:5} of {len(members)}")
    return "\n".join(lines) + "\n"


def _message(test: Mapping[str, Mapping[str, Mapping[str, str]]]) -> str:
    crashes = (test[stage].get("crash") for stage in ("setup", "call", "teardown") if stage in test)
    messages = [crash["message"].partition("\n")[0] for crash in crashes if crash]
    return messages[0][:200] if messages else ""


def _write_ini(path: Path, sections: Mapping[str, Mapping[str, str]]) -> None:
    parser = configparser.RawConfigParser()
    parser.read_dict(sections)
    with path.open("w", encoding="utf-8") as file:
        parser.write(file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--suite", type=Path, required=True, help="checkout of the suite")
    parser.add_argument("--python", type=Path, required=True, help="Python of the suite's own environment")
    parser.add_argument("--areas", type=Path, help="table (CSV) with columns nodeid and area; else by module")
    parser.add_argument("--area", nargs="+", metavar="NAME", help="run these areas only")
    parser.add_argument("-k", metavar="EXPRESSION", help="run what pytest selects by this")
    parser.add_argument("--workers", type=int, default=2, help="workers of the server")
    parser.add_argument("-n", type=int, default=3, help="tests at the same time")
    parser.add_argument("--keep", action="store_true", help="keep the folder with data, settings and logs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
