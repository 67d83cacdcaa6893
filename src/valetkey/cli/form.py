"""`valetkey presign POST`: sign a browser form, offline."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from valetkey import PresignedPost
from valetkey.cli.credentials import Account
from valetkey.cli.errors import BadInputError
from valetkey.cli.expiry import expiry_warning, instant_text
from valetkey.cli.form_page import as_page
from valetkey.cli.lifetime import parse_lifetime
from valetkey.cli.location import parse_location, require_text
from valetkey.cli.plain_text import has_control
from valetkey.cli.presign import json_text, make_signer, warn
from valetkey.cli.recipes import Form

_FILENAME: Final = "${filename}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormWish:
    """A form that is to be signed."""

    bucket: str
    key: str
    lifetime: timedelta
    fields: Mapping[str, str]
    most_bytes: int | None
    """How large the file may be; None: as large as the store takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormStyle:
    """How the form is to be printed: as a page, as JSON, or else as a command for curl."""

    as_html: bool
    as_json: bool
    form: Form

    def __post_init__(self) -> None:
        if self.as_html + self.as_json + (self.form is not Form.URL) > 1:
            raise BadInputError("give one of --html, --json and --copy-as")
        if self.form not in (Form.URL, Form.CURL):
            raise BadInputError("a form is copied as curl; --html makes a page of it, --json is for programs")


class FormFlags(NamedTuple):
    """What `presign POST` was told, as it was typed."""

    address: str
    expires: str = "1h"
    field: Sequence[str] = ()
    content_type: str | None = None
    most_bytes: int | None = None


def make_form_wish(flags: FormFlags) -> FormWish:
    """Return the wish that the flags of `presign POST` express. Without a key the file's own name becomes it.

    Raises:
        BadInputError: a flag is malformed, or there is no bucket.
    """
    location, content_type = parse_location(flags.address), flags.content_type
    if location.bucket is None:
        raise BadInputError("a form uploads into a bucket: write s3://BUCKET or s3://BUCKET/KEY")
    fields = _fields(flags.field)
    if content_type is not None:
        require_text(content_type, what="--content-type")
        if "content-type" in map(str.lower, fields):
            raise BadInputError("give --content-type or --field Content-Type=…, not both")
        fields["Content-Type"] = content_type
    return FormWish(
        bucket=location.bucket,
        key=location.key or _FILENAME,
        lifetime=parse_lifetime(flags.expires),
        fields=fields,
        most_bytes=flags.most_bytes,
    )


def _fields(pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        require_text(pair, what="--field")
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadInputError(f"--field {pair!r} is not written as NAME=VALUE")
        if name.lower() in map(str.lower, found):
            raise BadInputError(f"--field {name} was given twice")
        found[name] = value
    return found


def sign_form(account: Account, wish: FormWish, *, at: datetime) -> PresignedPost:
    """Return the signed form for `wish`, valid from the aware instant `at`."""
    return make_signer(account).presign_post(
        wish.bucket,
        wish.key,
        expires=wish.lifetime,
        fields=wish.fields,
        content_length_range=None if wish.most_bytes is None else (0, wish.most_bytes),
        at=at,
    )


def present_form(account: Account, post: PresignedPost, style: FormStyle, *, now: datetime) -> None:
    """Print `post` on standard output, and what its owner should know on standard error."""
    ends = expiry_warning(account.credentials, url_ends_at=post.expires_at, now=now)
    if ends is not None:
        warn(ends)
    if style.as_html:
        print(as_page(post))
    elif style.as_json:
        facts = {
            "url": post.url,
            "method": "POST",
            "expires_at": instant_text(post.expires_at),
            "fields": dict(post.fields),
        }
        print(json_text(facts))
    else:
        print(as_curl(post))


def print_form(account: Account, flags: FormFlags, style: FormStyle, *, now: datetime) -> None:
    """Sign the form that `flags` express, and print it."""
    present_form(account, sign_form(account, make_form_wish(flags), at=now), style, now=now)


def as_curl(post: PresignedPost, *, file: str = "FILE") -> str:
    """Return the command that sends `file` by the form.

    Raises:
        BadInputError: a field holds a control character, which a shell into which it is pasted obeys.
    """
    words = ["curl", "-f"]
    for name, value in post.fields.items():
        if has_control(value) or has_control(name):
            raise BadInputError(
                f"the field {name!r} holds a control character, which a terminal obeys when a command is pasted: "
                "use --json"
            )
        # Not -F, which would take a value that begins with @ for the name of a file.
        words += ["--form-string", f"{name}={value}"]
    return shlex.join([*words, "-F", f"file=@{file}", post.url])
