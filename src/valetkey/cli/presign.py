"""`valetkey presign`: sign a URL, offline."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from valetkey import PresignedURL, Signer
from valetkey.cli.credentials import Account
from valetkey.cli.disposition import attachment
from valetkey.cli.errors import BadInputError
from valetkey.cli.expiry import expiry_warning, instant_text
from valetkey.cli.location import Location, require_text
from valetkey.cli.plain_text import is_unseen, shown
from valetkey.cli.recipes import Errand, Form, body_of, has_dot_segments, render

METHODS: Final = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})
"""The methods that S3 has operations for; OPTIONS is never authenticated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be signed."""

    method: str
    location: Location
    lifetime: timedelta
    query: Mapping[str, str]
    headers: Mapping[str, str]
    stable_for: timedelta | None = None
    """How long the same URL comes out again."""
    filename: str | None = None
    """The name of the file as which a download is saved, when the key's own will not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What the flags ask to be signed along, already told apart by where it stands."""

    query: Mapping[str, str]
    headers: Mapping[str, str]


def make_wish(
    *,
    method: str,
    location: Location,
    lifetime: timedelta,
    query: Sequence[str] = (),
    header: Sequence[str] = (),
    filename: str | None = None,
    content_type: str | None = None,
    stable_for: timedelta | None = None,
) -> Wish:
    """Return the wish that the flags of `presign` express.

    Raises:
        BadInputError: a flag is malformed, or means nothing for this method.
    """
    verb = method.upper()
    if verb not in METHODS:
        raise BadInputError(f"{method!r} is no method that S3 knows: use GET, HEAD, PUT, POST or DELETE")
    extras = Extras(query=_queries(query), headers=_headers(header))
    if verb == "POST" and not extras.query:
        raise BadInputError(
            "a POST to a URL needs the query that says what it does, such as --query uploads or uploadId=ID"
        )
    if location.key is None and (filename is not None or content_type is not None):
        raise BadInputError("--filename and --content-type are about an object: give a key, s3://BUCKET/KEY")
    if filename is not None:
        extras = _with_filename(extras, verb=verb, filename=filename)
    if content_type is not None:
        extras = _with_content_type(extras, verb=verb, content_type=content_type)
    return Wish(
        method=verb,
        location=location,
        lifetime=lifetime,
        query=extras.query,
        headers=extras.headers,
        stable_for=stable_for,
        filename=filename,
    )


def sign(account: Account, wish: Wish, *, at: datetime) -> PresignedURL:
    """Return the signed URL for `wish`, valid from the aware instant `at`."""
    return make_signer(account).presign(
        wish.method,
        wish.location.bucket,
        wish.location.key,
        expires=wish.lifetime,
        query=wish.query,
        headers=wish.headers,
        at=at,
        stable_for=wish.stable_for,
    )


def make_signer(account: Account) -> Signer:
    """Return the signer for `account`."""
    credentials = account.credentials
    return Signer(
        credentials.access_key,
        credentials.secret_key,
        region=account.region,
        endpoint=account.endpoint,
        session_token=credentials.session_token,
        addressing=account.addressing.value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the result is to be printed."""

    form: Form
    as_json: bool

    def __post_init__(self) -> None:
        if self.as_json and self.form is not Form.URL:
            raise BadInputError("give --json or --copy-as, not both")


def present(
    account: Account,
    wish: Wish,
    signed: PresignedURL,
    style: Style,
    *,
    now: datetime,
    more: Mapping[str, object],
) -> None:
    """Print `signed` on standard output, and what its owner should know on standard error.

    `more` goes into the JSON object only.
    """
    ends = expiry_warning(account.credentials, url_ends_at=signed.expires_at, now=now)
    if ends is not None:
        warn(ends)
    if style.form is Form.URL and has_dot_segments(signed.url):
        warn("browsers and many tools rewrite the '.' or '..' in this key; --copy-as curl does not")
    if style.as_json:
        print(to_json(signed, more))
        return
    print(as_form(style.form, signed, wish))
    if style.form is Form.URL:
        for name, value in signed.headers.items():
            print(f"valetkey: the recipient must send  {name}: {shown(value)}", file=sys.stderr)


def to_json(signed: PresignedURL, more: Mapping[str, object]) -> str:
    """Return what a program needs to use `signed`, as one JSON object."""
    facts = {
        "url": signed.url,
        "method": signed.method,
        "expires_at": instant_text(signed.expires_at),
        "headers": dict(signed.headers),
    }
    return json_text({**facts, **more})


def json_text(facts: Mapping[str, object]) -> str:
    """Return `facts` as one JSON object in which a terminal finds nothing to obey."""
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    # JSON itself escapes C0 alone, and a terminal obeys C1 and the marks of direction too.
    return "".join(json.dumps(char)[1:-1] if is_unseen(char) and char != "\n" else char for char in text)


def as_form(form: Form, signed: PresignedURL, wish: Wish, *, file: str = "FILE") -> str:
    """Return `signed` as the command, snippet or plain URL that `form` names; an upload sends `file`."""
    has_key = wish.location.key is not None
    errand = Errand(
        method=signed.method,
        url=signed.url,
        headers=signed.headers,
        body=body_of(wish.method, has_key=has_key, query=wish.query, headers=wish.headers),
        file=file,
        save_as=wish.filename or wish.location.key,
    )
    return render(form, errand)


def warn(sentence: str) -> None:
    """Say `sentence` on standard error, which leaves the URL alone on standard output."""
    print(f"valetkey: warning: {shown(sentence)}", file=sys.stderr)


def _queries(pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        require_text(pair, what="--query")
        name, _, value = pair.partition("=")
        if not name:
            raise BadInputError(f"--query {pair!r} has no name: write it as NAME=VALUE or NAME")
        if name in found:
            raise BadInputError(f"--query {name} was given twice")
        found[name] = value
    return found


def _headers(lines: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        require_text(line, what="--header")
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon or not name:
            raise BadInputError(f"--header {line!r} is not written as 'Name: value'")
        if name.lower() in map(str.lower, found):
            raise BadInputError(f"--header {name} was given twice")
        found[name] = value.strip()
    return found


def _with_filename(extras: Extras, *, verb: str, filename: str) -> Extras:
    if verb not in {"GET", "HEAD"}:
        raise BadInputError("--filename names a download: it goes with GET and HEAD")
    return _with_query(extras, "response-content-disposition", attachment(filename), flag="--filename")


def _with_content_type(extras: Extras, *, verb: str, content_type: str) -> Extras:
    require_text(content_type, what="--content-type")
    if verb in {"GET", "HEAD"}:
        return _with_query(extras, "response-content-type", content_type, flag="--content-type")
    if verb == "DELETE":
        raise BadInputError("--content-type means nothing for DELETE")
    if "content-type" in map(str.lower, extras.headers):
        raise BadInputError("give --content-type or --header 'Content-Type: …', not both")
    return Extras(query=extras.query, headers={**extras.headers, "content-type": content_type})


def _with_query(extras: Extras, name: str, value: str, *, flag: str) -> Extras:
    if name in extras.query:
        raise BadInputError(f"give {flag} or --query {name}=…, not both")
    return Extras(query={**extras.query, name: value}, headers=extras.headers)
