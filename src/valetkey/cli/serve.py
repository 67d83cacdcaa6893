"""`valetkey serve`: the server's settings from flags, environment and file, and then the server."""

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from valetkey.cli.errors import BadInputError
from valetkey.server.settings import Settings, SettingsError, load_settings


@contextmanager
def settings_are_input() -> Iterator[None]:
    """Tell of a setting that will not do as of any other bad input."""
    try:
        yield
    except SettingsError as error:
        raise BadInputError(str(error)) from error


def read_settings(flags: Mapping[str, object]) -> Settings:
    """Return the settings, `flags` being those that were given on the command line.

    Raises:
        BadInputError: a setting is unknown or malformed.
    """
    with settings_are_input():
        return load_settings(flags, os.environ)


def run_server(flags: Mapping[str, object]) -> None:
    """Serve until told to stop.

    Raises:
        BadInputError: the settings, the folder or the address will not do.
    """
    # Hundreds of modules come, and nothing goes: to look for what has gone takes a tenth of the start. What is there
    # now stays, and is not looked at again.
    gc.disable()
    from valetkey.server.run import serve

    gc.freeze()
    gc.enable()

    settings = read_settings(flags)
    with settings_are_input():
        serve(settings)
