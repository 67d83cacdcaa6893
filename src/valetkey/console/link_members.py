"""What the admin API takes and gives of links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from valetkey.console.history import ATTEMPT
from valetkey.console.schema import (
    COUNT,
    COUNT_OR_NULL,
    FLAG,
    INSTANT,
    INSTANT_OR_NULL,
    MAP,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    Member,
    Schema,
    Shape,
    reference,
)
from valetkey.gateway.iam.form import Kind
from valetkey.links.grant_form import MAX_ITEMS, MAX_TEXT
from valetkey.links.model import State, Verb
from valetkey.links.passwords import MAX_CHARS

_SHORT: Final[Schema] = {"type": "string", "maxLength": MAX_TEXT}
_SOME: Final[Schema] = {"type": "integer", "minimum": 1}
_FEW: Final[Schema] = {**TEXTS, "maxItems": MAX_ITEMS}
_VERBS: Final[Schema] = {"type": "array", "items": {"type": "string", "enum": [verb.value for verb in Verb]}}

_LIMITS: Final[Mapping[str, tuple[Schema, str]]] = {
    "expires_in": (_SOME, "Seconds until it ends; seven days where neither this nor ends is said."),
    "ends": (INSTANT, "When it ends, instead."),
    "version": (_SHORT, "The one version that it reaches."),
    "etag": (_SHORT, "What the object's ETag must be."),
    "starts": (INSTANT, "When it begins."),
    "max_uses": (_SOME, "How often it may be used."),
    "max_bytes": (_SOME, "Bytes that may flow in all."),
    "max_objects": (_SOME, "Objects that may be made below the prefix."),
    "min_size": (COUNT, "The smallest upload in bytes."),
    "max_size": (COUNT, "The largest upload in bytes."),
    "content_types": (_FEW, "Types that an upload may have, such as image/png or image/*."),
    "create_only": (FLAG, "Objects are made and none is replaced."),
    "addresses": (_FEW, "Networks that it may be used from, such as 10.0.0.0/8."),
    "filename": (_SHORT, "The name that a download is saved under."),
    "content_type": (_SHORT, "The type that a download is delivered as."),
    "cache_control": (_SHORT, "The Cache-Control of a download."),
    "label": (_SHORT, "What it is for, in words."),
    "webhook": (_SHORT, "Where the server tells what happens to it; its host must be an allowed one."),
    "tags": (MAP, "What it is for, as names and values."),
}

_PASSWORD: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": MAX_CHARS}
_OF_PASSWORD: Final = "What it takes in the header X-Valetkey-Password, or on the page of a short address."  # noqa: S105 - a sentence

ALTERABLE: Final = (
    *(
        Member(name=name, help=text, schema=schema, may_be_null=True)
        for name, (schema, text) in _LIMITS.items()
    ),
    Member(name="password", help=_OF_PASSWORD, schema=_PASSWORD, may_be_null=True),
)
GRANT_OF_LINE: Final = (
    Member(
        name="operations",
        help="What it may do: a list, or one of them.",
        schema={"anyOf": [_VERBS, {"type": "string", "enum": [verb.value for verb in Verb]}]},
        is_required=True,
    ),
    Member(name="bucket", help="Where.", schema=TEXT, is_required=True),
    Member(name="key", help="The one object that it is about.", schema=TEXT),
    Member(name="prefix", help="All objects whose keys begin so, instead.", schema=TEXT),
    *(Member(name=name, help=text, schema=schema) for name, (schema, text) in _LIMITS.items()),
)
GRANT: Final = (*GRANT_OF_LINE, Member(name="password", help=_OF_PASSWORD, schema=_PASSWORD))
"""Passwords of many links at once would take minutes to keep well."""

ENDPOINT: Final = Member(
    name="endpoint", help="The server's own endpoint that URLs are made for.", kind=Kind(most=2048)
)
_TEXT: Final = Kind(least=0, most=1024)
FILTERS: Final = (
    Member(name="bucket", help="Only those about this bucket.", kind=_TEXT),
    Member(name="prefix", help="Only those about keys that begin so.", kind=_TEXT),
    Member(name="label", help="Only those with this label.", kind=_TEXT),
    Member(name="tag", help="Only those with this tag, NAME=VALUE.", kind=Kind(most=2049)),
    Member(
        name="state", help=f"Only those that are {', '.join(state.value for state in State)}.", kind=_TEXT
    ),
    Member(name="access_key", help="Only those that this key issued.", kind=_TEXT),
)
MEANT: Final = (*FILTERS, Member(name="all", help="All links, where no filter is given.", schema=FLAG))

_ISSUER: Final = Shape("Issuer", {"access_key": TEXT, "user": TEXT_OR_NULL})
LINK: Final = Shape(
    "Link",
    {
        "id": TEXT,
        "url": TEXT,
        "method": TEXT,
        "state": TEXT,
        "operations": _VERBS,
        "bucket": TEXT,
        "key": TEXT,
        "prefix": TEXT,
        "version": TEXT_OR_NULL,
        "etag": TEXT_OR_NULL,
        "created": INSTANT,
        "starts": INSTANT_OR_NULL,
        "ends": INSTANT,
        "max_uses": COUNT_OR_NULL,
        "uses": COUNT,
        "uses_left": COUNT_OR_NULL,
        "max_bytes": COUNT_OR_NULL,
        "bytes_sent": COUNT,
        "bytes_received": COUNT,
        "max_objects": COUNT_OR_NULL,
        "objects": COUNT,
        "last_used": INSTANT_OR_NULL,
        "min_size": COUNT,
        "max_size": COUNT_OR_NULL,
        "content_types": TEXTS,
        "create_only": FLAG,
        "addresses": TEXTS,
        "has_password": FLAG,
        "filename": TEXT_OR_NULL,
        "content_type": TEXT_OR_NULL,
        "cache_control": TEXT_OR_NULL,
        "label": TEXT,
        "webhook": TEXT_OR_NULL,
        "tags": MAP,
        "issuer": reference(_ISSUER),
    },
    frozenset({"key", "prefix"}),
    within=(_ISSUER,),
)
_WITH_HISTORY: Final = LINK.with_more(
    "LinkInFull", {"history": {"type": "array", "items": reference(ATTEMPT)}}
)
LINK_IN_FULL: Final = _WITH_HISTORY._replace(within=(*LINK.within, ATTEMPT))
LINE_ERROR: Final = Shape(
    "LineError",
    {
        "error": {
            "type": "object",
            "properties": {"code": TEXT, "message": TEXT},
            "required": ["code", "message"],
            "additionalProperties": False,
        }
    },
)
CHANGED: Final = Shape("Changed", {"count": COUNT})
