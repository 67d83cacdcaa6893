"""`valetkey keys`: access keys, which sign URLs."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from valetkey.cli import admin_options as options

if TYPE_CHECKING:
    from valetkey.cli.admin_client import AdminClient

app = typer.Typer(help="Access keys of an account and its users.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="The access key's id.")]
User = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help="A user's keys; else the account's own.")
]

_COLUMNS: Final = ("access_key", "user", "active", "created", "last_used")


@app.command("list")
@options.with_account
def list_keys(*, user: User = None, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """List the keys of a user, or of the account itself."""
    options.print_table(client.pages("keys", "keys", query={"user": user}), _COLUMNS, as_json=as_json)


@app.command("create")
@options.with_account
@options.with_pair
def create_key(
    *, user: User = None, as_json: options.AsJson = False, pair: options.Pair, client: "AdminClient"
) -> None:
    """Make a key. The secret is shown this once."""
    options.print_fields(client.send("POST", "keys", body={"user": user, **pair}), as_json=as_json)


@app.command("activate")
@options.with_account
def activate_key(key: Key, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """Let a key count again, and the URLs that it signed."""
    options.print_fields(client.send("POST", "keys", key, "activate"), as_json=as_json)


@app.command("deactivate")
@options.with_account
def deactivate_key(key: Key, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """End every URL that a key signed, at the next request."""
    options.print_fields(client.send("POST", "keys", key, "deactivate"), as_json=as_json)


@app.command("rotate")
@options.with_account
def rotate_key(key: Key, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """Make a key that takes another's place. Both count until the old one is deactivated."""
    options.print_fields(client.send("POST", "keys", key, "rotate"), as_json=as_json)


@app.command("delete")
@options.with_account
def delete_key(key: Key, *, client: "AdminClient") -> None:
    """Delete a key, and end every URL that it signed."""
    client.send("DELETE", "keys", key)
