"""Undoing what programs do to the path and query of a URL, where it shows without the secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import unquote_to_bytes

from valetkey.explain.causes import Cause, Finding
from valetkey.explain.sent import Sent, joined_query, piece_name
from valetkey.sigv4 import parameters
from valetkey.sigv4.encoding import decode_text

_V2: Final = ("AWSAccessKeyId", "Signature", "Expires")
_SPELLINGS: Final = {name.lower(): name for name in parameters.ALL}
_V2_SPELLINGS: Final = {name.lower(): name for name in _V2}
_OWN: Final = parameters.ALL | frozenset(_V2)
_BASE64: Final = frozenset(("Signature", parameters.SECURITY_TOKEN, "x-amz-security-token"))
_MARK_IN_PATH: Final = re.compile(
    rb"(?:%3[Ff]|&)?((?:X-Amz-[A-Za-z]{1,30}|AWSAccessKeyId|Signature|Expires)(?:=|%3[Dd]).*)", re.DOTALL
)
_MARK: Final = re.compile(rb"(?:X-Amz-Algorithm|X-Amz-Credential|AWSAccessKeyId)", re.IGNORECASE)


def mend(sent: Sent) -> tuple[Sent, tuple[Finding, ...]]:
    """Return the request as it was before a program changed it, and what had to be undone."""
    findings: list[Finding] = []
    for step in _STEPS:
        sent, finding = step(sent)
        if finding is not None:
            findings.append(finding)
    return sent, tuple(findings)


def _fragment(sent: Sent) -> tuple[Sent, Finding | None]:
    if not sent.fragment:
        return sent, None
    rest = sent.fragment.encode("utf-8", "replace")
    if _MARK.search(rest) is None:
        return sent, Finding(cause=Cause.FRAGMENT, is_note=True)
    more, _, query = rest.partition(b"?")
    mended = replace(sent, raw_path=sent.raw_path + b"%23" + more, raw_query=query, fragment="")
    if not query:
        mended = replace(sent, raw_query=sent.raw_query + b"%23" + more, fragment="")
    return mended, Finding(
        cause=Cause.FRAGMENT, detail="The signature stands after the #, so the server never gets it."
    )


def _lost_question_mark(sent: Sent) -> tuple[Sent, Finding | None]:
    found = _MARK_IN_PATH.search(sent.raw_path)
    if sent.raw_query or found is None:
        return sent, None
    path, query = sent.raw_path[: found.start()], sent.raw_path[found.start(1) :]
    return replace(sent, raw_path=path or b"/", raw_query=query), Finding(
        cause=Cause.QUESTION_MARK, detail="The one before the parameters is missing, or encoded as %3F."
    )


def _question_mark(sent: Sent) -> tuple[Sent, Finding | None]:
    head, mark, tail = sent.raw_query.partition(b"?")
    if not mark:
        return sent, None
    if b"=" not in head and _MARK.match(tail):
        mended = replace(sent, raw_path=sent.raw_path + b"%3F" + head, raw_query=tail)
        return mended, Finding(cause=Cause.QUESTION_MARK, detail="The first belongs to the key.")
    if _MARK.match(tail) or _MARK.match(head):
        return replace(sent, raw_query=head + b"&" + tail), Finding(
            cause=Cause.QUESTION_MARK, detail="The second one joins parameters, where & belongs."
        )
    return sent, None


def _encoded_query(sent: Sent) -> tuple[Sent, Finding | None]:
    query = sent.raw_query
    if b"%3D" in query.upper() and b"=" not in query and _MARK.search(query):
        return replace(sent, raw_query=unquote_to_bytes(query)), Finding(
            cause=Cause.DOUBLE_ENCODED, detail="The whole query is percent-encoded, its & and = too."
        )
    return sent, None


def _double_encoded(sent: Sent) -> tuple[Sent, Finding | None]:
    values = sent.values()
    credential = values.get(parameters.CREDENTIAL, values.get("x-amz-credential", ""))
    headers = values.get(parameters.SIGNED_HEADERS, "")
    is_twice = "%2f" in credential.lower() or "%3b" in headers.lower()
    if not is_twice:
        return sent, None
    once = replace(
        sent, raw_query=sent.raw_query.replace(b"%25", b"%"), raw_path=sent.raw_path.replace(b"%25", b"%")
    )
    return once, Finding(
        cause=Cause.DOUBLE_ENCODED, detail="The / of the credential became %2F and then %252F."
    )


def _case(sent: Sent) -> tuple[Sent, Finding | None]:
    pieces, changed = [], []
    spellings = dict(_SPELLINGS)
    names = {piece_name(piece).lower() for piece in sent.raw_query.split(b"&")}
    if not names & {"x-amz-signature", "x-amz-credential"} and "awsaccesskeyid" in names:
        spellings |= _V2_SPELLINGS
    for piece in sent.raw_query.split(b"&"):
        name = piece_name(piece)
        right = spellings.get(name.lower(), name)
        # The JavaScript SDK and others write x-amz-content-sha256 and the token in lower case themselves.
        if right != name and right not in {parameters.CONTENT_SHA256, parameters.SECURITY_TOKEN}:
            changed.append(name)
            pieces.append(right.encode() + b"=" + piece.partition(b"=")[2])
        else:
            pieces.append(piece)
    if not changed:
        return sent, None
    return replace(sent, raw_query=joined_query(pieces)), Finding(
        cause=Cause.PARAMETER_CASE, detail=f"Changed: {', '.join(sorted(set(changed)))}."
    )


def _duplicates(sent: Sent) -> tuple[Sent, Finding | None]:
    seen: dict[str, bytes] = {}
    pieces: list[bytes] = []
    repeated: list[str] = []
    for piece in sent.raw_query.split(b"&"):
        name = piece_name(piece)
        if name in _OWN and name in seen:
            repeated.append(name)
            continue
        seen[name] = piece
        pieces.append(piece)
    if not repeated:
        return sent, None
    return replace(sent, raw_query=joined_query(pieces)), Finding(
        cause=Cause.DUPLICATE_PARAMETER, detail=f"More than once: {', '.join(sorted(set(repeated)))}."
    )


def _plus_lost(sent: Sent) -> tuple[Sent, Finding | None]:
    pieces, changed = [], []
    for piece in sent.raw_query.split(b"&"):
        name, value = piece_name(piece), piece.partition(b"=")[2]
        if name in _BASE64 and " " in decode_text(value).rstrip():
            changed.append(name)
            mended = value.replace(b"+", b"%2B").replace(b"%20", b"%2B").replace(b" ", b"%2B")
            pieces.append(name.encode() + b"=" + mended)
        else:
            pieces.append(piece)
    if not changed:
        return sent, None
    return replace(sent, raw_query=joined_query(pieces)), Finding(
        cause=Cause.PLUS_LOST, detail=f"In {' and '.join(changed)}: base64 knows + and no space."
    )


Step = Callable[[Sent], tuple[Sent, Finding | None]]

_STEPS: Final[tuple[Step, ...]] = (
    _fragment,
    _lost_question_mark,
    _question_mark,
    _encoded_query,
    _double_encoded,
    _case,
    _duplicates,
    _plus_lost,
)
