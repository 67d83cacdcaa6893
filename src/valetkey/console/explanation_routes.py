"""The operations of the admin API that say why requests were refused."""

from __future__ import annotations

from typing import Final

from valetkey.console import explanations
from valetkey.console.call import ACCOUNT, LIMIT
from valetkey.console.route import Route
from valetkey.console.schema import (
    ANY_OBJECT,
    FLAG,
    INSTANT,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    Member,
    Schema,
    Shape,
    reference,
)
from valetkey.gateway.iam.form import Kind


def _several(shape: Shape) -> Schema:
    return {"type": "array", "items": reference(shape)}


_REFUSAL: Final = Shape(
    "Refusal",
    {
        "request_id": TEXT,
        "time": INSTANT,
        "code": TEXT,
        "access_key": TEXT,
        "user": TEXT_OR_NULL,
        "method": TEXT,
        "path": TEXT,
    },
)
_FINDING: Final = Shape(
    "Finding", {"cause": TEXT, "title": TEXT, "detail": TEXT, "advice": TEXT, "is_note": FLAG}
)
_ROW: Final = Shape("CanonicalRow", {"received": TEXT_OR_NULL, "signed": TEXT_OR_NULL, "differs": FLAG})
_EXPLANATION: Final = Shape(
    "Explanation",
    {
        "ok": FLAG,
        "signature": TEXT,
        "request": ANY_OBJECT,
        "findings": _several(_FINDING),
        "canonical_requests": _several(_ROW),
        "server": {"type": ["object", "null"]},
    },
    within=(_FINDING, _ROW),
)
_REFUSALS: Final = Shape("Refusals", {"refusals": _several(_REFUSAL)}, within=(_REFUSAL,))
_EXPLAINED: Final = Shape("Explained", {"explanation": reference(_EXPLANATION)}, within=(_EXPLANATION,))
_REFUSAL_EXPLAINED: Final = Shape(
    "RefusalExplained",
    {"refusal": reference(_REFUSAL), "explanation": reference(_EXPLANATION)},
    within=(_REFUSAL, _EXPLANATION),
)

EXPLANATIONS: Final = (
    Route(
        "GET",
        "refusals",
        explanations.list_refusals,
        "List refused requests of the caller's keys, the newest first.",
        gives=(_REFUSALS,),
        asks=(ACCOUNT, LIMIT),
    ),
    Route(
        "GET",
        "refusals/{refusal}",
        explanations.explain_refusal,
        "Explain why a request was refused.",
        gives=(_REFUSAL_EXPLAINED,),
        asks=(ACCOUNT,),
    ),
    Route(
        "POST",
        "explain",
        explanations.explain_text,
        "Explain a URL, command, request, form or S3 error; its signature is checked if its key is the caller's.",
        gives=(_EXPLAINED,),
        asks=(ACCOUNT,),
        takes=(
            Member(
                name="text",
                help="What is to be explained.",
                kind=Kind(most=explanations.MOST_CHARS),
                is_required=True,
            ),
            Member(name="method", help="The method that was used.", kind=Kind(pattern="[A-Z]+", most=10)),
            Member(name="headers", help="What else was sent, each as `Name: value`.", schema=TEXTS),
            Member(name="hosts", help="Hosts that it may be signed for.", schema=TEXTS),
            Member(
                name="body_sha256",
                help="The SHA-256 of the body that was sent, in hex.",
                kind=Kind(pattern="[0-9a-fA-F]{64}", most=64),
            ),
        ),
    ),
)
