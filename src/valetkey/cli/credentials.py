"""Credentials and the account they open, as a command works with them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path

from valetkey.sigv4.secret import Secret


class Origin(Enum):
    """Where credentials were found, as far as it decides what else is believed."""

    FLAGS = "flags"
    VALETKEY = "VALETKEY_*"
    AWS = "AWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A key pair, perhaps a temporary one."""

    access_key: str
    secret_key: Secret
    session_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    """When the pair stops working, aware; None when that is not known."""
    origin: Origin


class Addressing(Enum):
    """Where the bucket's name stands in a URL."""

    AUTO = "auto"
    PATH = "path"
    VIRTUAL = "virtual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who signs, and for which service."""

    credentials: Credentials
    region: str
    endpoint: str | None
    """None means AWS in `region`."""
    addressing: Addressing
    ca_bundle: Path | None = None
    """The authorities, as PEM, one of which must vouch for the service; None: those that the system trusts."""
