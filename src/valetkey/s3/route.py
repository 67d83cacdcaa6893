"""From a request to the one operation that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.operations import OPERATIONS, RESOURCE_TYPES, Level, Operation
from valetkey.s3.target import Target

_QUERY_NOT_IMPLEMENTED: Final = (
    "A header or query you provided requested functionality that is not implemented."
)


class _Place:
    """The operations of one level, as routing asks for them."""

    def __init__(self, level: Level) -> None:
        self.level = level
        rows: dict[tuple[str, str | None], list[Operation]] = {}
        for operation in OPERATIONS:
            if operation.level is level:
                rows.setdefault((operation.method, operation.subresource), []).append(operation)
        # Whoever asks for most comes first: CopyObject before PutObject.
        self.rows: Final = {
            place: tuple(sorted(found, key=_demands, reverse=True)) for place, found in rows.items()
        }
        # A part's number alone selects nothing: on a GET it asks for a part of the object.
        self.subresources: Final = frozenset(sub for _, sub in rows if sub is not None) - {"partNumber"}


def _demands(operation: Operation) -> int:
    return len(operation.queries) + (operation.header is not None)


_SERVICE: Final = _Place(Level.SERVICE)
_BUCKET: Final = _Place(Level.BUCKET)
_OBJECT: Final = _Place(Level.OBJECT)
_ACCOUNT: Final = _Place(Level.ACCOUNT)


_READS: Final = frozenset({"GET", "HEAD"})
_SUBRESOURCES: Final = _BUCKET.subresources | _OBJECT.subresources


def find_operation(
    method: str, target: Target, query: Mapping[str, str], headers: Mapping[str, str]
) -> Operation:
    """Return the operation that a request asks for; it is one that is implemented.

    `query` is decoded, `headers` have lower-case names and hold those that a presigned query stands in for.
    Query parameters that are no sub-resource (`response-…`, `X-Amz-…`, `x-id`, unknown ones) select nothing.

    Raises:
        S3Error: NotImplemented, for an operation of S3 that is not implemented here; MethodNotAllowed, where
            the method has no meaning; InvalidArgument, for two sub-resources at once or a part number without
            an upload.
    """
    place = _place_of(target)
    subresource = None
    if not place.subresources.isdisjoint(query):
        subresource = _subresource(place, query)
    elif method not in _READS:
        _refuse_misplaced(method, place, query)
    for operation in place.rows.get((method, subresource), ()):
        if _is_asked_for(operation, query, headers):
            if not operation.implemented:
                _refuse_unimplemented(operation)
            if method == "PUT" and subresource is None and "partNumber" in query and place is _OBJECT:
                raise invalid_argument(
                    "This operation does not accept partNumber without uploadId",
                    "partNumber",
                    query["partNumber"],
                )
            return operation
    return _refuse_method(method, place, subresource)


def _place_of(target: Target) -> _Place:
    if target.key is not None:
        return _OBJECT
    if target.bucket is not None:
        return _BUCKET
    return _ACCOUNT if target.is_account else _SERVICE


def _refuse_misplaced(method: str, place: _Place, query: Mapping[str, str]) -> None:
    # `PUT /bucket/key?lifecycle` means to set up a bucket, and would put the document in place of an object.
    for name in sorted(_SUBRESOURCES.intersection(query)):
        if not query[name]:
            details = {"Method": method, "ResourceType": _resource_type(place.level, name)}
            raise S3Error(Code.METHOD_NOT_ALLOWED, None, details)


def _subresource(place: _Place, query: Mapping[str, str]) -> str:
    found = sorted(place.subresources.intersection(query))
    if len(found) > 1:
        raise invalid_argument(
            f"Conflicting query string parameters: {', '.join(found)}", "ResourceType", found[0]
        )
    if found[0] == "uploadId" and "partNumber" in query:
        return "partNumber"
    return found[0]


def _is_asked_for(operation: Operation, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    if operation.header is not None and operation.header not in headers:
        return False
    for name in operation.queries:
        if name not in query or (name == "list-type" and query[name] != "2"):
            return False
    return True


def _resource_type(level: Level, subresource: str | None) -> str:
    if subresource is None:
        return level.value
    return RESOURCE_TYPES.get((level, subresource), subresource.upper())


def _refuse_unimplemented(operation: Operation) -> NoReturn:
    if operation.header is not None:
        raise S3Error(Code.NOT_IMPLEMENTED, None, {"Header": operation.header})
    details = {
        "Method": operation.method,
        "ResourceType": _resource_type(operation.level, operation.subresource),
    }
    raise S3Error(Code.NOT_IMPLEMENTED, _QUERY_NOT_IMPLEMENTED, details)


def _refuse_method(method: str, place: _Place, subresource: str | None) -> NoReturn:
    details = {"Method": method, "ResourceType": _resource_type(place.level, subresource)}
    # `Allow` names what this server does, so not what it would answer with NotImplemented.
    allowed = sorted(
        name
        for (name, sub), found in place.rows.items()
        if sub == subresource and any(row.implemented for row in found)
    )
    if not allowed:
        raise S3Error(Code.NOT_IMPLEMENTED, _QUERY_NOT_IMPLEMENTED, details)
    raise S3Error(Code.METHOD_NOT_ALLOWED, None, details, {"allow": ", ".join(allowed)})
