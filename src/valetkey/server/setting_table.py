"""The table of all settings: names, defaults, and what they are for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from valetkey.links.webhooks.address import AllowedHost
from valetkey.server.setting_values import (
    one_of,
    parse_access_key,
    parse_domain,
    parse_flag,
    parse_listen,
    parse_master_key,
    parse_mode,
    parse_network,
    parse_origin,
    parse_proxy,
    parse_public_url,
    parse_region,
    parse_secret_key,
    parse_token,
    whole,
)

PREFIX: Final = "VALETKEY_"


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
    def singular(self) -> str:
        """The name of one item, where the setting is a list."""
        if not self.is_list:
            return self.name
        return self.name[:-3] + "y" if self.name.endswith("ies") else self.name.removesuffix("s")

    @property
    def flag(self) -> str:
        """The option of `valetkey serve` that sets it; one that may be repeated names one thing at a time."""
        return "--" + self.singular.replace("_", "-")


TABLE: Final = (
    Setting(name="data", default="data", parse=Path, help="Folder that holds the buckets. Made if absent."),
    Setting(
        name="listen",
        default="127.0.0.1:9000",
        parse=parse_listen,
        help="Address and port to listen on, or unix:PATH.",
    ),
    Setting(
        name="socket_mode",
        default="660",
        parse=parse_mode,
        help="Who may connect to the Unix socket: its mode, three octal digits.",
    ),
    Setting(
        name="tls_certificate",
        default=None,
        parse=Path,
        help="PEM file with the server's certificate and those between it and the root: with it, the server speaks "
        "HTTPS, and nothing else. When the file changes, or on SIGHUP, it is read again.",
    ),
    Setting(name="tls_key", default=None, parse=Path, help="PEM file with the key of the certificate."),
    Setting(
        name="region",
        default="us-east-1",
        parse=parse_region,
        help="Region that signatures must have been made for.",
    ),
    Setting(
        name="workers", default="1", parse=whole(1, 256), help="Worker processes that share the data folder."
    ),
    Setting(
        name="public_urls",
        default=None,
        parse=parse_public_url,
        is_list=True,
        help="Endpoints, beside the Host as received, that signatures may have been made for: "
        "what clients see of a proxy in front. Several are separated by white space or commas.",
    ),
    Setting(
        name="trusted_proxies",
        default=None,
        parse=parse_proxy,
        is_list=True,
        help="Addresses and networks of proxies that tell the truth about the client: its address, scheme and Host "
        "are taken from their headers. `unix` for whoever connects to the Unix socket. Several are separated by "
        "white space or commas.",
    ),
    Setting(
        name="forwarded_headers",
        default="x-forwarded",
        parse=one_of("x-forwarded", "forwarded"),
        help="Which headers the trusted proxies write: `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`, or "
        "`Forwarded` (RFC 7239). The others are not looked at.",
    ),
    Setting(
        name="domains",
        default=None,
        parse=parse_domain,
        is_list=True,
        help="Domains for virtual-host style: BUCKET.DOMAIN. Several are separated by white space or commas.",
    ),
    Setting(
        name="object_ownership",
        default="BucketOwnerEnforced",
        parse=one_of("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"),
        help="Object ownership of new buckets that are not given another. With any but BucketOwnerEnforced, access "
        "control lists count.",
    ),
    Setting(
        name="cors_origins",
        default="*",
        parse=parse_origin,
        is_list=True,
        help="Origins whose pages may use buckets that have no CORS rules of their own; each may hold one `*`. "
        "`none` for no origin. Several are separated by white space or commas.",
    ),
    Setting(
        name="contain_links",
        default="true",
        parse=parse_flag,
        help="Answers on presigned URLs tell browsers to pass the URL on to nobody, to guess no type, to run nothing "
        "that HTML, SVG or XML holds, and caches between to keep nothing, unless `Cache-Control` says otherwise.",
    ),
    Setting(
        name="presigned_urls",
        default="true",
        parse=parse_flag,
        help="`false`: neither presigned URLs nor forms are taken, whoever signed them.",
    ),
    Setting(name="sigv2", default="true", parse=parse_flag, help="`false`: no signature by SigV2 is taken."),
    Setting(
        name="largest_signature_age_s",
        default="0",
        parse=whole(0, 604800),
        help="Signatures that are older, in seconds, are refused, whatever end they name; so are SigV2 URLs, which do "
        "not tell their age. 0 for no limit.",
    ),
    Setting(
        name="allowed_networks",
        default=None,
        parse=parse_network,
        is_list=True,
        help="Addresses and networks that may ask for anything at all. Several are separated by white space or "
        "commas; without any, all may. `/-/health` answers everybody.",
    ),
    Setting(
        name="refusals_per_minute",
        default="0",
        parse=whole(0, 1_000_000),
        help="How often an address (of IPv6, a /64) may be refused in a minute, before it gets 429 `SlowDown` to all "
        "it asks for. Each worker counts its share for itself. 0 for no limit.",
    ),
    Setting(
        name="strict",
        default="false",
        parse=parse_flag,
        help="Behave as Amazon does also where we differ on purpose: HEAD on a GET link is refused, and links are not "
        "contained.",
    ),
    Setting(
        name="access_key",
        default=None,
        parse=parse_access_key,
        help="Root access key id. Without it, one is made at the first start and kept in DATA/credentials.",
    ),
    Setting(
        name="secret_key",
        default=None,
        parse=parse_secret_key,
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
        "display_name. Their keys are managed here alone; those of all others with `valetkey accounts` and `keys`.",
    ),
    Setting(
        name="inline_limit_bytes",
        default="65536",
        parse=whole(0, 1024 * 1024),
        help="Objects up to this size live in the catalog itself, larger ones in files of their own.",
    ),
    Setting(
        name="body_timeout_s",
        default="60",
        parse=whole(1, 3600),
        help="Seconds that a client may neither send nor take anything before it is cut off.",
    ),
    Setting(
        name="shutdown_timeout_s",
        default="30",
        parse=whole(1, 3600),
        help="Seconds that requests in flight have to finish when the server stops.",
    ),
    Setting(
        name="lifecycle_day_s",
        default="86400",
        parse=whole(1, 86400),
        help="Seconds that lifecycle rules take for a day. Less than 86400 is for tests of such rules.",
    ),
    Setting(
        name="access_log",
        default="stdout",
        parse=one_of("stdout", "stderr", "off"),
        help="Where the access log goes, one JSON object a line.",
    ),
    Setting(
        name="server_log",
        default=None,
        parse=Path,
        help="File that gets a line for each request in the format of Amazon's server access log.",
    ),
    Setting(
        name="server_log_max_mb",
        default="100",
        parse=whole(0, 1024 * 1024),
        help="Megabytes after which that file is set aside and a new one begun. 0: never; a file that was moved away is "
        "begun anew all the same.",
    ),
    Setting(
        name="server_log_kept",
        default="10",
        parse=whole(0, 10_000),
        help="How many files that were set aside are kept.",
    ),
    Setting(
        name="log_delivery_s",
        default="300",
        parse=whole(1, 86_400),
        help="Seconds between deliveries of buckets' server access logs into their target buckets.",
    ),
    Setting(
        name="history_days",
        default="30",
        parse=whole(0, 36_500),
        help="Days that attempts on presigned URLs are remembered. 0: none is recorded.",
    ),
    Setting(
        name="history_max_mb",
        default="1024",
        parse=whole(1, 1024 * 1024),
        help="Megabytes that the history may take; beyond them the oldest attempts are forgotten.",
    ),
    Setting(
        name="webhook_hosts",
        default=None,
        parse=AllowedHost.parse,
        is_list=True,
        help="Hosts that links may name for webhooks: HOST or HOST:PORT for https, http://HOST for what is not encrypted. "
        "Without any there are no webhooks. Several are separated by white space or commas.",
    ),
    Setting(
        name="webhook_networks",
        default=None,
        parse=parse_network,
        is_list=True,
        help="Networks that webhooks may go to though they are private, loopback or otherwise special, such as 10.1.0.0/16. "
        "Several are separated by white space or commas.",
    ),
    Setting(
        name="webhook_refusals",
        default="10",
        parse=whole(0, 1_000_000),
        help="How often a link may be refused before its webhook is told.",
    ),
    Setting(
        name="metrics",
        default="off",
        parse=one_of("off", "token", "open"),
        help="Who may read Prometheus metrics at `/-/metrics`: nobody, whoever has the token, or everybody.",
    ),
    Setting(
        name="metrics_token",
        default=None,
        parse=parse_token,
        is_secret=True,
        help="Bearer token for the metrics, 16 to 256 characters, drawn at random.",
    ),
    Setting(
        name="log_level",
        default="info",
        parse=one_of("debug", "info", "warning", "error"),
        help="How much the server tells of itself on standard error.",
    ),
)
