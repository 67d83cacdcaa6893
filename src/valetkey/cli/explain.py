"""`valetkey explain`: why a presigned URL does not work."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from valetkey.cli.credentials import Account
from valetkey.cli.discovery import AccountFlags, discover_account
from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.explain_text import to_text
from valetkey.cli.known_keys import find_account, known_keys
from valetkey.cli.plain_text import is_unseen
from valetkey.cli.presign import json_text
from valetkey.cli.surroundings import Surroundings
from valetkey.explain.change import Hints
from valetkey.explain.paste import MOST_CHARS, Paste, read_paste
from valetkey.explain.report import Report, explain
from valetkey.explain.sent import Sent
from valetkey.explain.wire import read_report, report_json
from valetkey.sigv4.endpoint import Endpoint
from valetkey.sigv4.errors import MisuseError

_METHOD: Final = re.compile(r"[A-Za-z]{3,10}")
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")

NOTHING_PASTED: Final = (
    "there is no URL, command, request, form or S3 error in it: give a URL between single quotes, or paste on "
    "standard input what curl, a browser or a server gave you"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be explained."""

    url: str | None
    method: str | None = None
    headers: Sequence[str] = ()
    hosts: Sequence[str] = ()
    body_sha256: str | None = None
    is_for_server: bool = False
    """The server is to be asked."""
    request_id: str | None = None
    """Of a refused request that the server keeps, or `last`."""


def explain_pasted(
    question: Question, flags: AccountFlags, surroundings: Surroundings, *, now: datetime
) -> Report:
    """Return the explanation of what flags and standard input hold.

    Raises:
        BadInputError: there is nothing to explain in it, or a flag is wrong.
    """
    paste = _read(question)
    account = find_account(flags, surroundings)
    return explain(paste, _hints(question, account, surroundings), now=now)


def print_report(report: Report, *, now: datetime, as_json: bool) -> None:
    """Print a report on standard output."""
    if as_json:
        print(json_text(report_json(report)))
        return
    text = to_text(report, now=now, width=shutil.get_terminal_size((100, 40)).columns)
    print("".join(char if char == "\n" or not is_unseen(char) else ascii(char)[1:-1] for char in text))


def _text(question: Question) -> str:
    text = question.url
    if text is None or text == "-":
        return sys.stdin.buffer.read(MOST_CHARS).decode("utf-8", "replace")
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _read(question: Question) -> Paste:
    paste = read_paste(_text(question))
    if paste.sent is None and paste.form is None and paste.fault is None:
        raise BadInputError(NOTHING_PASTED)
    return paste if paste.sent is None else replace(paste, sent=_with_flags(paste.sent, question))


def _with_flags(sent: Sent, question: Question) -> Sent:
    if question.method is not None:
        if _METHOD.fullmatch(question.method) is None:
            raise BadInputError(f"{question.method!r} is no method: use GET, HEAD, PUT, POST or DELETE")
        sent = replace(sent, method=question.method.upper())
    for line in question.headers:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not name:
            raise BadInputError(f"--header {line!r} is not written as 'Name: value'")
        is_host = name.lower() == "host"
        sent = replace(sent, host=value.lower()) if is_host else sent.with_header(name, value)
    if question.body_sha256 is not None:
        if _SHA256.fullmatch(question.body_sha256) is None:
            raise BadInputError("--body-sha256 takes 64 hexadecimal digits")
        sent = replace(sent, body_sha256=question.body_sha256.lower())
    return sent


def _hints(question: Question, account: Account | None, surroundings: Surroundings) -> Hints:
    hosts = list(question.hosts)
    prefixes: list[str] = []
    domains: list[str] = []
    endpoint = None if account is None else _endpoint(account)
    if endpoint is not None:
        hosts.append(endpoint.host)
        domains.append(endpoint.host)
        prefixes.append(endpoint.path_prefix)
    return Hints(
        hosts=tuple(dict.fromkeys(hosts)),
        prefixes=tuple(prefixes),
        domains=tuple(domains),
        regions=() if account is None else (account.region,),
        keys=known_keys(account, surroundings),
    )


def _endpoint(account: Account) -> Endpoint | None:
    try:
        return None if account.endpoint is None else Endpoint.parse(account.endpoint)
    except MisuseError:
        return None


def ask_server(question: Question, flags: AccountFlags, surroundings: Surroundings) -> Report:
    """Return what the server at the endpoint says: of a request that it refused, or of what was pasted.

    Raises:
        CliError: there are no credentials, or the server does not answer, or has no such request.
    """
    from valetkey.cli.admin_client import AdminClient

    client = AdminClient(discover_account(flags, surroundings))
    if question.request_id is not None:
        answer = client.send("GET", "refusals", question.request_id)
    else:
        body = {
            "text": _text(question),
            "method": None if question.method is None else question.method.upper(),
            "headers": list(question.headers),
            "hosts": list(question.hosts),
            "body_sha256": question.body_sha256,
        }
        answer = client.send("POST", "explain", body=body)
    try:
        return read_report(answer["explanation"])
    except (ValueError, KeyError) as error:
        raise CliError("the server's answer is no explanation: is it an older Valetkey?") from error


def run_explain(
    question: Question, flags: AccountFlags, surroundings: Surroundings, *, as_json: bool
) -> None:
    """Explain, and print it."""
    now = datetime.now(UTC)
    if question.request_id is not None and (question.url is not None or question.is_for_server):
        raise BadInputError(
            "--last and --request-id explain what the server kept: give no URL, and no --server"
        )
    if question.is_for_server or question.request_id is not None:
        report = ask_server(question, flags, surroundings)
    else:
        report = explain_pasted(question, flags, surroundings, now=now)
    print_report(report, now=now, as_json=as_json)
