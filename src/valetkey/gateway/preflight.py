"""OPTIONS: what a browser asks before it sends a request from another origin. Never authenticated.

Source: Amazon S3 Developer Guide, "OPTIONS object", and what S3 was seen to answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from valetkey.gateway.call import Answer, Rules
from valetkey.gateway.cors import cross_origin, find_bucket, rules_for
from valetkey.gateway.operations.answers import empty
from valetkey.s3.codes import Code
from valetkey.s3.cors import matching_rule
from valetkey.s3.errors import S3Error
from valetkey.s3.target import Target
from valetkey.store.store import Store


def answer_preflight(target: Target, headers: Mapping[str, str], *, store: Store, rules: Rules) -> Answer:
    """Return the answer that lets the browser go on. The headers that say so are those of every answer.

    Neither the object nor, where the server has rules of its own, the bucket need be there: the request itself
    is then refused, in words that the page can read.

    Raises:
        S3Error: BadRequest, where the question is incomplete; AccessForbidden, where no rule allows it.
    """
    if "origin" not in headers:
        raise S3Error(Code.BAD_REQUEST, "Insufficient information. Origin request header needed.")
    asked = headers.get("access-control-request-method", "OPTIONS")
    bucket = find_bucket(store, target.bucket)
    found = rules_for(bucket, rules)
    if not found:
        reason = "Bucket not found" if bucket is None else "CORS is not enabled for this bucket."
        details = {"Method": asked, "ResourceType": "BUCKET"}
        raise S3Error(Code.ACCESS_FORBIDDEN, f"CORSResponse: {reason}", details)
    if "access-control-request-method" not in headers:
        raise S3Error(Code.BAD_REQUEST, "Invalid Access-Control-Request-Method: null")
    if matching_rule(found, cross_origin("OPTIONS", headers)) is None:
        resource_type = "BUCKET" if target.key is None else "OBJECT"
        raise S3Error(Code.ACCESS_FORBIDDEN, None, {"Method": asked, "ResourceType": resource_type})
    return empty()
