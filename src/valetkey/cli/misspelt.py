"""Variables under our prefix that mean nothing: most likely misspelt."""

import sys
from collections.abc import Mapping
from typing import Final

PREFIX: Final = "VALETKEY_"

_COMMANDS_OWN: Final = frozenset(
    {
        "VALETKEY_DATA",
        "VALETKEY_ENDPOINT",
        "VALETKEY_REGION",
        "VALETKEY_ACCESS_KEY",
        "VALETKEY_SECRET_KEY",
        "VALETKEY_SECRET_KEY_FILE",
    }
)
"""What commands beside `serve` read, so that for these the server's table need not be loaded: that takes 0.1 s."""


def warn_of_misspelt(environ: Mapping[str, str]) -> None:
    """Name on standard error the variables that neither a command nor the server knows."""
    if all(name in _COMMANDS_OWN or not name.startswith(PREFIX) for name in environ):
        return
    from valetkey.server.settings import unknown_variables

    for name in unknown_variables(environ):
        print(f"valetkey: {name} is no setting; it is ignored.", file=sys.stderr)
