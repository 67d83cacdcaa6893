"""Every setting of the server, in one table; read once, from flags, environment and file."""

from __future__ import annotations

import tomllib
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from valetkey.sigv4.secret import Secret

PREFIX: Final = "VALETKEY_"

CLIENT_NAMES: Final = frozenset({"VALETKEY_ENDPOINT", "VALETKEY_CONFIG"})
"""Variables under our prefix that belong to the command line's other commands."""


_NO_ORIGINS: Final = "none"


class SettingsError(Exception):
    """A setting is unknown, missing or malformed. The text is a sentence for whoever starts the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUrl:
    """An endpoint by which clients know this server, beside the address it listens on."""

    url: str
    host: str
    """As clients put it into `Host`: lower case, with the port unless it is the scheme's own."""
    path_prefix: str
    """Without the slash at its end; empty where there is none. A proxy takes it away before us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Built by `load_settings` alone."""

    data: Path
    listen: Listen
    region: str
    workers: int
    public_urls: tuple[PublicUrl, ...]
    domains: tuple[str, ...]
    object_ownership: str
    cors_origins: tuple[str, ...]
    """Empty where pages of other origins may do nothing."""
    strict: bool
    access_key: str | None
    secret_key: Secret | None = field(repr=False)
    master_key: Secret | None = field(repr=False)
    """64 hex digits."""
    accounts_file: Path | None
    inline_limit_bytes: int
    body_timeout_s: float
    shutdown_timeout_s: int
    lifecycle_day_s: int
    access_log: str
    log_level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table."""

    name: str
    default: str | None
    parse: Callable[[str], Any]
    help: str
    is_list: bool = False
    is_secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """The option of `valetkey serve` that sets it; one that may be repeated names one thing at a time."""
        name = self.name.removesuffix("s") if self.is_list else self.name
        return "--" + name.replace("_", "-")


def _listen(text: str) -> Listen:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:9000 or [::1]:9000")
    return Listen(host=host, port=int(port))


def _public_url(text: str) -> PublicUrl:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise ValueError("expected a URL such as https://files.example.com or https://example.com/s3")
    default_port = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.port not in (None, default_port):
        host = f"{host}:{parts.port}"
    return PublicUrl(url=text.rstrip("/"), host=host, path_prefix=parts.path.rstrip("/"))


def _domain(text: str) -> str:
    name = text.strip().lower().strip(".")
    if not name or not all(
        label.replace("-", "a").isalnum() and label.isascii() for label in name.split(".")
    ):
        raise ValueError("expected a domain name such as s3.example.com")
    return name


def _origin(text: str) -> str:
    parts = urlsplit(text)
    is_origin = bool(parts.scheme and parts.netloc) and text == f"{parts.scheme}://{parts.netloc}"
    if text not in ("*", _NO_ORIGINS) and (not is_origin or text.count("*") > 1):
        raise ValueError(f"expected an origin such as https://app.example.com, *, or {_NO_ORIGINS}")
    return text


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ValueError("expected true or false")


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        stripped = text.strip()
        if not (stripped.isascii() and stripped.isdigit() and lowest <= int(stripped) <= highest):
            raise ValueError(f"expected a whole number from {lowest} to {highest}")
        return int(stripped)

    return parse


def _region(text: str) -> str:
    if not text or len(text) > 64 or not text.isascii() or not text.replace("-", "a").isalnum():
        raise ValueError("expected a region name such as us-east-1: letters, digits and hyphens")
    return text


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError("expected one of " + ", ".join(choices))
        return text

    return parse


def _access_key(text: str) -> str:
    if not 1 <= len(text) <= 128 or not text.isascii() or not text.isprintable() or set(text) & set("/ ,:="):
        raise ValueError("expected 1 to 128 ASCII characters without spaces and without / , : =")
    return text


def _secret_key(text: str) -> Secret:
    if not 1 <= len(text) <= 256:
        raise ValueError("expected 1 to 256 characters")
    return Secret(text)


def parse_master_key(text: str) -> Secret:
    """Return a key of 32 bytes, given in hex or base64, as 64 hex digits.

    Raises:
        ValueError: it is neither; the text does not repeat it.
    """
    try:
        stripped = text.strip()
        key = bytes.fromhex(stripped) if len(stripped) == 64 else b64decode(stripped, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError("expected 64 hex digits, or the base64 of 32 bytes")
    return Secret(key.hex())


TABLE: Final = (
    Setting(name="data", default="data", parse=Path, help="Folder that holds the buckets. Made if absent."),
    Setting(name="listen", default="127.0.0.1:9000", parse=_listen, help="Address and port to listen on."),
    Setting(
        name="region",
        default="us-east-1",
        parse=_region,
        help="Region that signatures must have been made for.",
    ),
    Setting(
        name="workers", default="1", parse=_whole(1, 256), help="Worker processes that share the data folder."
    ),
    Setting(
        name="public_urls",
        default=None,
        parse=_public_url,
        is_list=True,
        help="Endpoints, beside the Host as received, that signatures may have been made for: "
        "what clients see of a proxy in front. Several are separated by white space or commas.",
    ),
    Setting(
        name="domains",
        default=None,
        parse=_domain,
        is_list=True,
        help="Domains for virtual-host style: BUCKET.DOMAIN. Several are separated by white space or commas.",
    ),
    Setting(
        name="object_ownership",
        default="BucketOwnerEnforced",
        parse=_one_of("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"),
        help="Object ownership of new buckets that are not given another. With any but BucketOwnerEnforced, access "
        "control lists count.",
    ),
    Setting(
        name="cors_origins",
        default="*",
        parse=_origin,
        is_list=True,
        help="Origins whose pages may use buckets that have no CORS rules of their own; each may hold one `*`. "
        "`none` for no origin. Several are separated by white space or commas.",
    ),
    Setting(
        name="strict",
        default="false",
        parse=_flag,
        help="Behave as Amazon does also where we differ on purpose: HEAD on a GET link is refused.",
    ),
    Setting(
        name="access_key",
        default=None,
        parse=_access_key,
        help="Root access key id. Without it, one is made at the first start and kept in DATA/credentials.",
    ),
    Setting(
        name="secret_key",
        default=None,
        parse=_secret_key,
        is_secret=True,
        help="Root secret key, 1 to 256 characters; outside of tests no less than 32, drawn at random.",
    ),
    Setting(
        name="master_key",
        default=None,
        parse=parse_master_key,
        is_secret=True,
        help="Key that contents are encrypted under: 64 hex digits, or the base64 of 32 bytes. Without it, one is "
        "made at the first start and kept in DATA/master.key. Keep a copy: without it those contents are lost.",
    ),
    Setting(
        name="accounts_file",
        default=None,
        parse=Path,
        help="INI file of further accounts, a section each with id (64 hex digits), access_key, secret_key and "
        "display_name: a stop-gap until the server keeps accounts itself.",
    ),
    Setting(
        name="inline_limit_bytes",
        default="65536",
        parse=_whole(0, 1024 * 1024),
        help="Objects up to this size live in the catalog itself, larger ones in files of their own.",
    ),
    Setting(
        name="body_timeout_s",
        default="60",
        parse=_whole(1, 3600),
        help="Seconds that a client may neither send nor take anything before it is cut off.",
    ),
    Setting(
        name="shutdown_timeout_s",
        default="30",
        parse=_whole(1, 3600),
        help="Seconds that requests in flight have to finish when the server stops.",
    ),
    Setting(
        name="lifecycle_day_s",
        default="86400",
        parse=_whole(1, 86400),
        help="Seconds that lifecycle rules take for a day. Less than 86400 is for tests of such rules.",
    ),
    Setting(
        name="access_log",
        default="stdout",
        parse=_one_of("stdout", "stderr", "off"),
        help="Where the access log goes, one JSON object a line.",
    ),
    Setting(
        name="log_level",
        default="info",
        parse=_one_of("debug", "info", "warning", "error"),
        help="How much the server tells of itself on standard error.",
    ),
)


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Return the settings: a flag wins over the environment, the environment over the file.

    `flags` may hold `config`, the path of a TOML file with the names of the table; so may the variable
    `VALETKEY_CONFIG`. A secret may stand in a file that, say, `VALETKEY_SECRET_KEY_FILE` names.

    Raises:
        SettingsError: a value is malformed, a name is unknown, or only half of the root key is given.
    """
    from_file = _read_file(flags.get("config") or environ.get(PREFIX + "CONFIG"))
    _require_known({name for name in flags if name != "config"}, "flag")
    values = {row.name: _value(row, flags, environ, from_file) for row in TABLE}
    if (values["access_key"] is None) != (values["secret_key"] is None):
        raise SettingsError("VALETKEY_ACCESS_KEY and VALETKEY_SECRET_KEY go together: give both, or neither.")
    if _NO_ORIGINS in values["cors_origins"]:
        values["cors_origins"] = ()
    return Settings(**values)


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return the variables under our prefix that no setting has: most likely misspelt."""
    known = {row.variable for row in TABLE} | {row.variable + "_FILE" for row in TABLE if row.is_secret}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known | CLIENT_NAMES)


def _read_file(path: object) -> Mapping[str, object]:
    if not path:
        return {}
    try:
        with Path(str(path)).open("rb") as file:
            values = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}.") from error
    _require_known(set(values), f"name in {path}")
    return values


def _require_known(names: set[str], where: str) -> None:
    unknown = names - {row.name for row in TABLE}
    if unknown:
        raise SettingsError(f"Unknown {where}: {', '.join(sorted(unknown))}.")


def _value(
    row: Setting, flags: Mapping[str, object], environ: Mapping[str, str], file: Mapping[str, object]
) -> Any:  # noqa: ANN401 - the table holds every type
    if row.name in flags:
        return _parse(row, flags[row.name], row.flag)
    if environ.get(row.variable):
        return _parse(row, environ[row.variable], row.variable)
    if row.is_secret and environ.get(row.variable + "_FILE"):
        return _parse(row, _secret_text(environ[row.variable + "_FILE"]), row.variable + "_FILE")
    if row.name in file:
        return _parse(row, file[row.name], row.name)
    return _parse(row, row.default, row.name)


def _secret_text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The secret file {path} cannot be read: {type(error).__name__}.") from error


def _parse(row: Setting, given: object, where: str) -> Any:  # noqa: ANN401 - as above
    if row.is_list:
        items = given if isinstance(given, (list, tuple)) else str(given or "").replace(",", " ").split()
        return tuple(_parse_one(row, str(item), where) for item in items)
    if given is None:
        return None
    return _parse_one(row, str(given), where)


def _parse_one(row: Setting, text: str, where: str) -> Any:  # noqa: ANN401 - as above
    try:
        return row.parse(text)
    except ValueError as error:
        shown = "" if row.is_secret else f" {text!r}:"
        raise SettingsError(f"{where}{shown} {error}.") from error
