"""`valetkey links`: links that can be taken back, limited and watched."""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from valetkey.cli import admin_options as options
from valetkey.cli import link_addresses, links_history
from valetkey.cli.errors import BadInputError
from valetkey.cli.grant_flags import DEFAULTS, FLAGS, grant_body
from valetkey.cli.links_history import key_of, print_attempts
from valetkey.cli.location import parse_location

if TYPE_CHECKING:
    from valetkey.cli.admin_client import AdminClient

app = typer.Typer(help="Links that can be taken back, limited and watched.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The link's id, or its whole URL.")]
Bucket = Annotated[str | None, typer.Option("--bucket", metavar="NAME", help="Those to this bucket.")]
Prefix = Annotated[
    str | None, typer.Option("--prefix", metavar="TEXT", help="Those whose key or prefix begins so.")
]
Label = Annotated[str | None, typer.Option("--label", metavar="TEXT", help="Those with this label.")]
Tag = Annotated[str | None, typer.Option("--tag", metavar="NAME=VALUE", help="Those with this tag.")]
Issuer = Annotated[
    str | None, typer.Option("--issuer", metavar="KEY", help="Those that this access key issued.")
]
All = Annotated[bool, typer.Option("--all", help="All links there are.")]

_SORTS: Final = ("created", "ends", "uses", "bytes_sent", "last_used", "label")
_COLUMNS: Final = ("id", "state", "operations", "object", "uses", "ends", "label")


