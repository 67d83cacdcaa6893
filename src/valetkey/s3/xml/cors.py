"""The document that says which other origins' pages may use a bucket."""

from __future__ import annotations

import re
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.cors import METHODS, CorsRule, CorsRules
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.document import document
from valetkey.s3.xml.text import element
from valetkey.s3.xml.tree import Node, malformed, parse_tree

_MAX_RULES: Final = 100
_MAX_ID_CHARACTERS: Final = 255

_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")

_NAMES: Final = frozenset(
    {"ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"}
)
_ONCE: Final = ("ID", "MaxAgeSeconds")


def parse_cors(body: bytes) -> CorsRules:
    """Return the rules that a PutBucketCors gives, 1 to 100.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, or InvalidRequest for a method that cannot be allowed or a
            wildcard where there may be none.

    Source: Amazon S3 API Reference, "PutBucketCors", "CORSRule".
    """
    root = parse_tree(body, "CORSConfiguration")
    if not 1 <= len(root.children) <= _MAX_RULES:
        raise malformed()
    return tuple(_parse_rule(node) for node in root.children)


def _parse_rule(node: Node) -> CorsRule:
    if node.name != "CORSRule":
        raise malformed()
    found: dict[str, tuple[str, ...]] = dict.fromkeys(_NAMES, ())
    for child in node.children:
        if child.name not in _NAMES or child.children:
            raise malformed()
        found[child.name] += (child.text,)
    if not found["AllowedOrigin"] or not found["AllowedMethod"]:
        raise malformed()
    if any(len(found[name]) > 1 for name in _ONCE):
        raise malformed()
    _require_methods(found["AllowedMethod"])
    for name in ("AllowedOrigin", "AllowedHeader"):
        _require_one_wildcard(name, found[name])
    _require_exposable(found["ExposeHeader"])
    return CorsRule(
        origins=found["AllowedOrigin"],
        methods=found["AllowedMethod"],
        allowed_headers=found["AllowedHeader"],
        exposed_headers=found["ExposeHeader"],
        max_age_s=_max_age(found["MaxAgeSeconds"]),
        rule_id=_rule_id(found["ID"]),
    )


def _require_methods(methods: tuple[str, ...]) -> None:
    for method in methods:
        if method not in METHODS:
            message = f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            raise S3Error(Code.INVALID_REQUEST, message)


def _require_one_wildcard(name: str, patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        if pattern.count("*") > 1:
            message = f'{name} "{pattern}" can not have more than one wildcard.'
            raise S3Error(Code.INVALID_REQUEST, message)


def _require_exposable(names: tuple[str, ...]) -> None:
    for name in names:
        if "*" in name:
            message = f'ExposeHeader "{name}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
            raise S3Error(Code.INVALID_REQUEST, message)
        # These become part of a header of our answers, where a line break would begin another one.
        if _PRINTABLE.fullmatch(name) is None:
            raise malformed()


def _max_age(found: tuple[str, ...]) -> int | None:
    if not found:
        return None
    if _SECONDS.fullmatch(found[0].strip()) is None:
        raise malformed()
    return int(found[0])


def _rule_id(found: tuple[str, ...]) -> str | None:
    if not found:
        return None
    if len(found[0]) > _MAX_ID_CHARACTERS:
        raise malformed()
    return found[0]


def render_cors(rules: CorsRules) -> str:
    return document("CORSConfiguration", "".join([_rule(rule) for rule in rules]))


def _rule(rule: CorsRule) -> str:
    content = (
        element("ID", rule.rule_id)
        + _elements("AllowedHeader", rule.allowed_headers)
        + _elements("AllowedMethod", rule.methods)
        + _elements("AllowedOrigin", rule.origins)
        + _elements("ExposeHeader", rule.exposed_headers)
        + element("MaxAgeSeconds", None if rule.max_age_s is None else str(rule.max_age_s))
    )
    return f"<CORSRule>{content}</CORSRule>"


def _elements(name: str, texts: tuple[str, ...]) -> str:
    return "".join([element(name, text) for text in texts])
