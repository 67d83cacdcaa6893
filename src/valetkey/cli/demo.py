"""`valetkey demo`: a server with one object in it, and what to try first."""

import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Final

import urllib3

from valetkey.cli.credentials import Account, Addressing, Credentials, Origin
from valetkey.cli.discovery import read_data_credentials
from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.location import Location
from valetkey.cli.presign import Wish, as_form, sign
from valetkey.cli.recipes import Form
from valetkey.cli.serve import read_settings, settings_are_input
from valetkey.cli.surroundings import real_surroundings
from valetkey.cli.transport import RefusedError, Request, Transport
from valetkey.server.address import require_free
from valetkey.server.setting_values import Listen
from valetkey.server.settings import Settings

BUCKET: Final = "demo"
SAMPLE_KEY: Final = "hello.html"
UPLOAD_KEY: Final = "uploaded"
LIFETIME: Final = timedelta(hours=12)
READY_WITHIN_S: Final = 30.0
_POLL_S: Final = 0.05

SAMPLE_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hello from Valetkey</title>
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem }
  @media (prefers-color-scheme: dark) { body { background: #14171a; color: #e6e8ea } }
</style>
<h1>Grüße, 你好, hello 🔑</h1>
<p>This page is a private object. You can read it because somebody signed this very URL for you: one object,
one method, until a certain moment. Change a single character of it, and the door stays shut.</p>
</html>
"""


def run_demo(flags: Mapping[str, object]) -> int:
    """Serve with a sample object until stopped, and return the server's exit code.

    Raises:
        BadInputError: a setting will not do, or the address is taken.
        CliError: the server did not come up.
    """
    settings = read_settings(flags)
    if settings.tls_certificate is not None or not isinstance(settings.listen, Listen):
        raise BadInputError("the demo speaks plain HTTP on a port; `valetkey serve` does the rest")
    # The server's own refusal would do, were it not that a stranger's answer could pass for its readiness.
    with settings_are_input():
        require_free(settings.listen)
    child = subprocess.Popen(
        [sys.executable, "-m", "valetkey", "serve", *_serve_flags(flags)],
        stdin=subprocess.DEVNULL,
        # Ctrl-C reaches us alone, and we ask the server to stop, once and in order.
        process_group=0,
    )
    try:
        _stop_with_us(child)
        if not _is_ready(settings, child):
            return _exit_code(child.wait())
        print(prepare(settings), flush=True)
        return _exit_code(child.wait())
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def prepare(settings: Settings) -> str:
    """Create the sample on the running server, and return what to tell its owner."""
    account = root_account(settings)
    transport = Transport(account)
    sample = Location(bucket=BUCKET, key=SAMPLE_KEY)
    _unless_there(transport, Request(method="PUT", location=Location(bucket=BUCKET, key=None)))
    page = Request(
        method="PUT",
        location=sample,
        headers={"content-type": "text/html; charset=utf-8", "if-none-match": "*"},
        body=SAMPLE_PAGE.encode(),
    )
    _unless_there(transport, page)
    return _banner(settings, account, sample)


def root_account(settings: Settings) -> Account:
    """Return the account of the server's owner.

    Raises:
        CliError: the server keeps no credentials where it should.
    """
    if settings.access_key is not None and settings.secret_key is not None:
        found = Credentials(
            access_key=settings.access_key, secret_key=settings.secret_key, origin=Origin.VALETKEY
        )
    else:
        kept = read_data_credentials(settings.data, real_surroundings())
        if kept is None:
            raise CliError(f"the server left no credentials in {settings.data}")
        found = kept
    return Account(
        credentials=found, region=settings.region, endpoint=_endpoint(settings), addressing=Addressing.PATH
    )


def _banner(settings: Settings, account: Account, sample: Location) -> str:
    now = datetime.now(UTC)
    get = Wish(method="GET", location=sample, lifetime=LIFETIME, query={}, headers={})
    put = Wish(
        method="PUT",
        location=Location(bucket=BUCKET, key=UPLOAD_KEY),
        lifetime=LIFETIME,
        query={},
        headers={},
    )
    given = settings.access_key is not None
    file = Path("README.md") if Path("README.md").is_file() else Path("FILE")
    kept = "VALETKEY_ACCESS_KEY and VALETKEY_SECRET_KEY" if given else str(settings.data / "credentials")
    exports = [f"VALETKEY_ENDPOINT={account.endpoint}", f"VALETKEY_REGION={account.region}"]
    if not given:
        exports.insert(0, f"VALETKEY_DATA={settings.data.absolute()}")
    return f"""
Valetkey is running.

  Endpoint          {account.endpoint}
  Root credentials  {kept}

Open this in a browser (works for 12 hours):

  {sign(account, get, at=now).url}

Upload a file{"" if file.is_file() else " (put its name for FILE)"}:

  {as_form(Form.CURL, sign(account, put, at=now), put, file=str(file))}

In another terminal, share a file of your own:

  export {shlex.join(exports)}
  {_command()} share {file} --expires 2h

Ctrl-C stops the server.
"""


def _command() -> str:
    """Return how the shell that started us finds `valetkey`: it may not be in an activated environment."""
    beside = Path(sys.executable).with_name("valetkey")
    if shutil.which("valetkey") is not None or not beside.exists():
        return "valetkey"
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))


def _unless_there(transport: Transport, request: Request) -> None:
    try:
        transport.send(request)
    except RefusedError as error:
        if error.code not in {"BucketAlreadyOwnedByYou", "PreconditionFailed"}:
            raise


def _endpoint(settings: Settings) -> str:
    """Return how this machine reaches the server, which may listen on every address."""
    assert isinstance(settings.listen, Listen)  # refused by `run_demo` otherwise
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.listen.host, settings.listen.host)  # noqa: S104
    return f"http://{Listen(host=host, port=settings.listen.port)}"


def _is_ready(settings: Settings, child: subprocess.Popen[bytes]) -> bool:
    """Wait until the server says that it is well; False means that it ended instead."""
    pool = urllib3.PoolManager(retries=False)
    deadline = time.monotonic() + READY_WITHIN_S
    while child.poll() is None:
        try:
            if pool.request("GET", f"{_endpoint(settings)}/-/health", timeout=2.0).status == 200:
                return True
        except urllib3.exceptions.HTTPError:
            pass  # not listening yet
        if time.monotonic() > deadline:
            raise CliError(f"the server was not ready within {READY_WITHIN_S:.0f} seconds")
        time.sleep(_POLL_S)
    return False


def _stop_with_us(child: subprocess.Popen[bytes]) -> None:
    """Pass the wish to stop on to the server: the first time in order, the second time at once."""
    asked = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        (child.kill if asked else child.terminate)()
        asked = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _exit_code(code: int) -> int:
    return 128 - code if code < 0 else code


def _serve_flags(flags: Mapping[str, object]) -> list[str]:
    return [word for name, value in flags.items() for word in (f"--{name}", str(value))]
