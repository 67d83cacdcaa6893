"""The `valetkey` command: what it understands, and the one place where errors become sentences.

The modules that do the work are imported by the command that needs them, so that `valetkey presign` does not
wait for an HTTP client or a server to load.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from valetkey import __version__
from valetkey.cli import accounts, keys, links, options, policies, users
from valetkey.cli.discovery import AccountFlags, discover_account
from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.lifetime import MAX_LINK_LIFETIME, parse_lifetime
from valetkey.cli.location import parse_location
from valetkey.cli.misspelt import warn_of_misspelt
from valetkey.cli.plain_text import shown
from valetkey.cli.recipes import Form
from valetkey.cli.surroundings import real_surroundings
from valetkey.sigv4.errors import MisuseError, SignatureError

app = typer.Typer(
    name="valetkey",
    help="Keys that open one door for a while: presigned URLs, and a store that honours them.",
    no_args_is_help=True,
    add_completion=False,
    # Plain help takes a third of the time; a pretty traceback would show secrets among the local variables.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(accounts.app, name="accounts")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(policies.app, name="policies")
app.add_typer(links.app, name="links")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 for a failure, 2 for bad input, 130 for Ctrl-C."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="valetkey")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except (CliError, SignatureError, OSError) as error:
        print(f"valetkey: {shown(str(error))}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        return 130
    return 0


def exit_code(error: CliError | SignatureError | OSError) -> int:
    """Return the exit code for an error: 2 when the input was bad, 1 when something else failed."""
    if isinstance(error, CliError):
        return error.exit_code
    return BadInputError.exit_code if isinstance(error, MisuseError) else CliError.exit_code


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"valetkey {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    """Keys that open one door for a while: presigned URLs, and a store that honours them."""
    if context.invoked_subcommand != "demo":  # which runs `serve`, and that says it
        warn_of_misspelt(os.environ)


@app.command()
@options.with_account_flags
def presign(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, HEAD, PUT, POST or DELETE.")],
    address: Annotated[
        str, typer.Argument(metavar="s3://BUCKET/KEY", help="The object; s3://BUCKET for the bucket itself.")
    ],
    *,
    expires: options.Expires = "1h",
    query: options.Query = None,
    header: options.Header = None,
    filename: options.Filename = None,
    content_type: Annotated[
        str | None,
        typer.Option(
            "--content-type", metavar="TYPE", help="GET: deliver as this type. PUT, form: require this type."
        ),
    ] = None,
    stable: options.Stable = None,
    field: options.Field = None,
    max_bytes: options.MaxBytes = None,
    as_html: options.AsHtml = False,
    copy_as: options.CopyAs = Form.URL,
    as_json: options.AsJson = False,
    account_flags: AccountFlags,
) -> None:
    """Sign a URL that lets its holder do one thing. Nothing is sent anywhere.

    POST without --query signs a form for a browser: whoever has it may upload one file. A key that ends in
    ${filename}, or none, takes the file's own name.
    """
    if method.upper() == "POST" and not query:
        from valetkey.cli.form import FormFlags, FormStyle, print_form

        if header or filename is not None or stable is not None:
            raise BadInputError("a form has fields instead: give --field NAME=VALUE, or --query for a URL")
        style_of_form = FormStyle(as_html=as_html, as_json=as_json, form=copy_as)
        flags = FormFlags(address, expires, field or (), content_type, max_bytes)
        return print_form(
            discover_account(account_flags, real_surroundings()), flags, style_of_form, now=datetime.now(UTC)
        )
    if field or max_bytes is not None or as_html:
        raise BadInputError("--field, --max-bytes and --html are about a form: presign POST, without --query")
    from valetkey.cli.presign import Style, make_wish, present, sign

    style = Style(form=copy_as, as_json=as_json)
    wish = make_wish(
        method=method,
        location=parse_location(address),
        lifetime=parse_lifetime(expires),
        query=query or (),
        header=header or (),
        filename=filename,
        content_type=content_type,
        stable_for=None if stable is None else parse_lifetime(stable),
    )
    account = discover_account(account_flags, real_surroundings())
    now = datetime.now(UTC)
    return present(account, wish, sign(account, wish, at=now), style, now=now, more={})


@app.command()
@options.with_account_flags
def share(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The local file to store, of any size.")],
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="s3://BUCKET/KEY", help="Store it exactly there.")
    ] = None,
    bucket: Annotated[
        str | None,
        typer.Option("--bucket", metavar="NAME", help="Store it in this bucket; else in 'shared'."),
    ] = None,
    expires: Annotated[
        str,
        typer.Option(
            "--expires", metavar="TIME", help="How long the link holds: 30s, 2h, 30d; with --plain, up to 7d."
        ),
    ] = "1h",
    uses: Annotated[
        int | None, typer.Option("--uses", metavar="N", min=1, help="How often it may be fetched.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Sign an ordinary presigned URL; no link that can be taken back.")
    ] = False,
    filename: options.Filename = None,
    content_type: Annotated[
        str | None,
        typer.Option("--content-type", metavar="TYPE", help="What kind of file it is; else by its name."),
    ] = None,
    copy_as: options.CopyAs = Form.URL,
    as_json: options.AsJson = False,
    account_flags: AccountFlags,
) -> None:
    """Store a local file and print a link by which it can be fetched.

    `valetkey links` shows it, and takes it back. A server that is no Valetkey has no such links: there it is an
    ordinary presigned URL.
    """
    from valetkey.cli.presign import Style, present
    from valetkey.cli.share import ShareOrder, share_file

    style = Style(form=copy_as, as_json=as_json)
    order = ShareOrder(
        path=file,
        to=to,
        bucket=bucket,
        lifetime=parse_lifetime(expires, most=MAX_LINK_LIFETIME),
        filename=filename,
        content_type=content_type,
        form=copy_as,
        uses=uses,
        is_plain=plain,
    )
    account = discover_account(account_flags, real_surroundings())
    shared = share_file(order, account)
    place = shared.wish.location
    more = {"bucket": place.bucket, "key": place.key, "size_bytes": shared.size}
    present(account, shared.wish, shared.signed, style, now=datetime.now(UTC), more=more)


@app.command()
@options.with_account_flags
def explain(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="URL", help="The URL, between single quotes; without it, standard input is read."
        ),
    ] = None,
    *,
    method: Annotated[
        str | None, typer.Option("--method", metavar="METHOD", help="The method that was used.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="'NAME: VALUE'", help="A header that was sent; repeatable."),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="HOST", help="A host it may be signed for; repeatable."),
    ] = None,
    body_sha256: Annotated[
        str | None,
        typer.Option("--body-sha256", metavar="HEX", help="The SHA-256 of the body that was sent."),
    ] = None,
    server: Annotated[
        bool, typer.Option("--server", help="Let the server check it, with the secrets that it keeps.")
    ] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Explain the last request of your keys that the server refused.")
    ] = False,
    request_id: Annotated[
        str | None,
        typer.Option("--request-id", metavar="ID", help="Explain the refused request with this id."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
    account_flags: AccountFlags,
) -> None:
    """Say what a presigned URL is, and why it does not work.

    Standard input may hold a URL, a curl command, a browser's "copy as fetch", an HTTP request, an HTML or JSON
    form, and the XML that an S3 server answered. Nothing is sent anywhere, but with --server, --last and
    --request-id, which ask the server at the endpoint.
    """
    from valetkey.cli.explain import Question, run_explain

    question = Question(
        url=url,
        method=method,
        headers=header or (),
        hosts=host or (),
        body_sha256=body_sha256,
        is_for_server=server,
        request_id="last" if last else request_id,
    )
    run_explain(question, account_flags, real_surroundings(), as_json=as_json)


@app.command()
def serve(
    *,
    data: options.DataFolder = None,
    listen: options.ListenAddress = None,
    tls_certificate: options.TlsCertificate = None,
    tls_key: options.TlsKey = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="Region that signatures must be made for.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", metavar="N", help="Worker processes.")] = None,
    public_url: options.PublicUrls = None,
    trusted_proxy: options.TrustedProxies = None,
    domain: options.Domains = None,
    strict: Annotated[
        bool | None, typer.Option("--strict/--no-strict", help="Be as strict as AWS: no HEAD on a GET link.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings as a TOML file.")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
    ] = None,
    access_log: Annotated[
        str | None, typer.Option("--access-log", metavar="WHERE", help="stdout, stderr or off.")
    ] = None,
) -> None:
    """Run the store until it is told to stop."""
    from valetkey.cli.serve import run_server

    flags = {
        "data": data,
        "listen": listen,
        "tls_certificate": tls_certificate,
        "tls_key": tls_key,
        "region": region,
        "workers": workers,
        "public_urls": public_url,
        "trusted_proxies": trusted_proxy,
        "domains": domain,
        "strict": strict,
        "config": config,
        "log_level": log_level,
        "access_log": access_log,
    }
    run_server(_given(flags))


@app.command()
def demo(*, data: options.DataFolder = None, listen: options.ListenAddress = None) -> None:
    """Run the store with a sample object in it, and print what to try."""
    from valetkey.cli.demo import run_demo

    raise typer.Exit(run_demo(_given({"data": data, "listen": listen})))


def _given(flags: Mapping[str, object]) -> dict[str, object]:
    """Return the flags that were given: the server looks elsewhere for the others."""
    return {name: value for name, value in flags.items() if value is not None and value != []}
