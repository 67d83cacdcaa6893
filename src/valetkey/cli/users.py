"""`valetkey users`: who may do what policies allow."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from valetkey.cli import admin_options as options

if TYPE_CHECKING:
    from valetkey.cli.admin_client import AdminClient

app = typer.Typer(help="Users of an account, who may do what policies allow.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user.")]

_COLUMNS: Final = ("name", "path", "created", "arn")


@app.command("list")
@options.with_account
def list_users(
    *,
    path_prefix: Annotated[
        str | None, typer.Option("--path-prefix", metavar="PATH", help="Only users below this path.")
    ] = None,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """List the users."""
    users = client.pages("users", "users", query={"path_prefix": path_prefix})
    options.print_table(users, _COLUMNS, as_json=as_json)


@app.command("create")
@options.with_account
def create_user(
    name: Name,
    *,
    path: Annotated[
        str | None, typer.Option("--path", metavar="PATH", help="Such as /staff/; policies can name it.")
    ] = None,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """Make a user, who may do nothing yet."""
    made = client.send("POST", "users", body={"name": name, "path": path})
    options.print_fields(made, as_json=as_json)


@app.command("show")
@options.with_account
def show_user(name: Name, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """Show a user with its groups and policies."""
    options.print_fields(client.send("GET", "users", name), as_json=as_json)


@app.command("revoke-sessions")
@options.with_account
def revoke_sessions(name: Name, *, client: "AdminClient") -> None:
    """End all temporary credentials of a user. Later ones count."""
    client.send("POST", "users", name, "revoke-sessions")


@app.command("delete")
@options.with_account
def delete_user(name: Name, *, client: "AdminClient") -> None:
    """Delete a user that has no keys and no policies."""
    client.send("DELETE", "users", name)
