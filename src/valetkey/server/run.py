"""Start and stop: hold the data folder, keep the root credentials, run the workers."""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from valetkey.gateway.iam.provided import provide_policies
from valetkey.processes.file_lock import FileLock
from valetkey.server.accounts import Account, all_accounts, ensure_accounts, is_shared
from valetkey.server.address import listen_at, require_free
from valetkey.server.certificate import PairWatch, pair_of
from valetkey.server.counts import begin_counts
from valetkey.server.credentials import FILE_NAME, root_credentials
from valetkey.server.master_key import master_key
from valetkey.server.setting_values import Listen, ListenUnix
from valetkey.server.settings import Settings, SettingsError
from valetkey.server.worker import work
from valetkey.server.workers import NoWorkerError, Workers
from valetkey.store.errors import StoreError
from valetkey.store.folder import hold_folder
from valetkey.store.store import Store

_MOST_CONNECTIONS: Final = 16_384
"""Open connections of one worker. Beyond them new ones wait; silent ones must not keep others out soon."""

FILES_EACH: Final = 4
"""A download has its connection open twice, the first of its object's parts, which keeps all in place, and one more."""

OTHER_FILES: Final = 512
"""Files that a worker has open beside its connections and what those need; where few are allowed, half of them."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight then have `shutdown_timeout_s` to finish.

    Raises:
        SettingsError: the folder or the address cannot be had, or no worker can start; the text says why.
    """
    logging.basicConfig(
        level=settings.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    if isinstance(settings.listen, Listen) and not settings.data.exists():
        # Else a folder would be left behind. Of one that is there, whoever serves it already is the better reason.
        require_free(settings.listen)
    try:
        with hold_folder(settings.data) as hold:
            credentials = root_credentials(settings)
            # Made while nobody else may make one; each worker reads it again.
            master = master_key(settings)
            accounts = all_accounts(settings, master)
            _warn_of_shared(settings.accounts_file)
            begin_counts(settings.data)
            asyncio.run(_prepare(settings.data, master, accounts))
            _run_workers(settings, hold, greeting=_greeting(settings, credentials.access_key))
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


def _raise_file_limit() -> int:
    """Allow as many open files as the system lets us, and return how many connections that leaves room for."""
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_EACH * _MOST_CONNECTIONS + OTHER_FILES
    allowed = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, highest))
    return connections_within(allowed)


def connections_within(files: int) -> int:
    """Return how many connections a worker can take in that may have so many files open."""
    return max(1, (files - min(OTHER_FILES, files // 2)) // FILES_EACH)


def _run_workers(settings: Settings, hold: FileLock, *, greeting: str) -> None:
    pair = pair_of(settings)
    if pair is not None:
        pair.context()
    listener = listen_at(settings.listen, socket_mode=settings.socket_mode)
    most_connections = _raise_file_limit()

    def begin(parent: int, say_serving: Callable[[], None]) -> int:
        # Who holds the folder is the parent, and nobody any more once that has been killed.
        hold.close()
        return work(settings, listener, parent, say_serving, most_connections=most_connections)

    def end() -> None:
        listener.close()
        if isinstance(settings.listen, ListenUnix):
            settings.listen.path.unlink(missing_ok=True)

    print(greeting, file=sys.stderr, flush=True)
    workers = Workers(
        begin,
        settings.workers,
        watch=None if pair is None else PairWatch(pair),
        stop_within_s=settings.shutdown_timeout_s,
    )
    try:
        workers.run(at_stop=end)
    except NoWorkerError as error:
        raise SettingsError("No worker could start; why stands above.") from error
