"""`valetkey accounts`: who owns buckets."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from valetkey.cli import admin_options as options

if TYPE_CHECKING:
    from valetkey.cli.admin_client import AdminClient

app = typer.Typer(help="Accounts, which own buckets. For the root account.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account: its name, number or id.")]

_COLUMNS: Final = ("name", "number", "email", "active", "id")


@app.command("list")
@options.with_server
def list_accounts(*, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """List all accounts."""
    options.print_table(client.pages("accounts", "accounts"), _COLUMNS, as_json=as_json)


@app.command("create")
@options.with_server
@options.with_pair
def create_account(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the account is called.")],
    *,
    email: Annotated[
        str | None, typer.Option("--email", metavar="ADDRESS", help="Grants may name it by this.")
    ] = None,
    account_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Its canonical user id, 64 hex digits; else one is made."),
    ] = None,
    as_json: options.AsJson = False,
    pair: options.Pair,
    client: "AdminClient",
) -> None:
    """Make an account with an access key. The secret is shown this once."""
    body = {"name": name, "email": email, "id": account_id, **pair}
    options.print_fields(client.send("POST", "accounts", body=body), as_json=as_json)


@app.command("show")
@options.with_server
def show_account(name: Name, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """Show one account."""
    options.print_fields(client.send("GET", "accounts", name), as_json=as_json)


@app.command("activate")
@options.with_server
def activate_account(name: Name, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """Let the keys of an account count again."""
    options.print_fields(client.send("POST", "accounts", name, "activate"), as_json=as_json)


@app.command("deactivate")
@options.with_server
def deactivate_account(name: Name, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """Let no key of an account count, and end its URLs."""
    options.print_fields(client.send("POST", "accounts", name, "deactivate"), as_json=as_json)


@app.command("revoke-sessions")
@options.with_server
def revoke_sessions(name: Name, *, client: "AdminClient") -> None:
    """End all temporary credentials of an account. Later ones count."""
    client.send("POST", "accounts", name, "revoke-sessions")


@app.command("delete")
@options.with_server
def delete_account(name: Name, *, client: "AdminClient") -> None:
    """Delete an account with nothing left in it but keys."""
    client.send("DELETE", "accounts", name)
