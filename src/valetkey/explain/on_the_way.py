"""What the server says to have seen, against what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from valetkey.explain.causes import Cause, Finding
from valetkey.explain.change import Change, Part
from valetkey.explain.fault import SeenRequest, ServerFault, read_canonical
from valetkey.explain.sent import Sent, joined_query, piece_name, split_port
from valetkey.explain.trial import Trial
from valetkey.sigv4 import parameters
from valetkey.sigv4.encoding import canonical_path

_REDACTED = b"REDACTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as the server saw it, and how to go back to what was sent."""

    sent: Sent
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()


def as_seen(sent: Sent | None, fault: ServerFault | None) -> Seen | None:
    """Return the request as the error's canonical request has it, or None where it has none."""
    text = None if fault is None else fault.canonical_request
    seen = None if text is None else read_canonical(text)
    if fault is None or seen is None:
        return None
    received = _request(seen, fault, sent)
    if sent is None:
        return Seen(sent=received)
    differences = list(_differences(sent, received))
    return Seen(
        sent=received,
        findings=tuple(Finding(cause=each.cause, detail=each.detail, is_note=True) for each in differences),
        changes=tuple(differences),
    )


def _request(seen: SeenRequest, fault: ServerFault, sent: Sent | None) -> Sent:
    host = b",".join(value for name, value in seen.headers if name == b"host").decode("utf-8", "replace")
    headers = tuple(each for each in seen.headers if each[0] != b"host")
    signature = fault.elements.get("SignatureProvided", "")
    if sent is not None and not signature:
        signature = sent.values().get(parameters.SIGNATURE, "")
    query = _with_tokens(seen.query, sent)
    if (parameters.CREDENTIAL + "=").encode() in query:
        query += b"&X-Amz-Signature=" + signature.encode("utf-8", "replace")
    else:
        headers = (*headers, (b"authorization", _authorization(seen, fault, signature)))
    if not any(name == b"x-amz-content-sha256" for name, _ in headers):
        headers = (*headers, (b"x-amz-content-sha256", seen.payload_line))
    unsigned = () if sent is None else _unsigned(sent, seen)
    return Sent(
        method=seen.method,
        host=host,
        raw_path=seen.path,
        raw_query=query,
        headers=(*headers, *unsigned),
        scheme="https" if sent is None else sent.scheme,
    )


def _authorization(seen: SeenRequest, fault: ServerFault, signature: str) -> bytes:
    lines = fault.elements.get("StringToSign", "").split("\n")
    scope = lines[2] if len(lines) > 2 else ""
    names = seen.signed_headers.decode("utf-8", "replace")
    key = fault.elements.get("AWSAccessKeyId", "")
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}".encode()


def _unsigned(sent: Sent, seen: SeenRequest) -> tuple[tuple[bytes, bytes], ...]:
    names = set(seen.signed_headers.split(b";"))
    return tuple(each for each in sent.headers if each[0] not in names and each[0] != b"authorization")


def _with_tokens(query: bytes, sent: Sent | None) -> bytes:
    """Return the query with the tokens that a server of ours leaves out."""
    if sent is None or _REDACTED not in query:
        return query
    ours = {piece_name(piece): piece for piece in sent.raw_query.split(b"&")}
    pieces = [
        ours.get(piece_name(piece), piece) if piece.endswith(b"=" + _REDACTED) else piece
        for piece in query.split(b"&")
    ]
    return b"&".join(pieces)


def _differences(sent: Sent, received: Sent) -> Iterator[Change]:
    if sent.method is not None and sent.method != received.method:
        yield _change(
            Cause.METHOD, Part.METHOD, f"Sent with {sent.method}, received with {received.method}.", sent
        )
    if sent.host and sent.host != received.host:
        is_port = split_port(sent.host)[0] == split_port(received.host)[0]
        detail = f"Sent to the host {sent.host}, received with the Host {received.host}."
        yield _change(Cause.PORT if is_port else Cause.HOST, Part.HOST, detail, sent)
    if canonical_path(sent.raw_path) != received.raw_path:
        yield _path_difference(sent, received)
    yield from _query_differences(sent, received)
    for name, value in sent.headers:
        other = received.header(name.decode("utf-8", "replace"))
        if other is not None and other.encode("utf-8", "replace") != value and name != b"authorization":
            shown = name.decode("utf-8", "replace")
            cause = Cause.CONTENT_TYPE if name == b"content-type" else Cause.HEADER_CHANGED
            yield _change(cause, Part.HEADERS, f"The header {shown} was changed on the way.", sent)


def _path_difference(sent: Sent, received: Sent) -> Change:
    ours, theirs = canonical_path(sent.raw_path), received.raw_path
    is_prefix = ours.endswith(theirs) or theirs.endswith(ours)
    shown = [path.decode("utf-8", "replace") for path in (ours, theirs)]
    detail = f"Sent with the path {shown[0]}, received with {shown[1]}."
    return _change(Cause.PATH_PREFIX if is_prefix else Cause.KEY_ENCODING, Part.PATH, detail, sent)


def _query_differences(sent: Sent, received: Sent) -> Iterator[Change]:
    def pairs(each: Sent) -> dict[bytes, bytes]:
        return {name: value for name, value in each.pairs() if name != parameters.SIGNATURE.encode()}

    ours, theirs = pairs(sent), pairs(received)
    added = sorted(theirs.keys() - ours.keys())
    lost = sorted(ours.keys() - theirs.keys())
    changed = sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name])
    for cause, names, words in (
        (Cause.EXTRA_PARAMETER, added, "Added on the way"),
        (Cause.MISSING_PARAMETER, lost, "Lost on the way"),
        (Cause.QUERY_ENCODING, changed, "Changed on the way"),
    ):
        if names:
            shown = ", ".join(name.decode("utf-8", "replace") for name in names)
            yield _change(cause, Part.QUERY, f"{words}: {shown}.", sent)


def _change(cause: Cause, part: Part, detail: str, sent: Sent) -> Change:
    def apply(trial: Trial) -> Trial:
        match part:
            case Part.METHOD:
                return replace(trial, method=sent.verb)
            case Part.HOST:
                return replace(trial, host=sent.host.encode("utf-8", "replace"))
            case Part.PATH:
                return replace(trial, path=sent.raw_path)
            case Part.QUERY:
                own = parameters.SIGNATURE + "="
                pieces = [p for p in sent.raw_query.split(b"&") if not p.startswith(own.encode())]
                return replace(trial, query=joined_query(pieces))
            case _:
                return replace(trial, headers=sent.headers)

    return Change(cause=cause, part=part, detail=detail, apply=apply)
