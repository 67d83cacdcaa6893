"""What pages of other origins may have of an answer, by the bucket's rules or else by the server's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from valetkey.gateway.call import Answer, Rules
from valetkey.s3.cors import (
    CorsRules,
    CrossOriginRequest,
    answer_headers,
    matching_rule,
    requested_headers,
)
from valetkey.s3.xml.cors import parse_cors
from valetkey.store.errors import NoSuchBucketError
from valetkey.store.model import Bucket
from valetkey.store.store import Store


def find_bucket(store: Store, name: str | None) -> Bucket | None:
    """Return the bucket of that name, or None if there is none."""
    if name is None:
        return None
    try:
        return store.buckets.find(name)
    except NoSuchBucketError:
        return None


def cors_of(bucket: Bucket) -> CorsRules | None:
    """Return the rules that a bucket was given, or None if it was given none."""
    text = bucket.settings.get("cors")
    return None if text is None else _cors(text)


@lru_cache(maxsize=256)
def _cors(text: str) -> CorsRules:
    return parse_cors(text.encode())


def rules_for(bucket: Bucket | None, rules: Rules) -> CorsRules:
    """Return the rules that count for a bucket: its own displace the server's."""
    own = None if bucket is None else cors_of(bucket)
    return rules.cors if own is None else own


def cross_origin(method: str, headers: Mapping[str, str]) -> CrossOriginRequest:
    """Return what `headers`, among which is `Origin`, say of a request with this method."""
    return CrossOriginRequest(
        origin=headers["origin"],
        # S3 goes by this header where an actual request has it, too.
        method=headers.get("access-control-request-method") or method,
        headers=requested_headers(headers.get("access-control-request-headers", "")),
    )


def add_cors_headers(
    answer: Answer,
    method: str,
    headers: Mapping[str, str],
    *,
    bucket: str | None,
    store: Store,
    rules: Rules,
) -> None:
    """Let the page that made the request have the answer, be it a refusal, if its origin may.

    `headers` are those of the request and hold `Origin`. `bucket` is what the request was about; None: nobody looked.
    """
    asked = cross_origin(method, headers)
    rule = matching_rule(rules_for(find_bucket(store, bucket), rules), asked)
    if rule is not None:
        found = answer_headers(rule, asked)
        answer.headers += [(name.encode(), value.encode()) for name, value in found.items()]
