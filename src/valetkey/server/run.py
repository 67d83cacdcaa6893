"""Start and stop: hold the data folder, keep the root credentials, run the workers."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

from valetkey.gateway.iam.provided import provide_policies
from valetkey.server.accounts import Account, all_accounts, ensure_accounts, is_shared
from valetkey.server.address import require_free
from valetkey.server.app import App
from valetkey.server.counts import begin_counts
from valetkey.server.credentials import FILE_NAME, root_credentials
from valetkey.server.master_key import master_key
from valetkey.server.setting_values import Listen, ListenUnix
from valetkey.server.settings import Settings, SettingsError, unknown_variables
from valetkey.server.workers import Workers, hear_stop, require_pair
from valetkey.store.errors import StoreError
from valetkey.store.folder import hold_folder
from valetkey.store.store import Store

_HEADER_TIMEOUT_MS: Final = 20_000
"""How long a client may take to send a request's head, and how long an idle connection is kept."""

_BUFFER_BYTES: Final = 128 * 1024
"""What a connection reads ahead. Above the longest head that S3 takes; and thousands of uploads have one each."""

_MOST_CONNECTIONS: Final = 16_384
"""Open connections of one worker. Beyond them new ones wait; silent ones must not keep others out soon."""

_OTHER_FILES: Final = 512
"""Files that a worker has open beside its connections."""

_LIBRARY_LEVELS: Final = {
    # The library's own "info" tells of its processes, which says nothing to whoever runs a store.
    "debug": LogLevels.debug,
    "info": LogLevels.warning,
    "warning": LogLevels.warning,
    "error": LogLevels.error,
}


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight then have `shutdown_timeout_s` to finish.

    Raises:
        SettingsError: the folder or the address cannot be had; the text says why.
    """
    logging.basicConfig(
        level=settings.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for name in unknown_variables(os.environ):
        print(f"valetkey: {name} is no setting; it is ignored.", file=sys.stderr)
    try:
        with hold_folder(settings.data):
            credentials = root_credentials(settings)
            # Made while nobody else may make one; each worker reads it again.
            master = master_key(settings)
            accounts = all_accounts(settings, master)
            _warn_of_shared(settings.accounts_file)
            begin_counts(settings.data)
            asyncio.run(_prepare(settings.data, master, accounts))
            require_free(settings.listen)
            if settings.tls_certificate is not None and settings.tls_key is not None:
                require_pair(settings.tls_certificate, settings.tls_key)
            print(_greeting(settings, credentials.access_key), file=sys.stderr, flush=True)
            _run_workers(settings)
    except StoreError as error:
        raise SettingsError(str(error)) from error
    except OSError as error:
        raise SettingsError(
            f"The data folder {settings.data} cannot be used: {error.strerror or error}."
        ) from error


def _warn_of_shared(accounts_file: Path | None) -> None:
    if accounts_file is not None and is_shared(accounts_file):
        print(f"valetkey: {accounts_file} holds secrets, and others may read it.", file=sys.stderr)


async def _prepare(folder: Path, master: bytes, accounts: Iterable[Account]) -> None:
    # Before the workers, so that a folder that cannot be used is one sentence, and not one from each of them.
    store = Store.open(folder, master_key=master)
    try:
        now_ms = time.time_ns() // 1_000_000
        await ensure_accounts(accounts, store.identities, now_ms=now_ms)
        await provide_policies(store.identities, now_ms=now_ms)
    finally:
        await store.close()


def _greeting(settings: Settings, access_key: str) -> str:
    kept = "given by VALETKEY_ACCESS_KEY" if settings.access_key else f"kept in {settings.data / FILE_NAME}"
    scheme = "https" if settings.tls_certificate else "http"
    address = settings.listen if isinstance(settings.listen, ListenUnix) else f"{scheme}://{settings.listen}"
    return (
        f"valetkey: serving {settings.data} on {address} (region {settings.region}, "
        f"{settings.workers} worker{'s' if settings.workers > 1 else ''}); "
        f"root access key {access_key}, {kept}"
    )


def build(settings: Settings, parent_pid: int) -> App:
    """Return a worker's application. A function of this module, so that it can be pickled."""
    hear_stop()
    return App(settings, parent_pid=parent_pid)


def _raise_file_limit() -> int:
    """Allow as many open files as the system lets us, and return how many connections that leaves room for."""
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _MOST_CONNECTIONS + _OTHER_FILES
    allowed = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, highest))
    # A download holds a file beside its connection.
    return max(64, (allowed - _OTHER_FILES) // 2)


def _run_workers(settings: Settings) -> None:
    listen = settings.listen
    address = {"address": listen.host, "port": listen.port} if isinstance(listen, Listen) else {}
    server = Workers(
        "valetkey",
        **address,
        uds=listen.path if isinstance(listen, ListenUnix) else None,
        uds_permissions=settings.socket_mode,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.auto,
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        backpressure=_raise_file_limit(),
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_TIMEOUT_MS, pipeline_flush=False, max_buffer_size=_BUFFER_BYTES
        ),
        log_level=_LIBRARY_LEVELS[settings.log_level],
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
        respawn_failed_workers=True,
        workers_kill_timeout=settings.shutdown_timeout_s,
    )
    server.serve(target_loader=partial(build, settings, os.getpid()), wrap_loader=False)
