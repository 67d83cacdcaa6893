"""Every setting of the server; read once, from flags, environment and file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from valetkey.links.webhooks.address import AllowedHost
from valetkey.server.setting_table import PREFIX, TABLE, Setting
from valetkey.server.setting_values import NO_ORIGINS, Listen, ListenUnix, Network, PublicUrl
from valetkey.sigv4.secret import Secret

CLIENT_NAMES: Final = frozenset({"VALETKEY_ENDPOINT", "VALETKEY_CONFIG"})
"""Variables under our prefix that belong to the command line's other commands."""


class SettingsError(Exception):
    """A setting is unknown, missing or malformed. The text is a sentence for whoever starts the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Built by `load_settings` alone."""

    data: Path
    listen: Listen | ListenUnix
    socket_mode: int
    tls_certificate: Path | None
    tls_key: Path | None
    region: str
    workers: int
    public_urls: tuple[PublicUrl, ...]
    trusted_proxies: tuple[Network | str, ...]
    forwarded_headers: str
    domains: tuple[str, ...]
    object_ownership: str
    cors_origins: tuple[str, ...]
    """Empty where pages of other origins may do nothing."""
    contain_links: bool
    presigned_urls: bool
    sigv2: bool
    largest_signature_age_s: int
    """0: no limit."""
    allowed_networks: tuple[Network, ...]
    """Empty: all."""
    refusals_per_minute: int
    """0: no limit."""
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
    server_log: Path | None
    server_log_max_mb: int
    server_log_kept: int
    log_delivery_s: int
    history_days: int
    history_max_mb: int
    webhook_hosts: tuple[AllowedHost, ...]
    webhook_networks: tuple[Network, ...]
    webhook_refusals: int
    metrics: str
    metrics_token: Secret | None = field(repr=False)
    log_level: str


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Return the settings: a flag wins over the environment, the environment over the file.

    `flags` may hold `config`, the path of a TOML file with the names of the table; so may the variable
    `VALETKEY_CONFIG`. A secret may stand in a file that, say, `VALETKEY_SECRET_KEY_FILE` names.

    Raises:
        SettingsError: a value is malformed, a name is unknown, or only half of a pair is given.
    """
    from_file = _read_file(flags.get("config") or environ.get(PREFIX + "CONFIG"))
    _require_known({name for name in flags if name != "config"}, "flag")
    values = {row.name: _value(row, flags, environ, from_file) for row in TABLE}
    if (values["access_key"] is None) != (values["secret_key"] is None):
        raise SettingsError("VALETKEY_ACCESS_KEY and VALETKEY_SECRET_KEY go together: give both, or neither.")
    if (values["tls_certificate"] is None) != (values["tls_key"] is None):
        raise SettingsError(
            "VALETKEY_TLS_CERTIFICATE and VALETKEY_TLS_KEY go together: give both, or neither."
        )
    if values["metrics"] == "token" and values["metrics_token"] is None:
        raise SettingsError("VALETKEY_METRICS is token, so VALETKEY_METRICS_TOKEN must be given.")
    if NO_ORIGINS in values["cors_origins"]:
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
