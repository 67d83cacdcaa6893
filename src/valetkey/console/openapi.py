"""The admin API as OpenAPI describes it, written from the table of routes.

Source: OpenAPI Specification 3.1.1.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final

from valetkey import __version__
from valetkey.console.route import Route
from valetkey.console.routes import NAMES, ROUTES
from valetkey.console.schema import TEXT, Member, Schema, Shape, reference
from valetkey.gateway.iam.errors import IamCode

_ERROR: Final = Shape(
    "Error",
    {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "enum": [code.wire for code in IamCode]},
                "message": TEXT,
                "request_id": TEXT,
            },
            "required": ["code", "message", "request_id"],
            "additionalProperties": False,
        }
    },
)
_SIGNED: Final = "sigv4"


@cache
def openapi_document() -> bytes:
    """Return the document as JSON."""
    document = {
        "openapi": "3.1.1",
        "info": {
            "title": "Valetkey's admin API",
            "version": __version__,
            "description": "Accounts, users, access keys and policies. Every request is signed in its headers by "
            "SigV4 for the service s3, with the SHA-256 of its body in x-amz-content-sha256.",
        },
        # Relative to where the document is, so that it holds behind a proxy too.
        "servers": [{"url": "."}],
        "security": [{_SIGNED: []}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                _SIGNED: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "AWS Signature Version 4, by lasting credentials or those of a role.",
                }
            },
        },
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def _paths() -> Schema:
    paths: dict[str, dict[str, object]] = {}
    for route in ROUTES:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route)
    return paths


def _schemas() -> Schema:
    shapes = (_ERROR, *(shape for route in ROUTES for shape in route.gives))
    return {each.name: each.to_schema() for shape in shapes for each in shape.all()}


def _operation(route: Route) -> Schema:
    in_path = [
        {"name": name, "in": "path", "required": True, "description": NAMES[name], "schema": TEXT}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    in_query = [_parameter(member) for member in route.asks]
    media = "application/x-ndjson" if route.takes_lines else "application/json"
    body = {"requestBody": _body(route.takes, media)} if route.takes else {}
    return {
        "operationId": route.run.__name__,
        "summary": route.summary,
        "parameters": [*in_path, *in_query],
        **body,
        "responses": {
            "200": {"description": "Done.", "content": _content(reference(*route.gives), media)},
            "default": {"description": "Refused.", "content": _content(reference(_ERROR))},
        },
    }


def _parameter(member: Member) -> Schema:
    return {
        "name": member.name,
        "in": "query",
        "required": member.is_required,
        "description": member.help,
        "schema": member.to_schema(),
    }


def _body(members: tuple[Member, ...], media: str) -> Schema:
    required = [member.name for member in members if member.is_required]
    schema = {
        "type": "object",
        "properties": {member.name: {**member.to_schema(), "description": member.help} for member in members},
        "required": required,
        "additionalProperties": False,
    }
    return {"required": bool(required), "content": _content(schema, media)}


def _content(schema: Schema, media: str = "application/json") -> Schema:
    """Return what is sent: an object, or of JSON lines what each of them is."""
    return {media: {"schema": schema}}
