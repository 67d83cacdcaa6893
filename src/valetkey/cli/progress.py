"""How far an upload has come, for a person who watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from valetkey.cli.plain_text import shown


@contextmanager
def upload_progress(name: str, *, size_bytes: int) -> Iterator[Callable[[int], None]]:
    """Yield what is to be told of each stretch of bytes (negative: taken back).

    A bar is drawn on standard error, and only when that is a terminal.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # Imported here: a pipe never needs it, and it costs more than all the rest of a small upload.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(shown(name)), total=size_bytes)
        yield lambda count: progress.advance(task, count)
