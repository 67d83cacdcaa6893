"""Changes of the query: what was added, taken out or spelled anew after signing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Final

from valetkey.explain.causes import Cause
from valetkey.explain.change import Change, Hints, Part
from valetkey.explain.sent import joined_query, piece_name
from valetkey.explain.trial import Kind, Trial
from valetkey.sigv4 import parameters
from valetkey.sigv4.encoding import decode_component, encode_component

_LIFETIMES: Final = (
    60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3599, 3600, 7200, 10800, 14400, 18000, 21600, 28800, 36000,
    43200, 86399, 86400, 172800, 259200, 345600, 432000, 518400, 604799, 604800,
)  # fmt: skip
_MOST_EXTRAS: Final = 8
_TOKENS: Final = frozenset(("x-amz-security-token",))


def extra_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield the query without each parameter that may have been added, and without several of them."""
    pieces = trial.query.split(b"&")
    extras = [piece for piece in pieces if piece and not _is_own(piece)]
    for piece in extras:
        yield _without((piece,))
    some = extras[-_MOST_EXTRAS:]
    if len(some) > 1:
        yield _without(tuple(extras))
        for size in range(2, len(some)):
            for chosen in combinations(some, size):
                yield _without(chosen)


def _is_own(piece: bytes) -> bool:
    return piece_name(piece) in parameters.ALL or piece_name(piece) in {"AWSAccessKeyId", "Expires"}


def _without(pieces: tuple[bytes, ...]) -> Change:
    names = ", ".join(dict.fromkeys(piece_name(piece) for piece in pieces))
    taken = frozenset(pieces)
    return Change(
        cause=Cause.EXTRA_PARAMETER,
        part=Part.QUERY,
        detail=f"It was signed without: {names}.",
        apply=lambda trial: replace(
            trial, query=joined_query([each for each in trial.query.split(b"&") if each not in taken])
        ),
    )


def missing_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield the query with parameters that SDKs write and some programs drop."""
    operations = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
    names = {piece_name(piece) for piece in trial.query.split(b"&")}
    extra = [
        ("x-id", operations.get(trial.method, "")),
        ("x-amz-checksum-mode", "ENABLED"),
        ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
    ]
    wanted = [(name, value) for name, value in extra if name not in names and value]
    if trial.kind is not Kind.QUERY_V4:
        return
    for size in (1, 2, 3):
        for chosen in combinations(wanted, size):
            added = "&".join(f"{name}={encode_component(value)}" for name, value in chosen).encode()
            yield _query_change(
                Cause.MISSING_PARAMETER,
                f"It was signed with {', '.join(name for name, _ in chosen)}, which is missing.",
                lambda query, added=added: query + b"&" + added,  # type: ignore[misc]
            )


def token_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield the query without the session token."""
    if any(piece_name(piece).lower() in _TOKENS for piece in trial.query.split(b"&")):
        yield _query_change(
            Cause.TOKEN_UNSIGNED,
            "It was signed without the session token.",
            lambda query: joined_query(
                [each for each in query.split(b"&") if piece_name(each).lower() not in _TOKENS]
            ),
        )


def lifetime_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield other lifetimes that people give."""
    for seconds in _LIFETIMES if trial.kind is Kind.QUERY_V4 else ():
        yield _query_change(
            Cause.LIFETIME_CHANGED,
            f"It was signed for {seconds} seconds.",
            _with_value(parameters.EXPIRES, str(seconds)),
        )


def date_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield the day of the credential and the date brought into line with each other."""
    if not trial.is_v4 or trial.amz_date[:8] == trial.day or not trial.day:
        return
    day = trial.amz_date[:8]
    yield Change(
        cause=Cause.SCOPE_DATE,
        part=Part.SCOPE,
        detail=f"It was signed for {day}, the day of X-Amz-Date.",
        apply=lambda each: replace(each, day=day),
    )
    date = trial.day + trial.amz_date[8:]
    yield Change(
        cause=Cause.DATE_CHANGED,
        part=Part.SCOPE,
        detail=f"It was signed at {date}.",
        apply=lambda each: replace(each, amz_date=date, query=_with_value(parameters.DATE, date)(each.query)),
    )


def query_encoding_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield the same query in other spellings."""
    seen = {trial.query}
    for detail, spell in _SPELLINGS:
        spelled = spell(trial.query)
        if spelled not in seen:
            seen.add(spelled)
            yield _query_change(Cause.QUERY_ENCODING, detail, spell)
    for piece in trial.query.split(b"&"):
        name, equals, value = piece.partition(b"=")
        if b"%" in value and not _is_own(piece):
            once = name + equals + _encoded(decode_component(decode_component(value)))
            yield _query_change(
                Cause.QUERY_ENCODING,
                f"{piece_name(piece)} was signed encoded once, and sent encoded twice.",
                lambda query, piece=piece, once=once: query.replace(piece, once),  # type: ignore[misc]
            )


def _query_change(cause: Cause, detail: str, spell: Callable[[bytes], bytes]) -> Change:
    return Change(
        cause=cause,
        part=Part.QUERY,
        detail=detail,
        apply=lambda trial: replace(trial, query=spell(trial.query)),
    )


def _with_value(name: str, value: str) -> Callable[[bytes], bytes]:
    own = name.encode() + b"="

    def spell(query: bytes) -> bytes:
        return b"&".join(
            own + value.encode() if piece.startswith(own) else piece for piece in query.split(b"&")
        )

    return spell


def _encoded(value: bytes) -> bytes:
    return encode_component(value.decode("utf-8", "replace")).encode()


def _each_value(spell: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def whole(query: bytes) -> bytes:
        pieces = [piece.partition(b"=") for piece in query.split(b"&")]
        return b"&".join(name + equals + spell(value) for name, equals, value in pieces)

    return whole


_SPELLINGS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    (
        "The values were signed with each character encoded that is not unreserved.",
        _each_value(lambda value: _encoded(decode_component(value))),
    ),
    (
        "The values were signed with %2B, and sent with +.",
        _each_value(lambda value: value.replace(b"+", b"%2B")),
    ),
    (
        "The values were signed with upper-case escapes.",
        _each_value(lambda value: re.sub(rb"%[0-9a-fA-F]{2}", lambda found: found[0].upper(), value)),
    ),
    (
        "The values were signed with lower-case escapes.",
        _each_value(lambda value: re.sub(rb"%[0-9A-F]{2}", lambda found: found[0].lower(), value)),
    ),
    (
        "The values were signed encoded once more.",
        _each_value(lambda value: value.replace(b"%", b"%25")),
    ),
    (
        "The query was signed without its empty values.",
        lambda query: re.sub(rb"&[^&=]+=?(?=&|$)", b"", query),
    ),
)
