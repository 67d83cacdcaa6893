"""Why requests were refused, to whom the key belongs that they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.console.explainer import Explainer
from valetkey.console.history import sight_of
from valetkey.explain.kept import KeptRequest
from valetkey.explain.paste import Paste
from valetkey.explain.wire import report_json
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import Form
from valetkey.gateway.iam.values import instant

_MOST_LISTED: Final = 1000
_DEFAULT_LISTED: Final = 100
_MOST_LINES: Final = 100
MOST_CHARS: Final = 64 * 1024


async def list_refusals(call: AdminCall) -> Json:
    """Return the refused requests that are kept, the newest first."""
    limit = Form(call.query).number("limit", least=1, most=_MOST_LISTED) or _DEFAULT_LISTED
    seen = _explainer(call).refused.list(sight_of(call))
    return {"refusals": [shown(kept) for kept in seen[:limit]]}


async def explain_refusal(call: AdminCall) -> Json:
    """Return why the request with this id, or the `last` one, was refused."""
    explainer = _explainer(call)
    kept = explainer.refused.find(call.names["refusal"], sight_of(call))
    if kept is None:
        raise IamError(IamCode.NO_SUCH_ENTITY, "No such refused request is kept, or none of a key of yours.")
    report = await explainer.explain_kept(kept)
    return {"refusal": shown(kept), "explanation": report_json(report)}


async def explain_text(call: AdminCall) -> Json:
    """Return the explanation of a text: a URL, a command, a request, a form, an error."""
    explainer, sight = _explainer(call), sight_of(call)
    text = str(call.body["text"])
    paste = _with_more(await explainer.read(text), call)
    if paste.sent is None and paste.form is None and paste.fault is None:
        raise IamError(IamCode.VALIDATION_ERROR, "There is no URL, request, form or S3 error in the text.")
    now = datetime.fromtimestamp(call.iam.now_ms / 1000, UTC)
    report = await explainer.explain_paste(paste, sight, hosts=tuple(_lines(call, "hosts")), now=now)
    return {"explanation": report_json(report)}


def shown(kept: KeptRequest) -> dict[str, object]:
    """Return what the list shows of a refused request."""
    return {
        "request_id": kept.request_id,
        "time": instant(kept.at_ms),
        "code": kept.code,
        "access_key": kept.access_key,
        "user": kept.user or None,
        "method": kept.method,
        "path": kept.path,
    }


def _with_more(paste: Paste, call: AdminCall) -> Paste:
    sent, method = paste.sent, call.body.get("method")
    if sent is None:
        return paste
    if isinstance(method, str):
        sent = replace(sent, method=method)
    for line in _lines(call, "headers"):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if colon and name.lower() == "host":
            sent = replace(sent, host=value.lower())
        elif colon and name:
            sent = sent.with_header(name, value)
    digest = call.body.get("body_sha256")
    if isinstance(digest, str):
        sent = replace(sent, body_sha256=digest.lower())
    return replace(paste, sent=sent)


def _lines(call: AdminCall, name: str) -> Sequence[str]:
    found = call.body.get(name)
    if not isinstance(found, list):
        return ()
    return [each for each in found[:_MOST_LINES] if isinstance(each, str)]


def _explainer(call: AdminCall) -> Explainer:
    assert call.explainer is not None  # the server makes one
    return call.explainer
