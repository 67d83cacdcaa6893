"""`valetkey policies`: what users may do, and why."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from valetkey.cli import admin_options as options
from valetkey.cli.errors import BadInputError
from valetkey.cli.plain_text import shown
from valetkey.cli.surroundings import read_text

if TYPE_CHECKING:
    from valetkey.cli.admin_client import AdminClient

app = typer.Typer(help="Policies: what users may do.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The policy.")]
Document = Annotated[
    Path, typer.Argument(metavar="FILE", help="The document, as JSON; - for standard input.")
]
Holder = Mapping[str, str]
"""The user, group or role that is named, by what it is."""

_COLUMNS: Final = ("name", "version", "attachments", "provided", "arn")


@app.command("list")
@options.with_account
@options.with_holder
def list_policies(
    *,
    holder: Holder,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """List the policies that can be attached. With --user, --group or --role, those of that one alone."""
    columns = ("name",) if holder else _COLUMNS
    options.print_table(client.pages("policies", "policies", query=holder), columns, as_json=as_json)


@app.command("put")
@options.with_account
@options.with_holder
def put_policy(
    name: Name,
    file: Document,
    *,
    holder: Holder,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """Keep a document as a policy. With --user, --group or --role it is of that one alone."""
    body = {"document": _text_of(file)}
    options.print_fields(client.send("PUT", "policies", name, query=holder, body=body), as_json=as_json)


@app.command("show")
@options.with_account
@options.with_holder
def show_policy(
    name: Name,
    *,
    holder: Holder,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """Show a policy with its document."""
    options.print_fields(client.send("GET", "policies", name, query=holder), as_json=as_json)


@app.command("attach")
@options.with_account
@options.with_holder
def attach_policy(name: Name, *, holder: Holder, client: "AdminClient") -> None:
    """Let a policy apply to a user, group or role."""
    client.send("POST", "policies", name, "attach", query=holder)


@app.command("detach")
@options.with_account
@options.with_holder
def detach_policy(name: Name, *, holder: Holder, client: "AdminClient") -> None:
    """Let a policy apply to a user, group or role no more."""
    client.send("POST", "policies", name, "detach", query=holder)


@app.command("delete")
@options.with_account
@options.with_holder
def delete_policy(name: Name, *, holder: Holder, client: "AdminClient") -> None:
    """Delete a policy that nobody has. With --user, --group or --role, one of that one alone."""
    client.send("DELETE", "policies", name, query=holder)


@app.command("simulate")
@options.with_account
def simulate_policies(
    *,
    action: Annotated[
        list[str], typer.Option("--action", metavar="NAME", help="Such as s3:GetObject; repeatable.")
    ],
    resource: Annotated[
        list[str],
        typer.Option("--resource", metavar="ARN", help="Or s3://BUCKET/KEY; repeatable."),
    ],
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="Who asks: a user.")] = None,
    role: Annotated[str | None, typer.Option("--role", metavar="NAME", help="Who asks: a role.")] = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Who asks: a stranger.")] = False,
    policy: Annotated[
        list[Path] | None,
        typer.Option("--policy", metavar="FILE", help="Suppose that this one applies, too; repeatable."),
    ] = None,
    bucket_policy: Annotated[
        Path | None,
        typer.Option("--bucket-policy", metavar="FILE", help="Suppose that this is the bucket's policy."),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", metavar="KEY=VALUE", help="A condition key of the request; repeatable."),
    ] = None,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """Tell what would be decided, and by which statement. Else the account itself asks."""
    from valetkey.cli.admin_client import entries_of

    body: dict[str, Any] = {
        "user": user,
        "role": role,
        "principal": "*" if anonymous else None,
        "actions": action,
        "resources": [_arn_of(each) for each in resource],
        "policies": [_text_of(each) for each in policy or ()],
        "bucket_policy": None if bucket_policy is None else _text_of(bucket_policy),
        "context": _context_of(context or ()),
    }
    answer = client.send("POST", "simulate", body=body)
    if as_json:
        options.print_json(answer)
        return
    for result in entries_of(answer, "results"):
        decided = f"{result['decision']}: {result['action']} on {result['resource']}: {_reason(result)}"
        print(shown(decided))


def _reason(result: dict[str, Any]) -> str:
    statement = result["statement"]
    if statement is None:
        return str(result["reason"])
    sid = f" ({statement['sid']})" if statement["sid"] else ""
    return f"{result['reason']}: {statement['policy']}, statement {statement['index']}{sid}"


def _arn_of(text: str) -> str:
    return f"arn:aws:s3:::{text.removeprefix('s3://')}" if text.startswith("s3://") else text


def _context_of(given: tuple[str, ...] | list[str]) -> dict[str, list[str]]:
    context: dict[str, list[str]] = {}
    for each in given:
        key, separator, value = each.partition("=")
        if not separator or not key:
            raise BadInputError(f"--context takes KEY=VALUE, not {each!r}")
        context.setdefault(key, []).append(value)
    return context


def _text_of(path: Path) -> str:
    """Return the text of a document. That it is JSON is checked here, so that the sentence names the file.

    Raises:
        BadInputError: there is no such file, or it is none.
    """
    name, text = ("standard input", _standard_input()) if str(path) == "-" else (path, read_text(path))
    if text is None:
        raise BadInputError(f"there is no file {name}")
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{name} is no JSON: {error}") from error
    return text


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise BadInputError("standard input is not UTF-8 text") from None
