"""Which other origins' pages may use a bucket from a browser, and the headers that tell the browser so.

Source: Amazon S3 User Guide, "Using cross-origin resource sharing (CORS)", and what S3 was seen to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

METHODS: Final = ("GET", "PUT", "HEAD", "POST", "DELETE")
"""The methods that a rule may allow."""

_VARY: Final = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

_DEFAULT_MAX_AGE_S: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class CorsRule:
    """Pages of some origins may do some things. Origins and request headers may hold one `*` each."""

    origins: tuple[str, ...]
    """Compared with the case that they have."""
    methods: tuple[str, ...]
    allowed_headers: tuple[str, ...] = ()
    """Request headers that a page may set, compared without case."""
    exposed_headers: tuple[str, ...] = ()
    """Headers of the answer that a page may read beside those that every page may."""
    max_age_s: int | None = None
    """How long a browser may go on without asking again."""
    rule_id: str | None = None
    with_credentials: bool = True
    """Whether a page may send cookies, where its origin is named other than by `*` alone."""


CorsRules = tuple[CorsRule, ...]
"""In order: the first that matches counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossOriginRequest:
    """What a browser says of a request that a page of another origin makes, or is about to make."""

    origin: str
    method: str
    headers: tuple[str, ...]
    """Names in lower case, as `Access-Control-Request-Headers` asks for them."""


def default_rules(origins: Sequence[str]) -> CorsRules:
    """Return the rules for buckets that have none of their own; without `origins` there are none.

    Pages may do all that a presigned URL can do, and read all headers of the answer, but send no cookies: what
    opens an object here is a signature, never who the browser thinks it is.
    """
    if not origins:
        return ()
    rule = CorsRule(
        origins=tuple(origins),
        methods=METHODS,
        allowed_headers=("*",),
        exposed_headers=("*",),
        max_age_s=_DEFAULT_MAX_AGE_S,
        with_credentials=False,
    )
    return (rule,)


def requested_headers(text: str) -> tuple[str, ...]:
    """Return the names that an `Access-Control-Request-Headers` lists, in lower case and in its order."""
    return tuple(name for piece in text.split(",") if (name := piece.strip().lower()))


def matching_rule(rules: CorsRules, request: CrossOriginRequest) -> CorsRule | None:
    """Return the first rule that allows the origin, the method and every header, or None if none does."""
    return next((rule for rule in rules if _allows(rule, request)), None)


def _allows(rule: CorsRule, request: CrossOriginRequest) -> bool:
    return (
        request.method in rule.methods
        and _matching_origin(rule, request.origin) is not None
        and all(_allows_header(rule, name) for name in request.headers)
    )


def _matching_origin(rule: CorsRule, origin: str) -> str | None:
    return next((pattern for pattern in rule.origins if _matches(pattern, origin)), None)


def _allows_header(rule: CorsRule, name: str) -> bool:
    return any(_matches(pattern.lower(), name) for pattern in rule.allowed_headers)


def _matches(pattern: str, text: str) -> bool:
    """Tell whether `text` is `pattern`, in which one `*` stands for any characters, and for none."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(before) + len(after) and text.startswith(before) and text.endswith(after)


def answer_headers(rule: CorsRule, request: CrossOriginRequest) -> dict[str, str]:
    """Return the headers that let the page have the answer. `rule` is the one that matches."""
    is_open = _matching_origin(rule, request.origin) == "*"
    headers = {
        "access-control-allow-origin": "*" if is_open else request.origin,
        "access-control-allow-methods": ", ".join(rule.methods),
    }
    if request.headers:
        headers["access-control-allow-headers"] = ", ".join(request.headers)
    if rule.exposed_headers:
        headers["access-control-expose-headers"] = ", ".join(rule.exposed_headers)
    if rule.max_age_s is not None:
        headers["access-control-max-age"] = str(rule.max_age_s)
    if rule.with_credentials and not is_open:
        headers["access-control-allow-credentials"] = "true"
    return headers | {"vary": _VARY}