def with_grant(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with its parameter `stated` made from the flags that state a grant."""
    own = [each for each in signature(command).parameters.values() if each.name != "stated"]
    spread = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=DEFAULTS.get(name), annotation=annotation)
        for name, annotation in FLAGS.items()
    ]

    @wraps(command)
    def run(**given: Any) -> None:  # noqa: ANN401 - whatever the command's own parameters are
        said = {name: given.pop(name) for name in FLAGS}
        command(stated=grant_body(said), **given)

    del run.__annotations__["stated"]
    run.__signature__ = signature(command).replace(parameters=[*own, *spread])  # type: ignore[attr-defined]
    return run


@app.command("create")
@options.with_server
@with_grant
def create_link(
    operations: Annotated[
        str,
        typer.Argument(
            metavar="OPERATIONS", help="GET, HEAD, PUT, DELETE, MULTIPART, LIST; several with commas."
        ),
    ],
    address: Annotated[str, typer.Argument(metavar="s3://BUCKET/KEY", help="The object, or the prefix.")],
    *,
    is_prefix: Annotated[
        bool, typer.Option("--prefix", help="All keys that begin as the address does, not that key alone.")
    ] = False,
    version: Annotated[
        str | None, typer.Option("--version-id", metavar="ID", help="This version, whatever comes after it.")
    ] = None,
    etag: Annotated[
        str | None, typer.Option("--etag", metavar="ETAG", help="Only as long as the object has this ETag.")
    ] = None,
    as_json: options.AsJson = False,
    stated: dict[str, Any],
    client: "AdminClient",
) -> None:
    """Make a link and print its URL. Any client can use it, and it can be taken back at any time."""
    location = parse_location(address)
    if location.bucket is None:
        raise BadInputError(f"{address!r} names no bucket: write s3://BUCKET/KEY")
    if location.key is None and not is_prefix:
        raise BadInputError(f"{address!r} names no key; --prefix makes a link to the whole bucket")
    body = {
        "operations": [each.strip().upper() for each in operations.split(",")],
        "bucket": location.bucket,
        ("prefix" if is_prefix else "key"): location.key or "",
        "version": version,
        "etag": etag and etag.strip('"'),
        **stated,
    }
    made = client.send("POST", "links", body=body)
    options.print_url(made, as_json=as_json)


@app.command("list")
@options.with_account
def list_links(
    *,
    bucket: Bucket = None,
    prefix: Prefix = None,
    label: Label = None,
    tag: Tag = None,
    issuer: Issuer = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="active, paused or revoked.")
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="MEMBER", help=f"By {', '.join(_SORTS)}; the highest first."),
    ] = None,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """List the links, newest first."""
    if sort is not None and sort not in _SORTS:
        raise BadInputError(f"--sort takes one of {', '.join(_SORTS)}, not {sort!r}")
    query = {**_filter(bucket, prefix, label, tag, issuer), "state": state}
    found: Iterable[dict[str, Any]] = client.pages("links", "links", query=query)
    if sort is not None:
        found = sorted(found, key=lambda link: (link[sort] is not None, link[sort]), reverse=True)
    options.print_table(found if as_json else map(_row, found), _COLUMNS, as_json=as_json)


@app.command("show")
@options.with_account
def show_link(link: Id, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """Tell what a link may do and what it has done."""
    found = client.send("GET", "links", key_of(link))
    if as_json:
        options.print_json(found)
        return
    history = found.pop("history")
    options.print_fields(found, as_json=False)
    if history:
        print()
        print_attempts(history)


@app.command("alter")
@options.with_account
@with_grant
def alter_link(
    link: Id,
    *,
    no_limit: Annotated[
        list[str] | None,
        typer.Option("--no-limit", metavar="NAME", help="Take a limit away, such as max_uses; repeatable."),
    ] = None,
    as_json: options.AsJson = False,
    stated: dict[str, Any],
    client: "AdminClient",
) -> None:
    """State something else of a link. Its URL stays good."""
    body = {**stated, **dict.fromkeys(no_limit or ())}
    if not body:
        raise BadInputError("say what is to be altered, such as --expires 30d")
    options.print_fields(
        client.send("POST", "links", key_of(link), body=body, keeps_none=True), as_json=as_json
    )


@app.command("pause")
@options.with_account
def pause_link(link: Id, *, client: "AdminClient") -> None:
    """Let a link hold no more, until it is resumed."""
    client.send("POST", "links", key_of(link), "pause")


@app.command("resume")
@options.with_account
def resume_link(link: Id, *, client: "AdminClient") -> None:
    """Let a paused link hold again."""
    client.send("POST", "links", key_of(link), "resume")


@app.command("revoke")
@options.with_account
def revoke_links(
    link: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="A link's id or URL, or any presigned URL that your key signed."),
    ] = None,
    *,
    bucket: Bucket = None,
    prefix: Prefix = None,
    label: Label = None,
    tag: Tag = None,
    issuer: Issuer = None,
    everything: All = False,
    client: "AdminClient",
) -> None:
    """Take back a link, or all that the flags describe, at once."""
    narrowed = _filter(bucket, prefix, label, tag, issuer)
    if link is not None:
        if narrowed or everything:
            raise BadInputError("give a link, or flags that describe several, not both")
        if "://" in link:
            client.send("POST", "revocations", body={"url": link})
        else:
            client.send("POST", "links", link, "revoke")
        return
    if not narrowed and not everything:
        raise BadInputError(
            "say which links: an id, a URL, --bucket, --prefix, --label, --tag, --issuer or --all"
        )
    body = {**narrowed, **({"all": True} if everything else {})}
    print(f"{client.send('POST', 'links', 'revoke', body=body)['count']} revoked")


@app.command("revoke-signed")
@options.with_account
def revoke_signed(
    *,
    access_key: Annotated[
        str | None, typer.Option("--access-key", metavar="ID", help="URLs that this key signed.")
    ] = None,
    bucket: Annotated[
        str | None, typer.Option("--bucket", metavar="NAME", help="URLs into this bucket.")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help="For this object in it.")] = None,
    prefix: Annotated[
        str | None, typer.Option("--prefix", metavar="TEXT", help="For keys in it that begin so.")
    ] = None,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="INSTANT", help="Signed before this instant; else until now."),
    ] = None,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """Take back ordinary presigned URLs, many in one go."""
    body = {"access_key": access_key, "bucket": bucket, "key": key, "prefix": prefix, "before": before}
    options.print_fields(client.send("POST", "revocations", body=body), as_json=as_json)


@app.command("revocations")
@options.with_account
def list_revocations(*, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """List what was taken back by `revoke-signed`."""
    columns = ("id", "access_key", "bucket", "key", "prefix", "before")
    options.print_table(client.pages("revocations", "revocations"), columns, as_json=as_json)


@app.command("restore-signed")
@options.with_account
def restore_signed(
    revocation: Annotated[str, typer.Argument(metavar="ID", help="The revocation's id.")],
    *,
    client: "AdminClient",
) -> None:
    """Let the URLs hold again that a revocation took back."""
    client.send("DELETE", "revocations", revocation)


@app.command("delete")
@options.with_account
def delete_link(link: Id, *, client: "AdminClient") -> None:
    """Forget a link with all that it has counted. Its URL is of nobody then."""
    client.send("DELETE", "links", key_of(link))


links_history.register(app)
app.add_typer(link_addresses.app, name="addresses")


def _filter(
    bucket: str | None, prefix: str | None, label: str | None, tag: str | None, issuer: str | None
) -> dict[str, Any]:
    given = {"bucket": bucket, "prefix": prefix, "label": label, "tag": tag, "access_key": issuer}
    return {name: value for name, value in given.items() if value is not None}


def _row(link: dict[str, Any]) -> dict[str, object]:
    place = f"s3://{link['bucket']}/{link.get('key', link.get('prefix'))}{'*' if 'prefix' in link else ''}"
    uses = f"{link['uses']}" if link["max_uses"] is None else f"{link['uses']}/{link['max_uses']}"
    return {**link, "object": place, "uses": uses}
