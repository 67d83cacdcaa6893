from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import botocore.session
import pytest

from valetkey.gateway.operations import registry
from valetkey.s3.operations import OPERATIONS, RESOURCE_TYPES, Level, Operation
from valetkey.s3.target import ACCOUNT_PATH

LEFT_OUT = {
    "GetBucketLifecycle": "replaced by GetBucketLifecycleConfiguration",
    "GetBucketNotification": "replaced by GetBucketNotificationConfiguration",
    "PutBucketLifecycle": "replaced by PutBucketLifecycleConfiguration",
    "PutBucketNotification": "replaced by PutBucketNotificationConfiguration",
    "ListDirectoryBuckets": "lives on a host of its own",
    "WriteGetObjectResponse": "lives on a host of its own",
}


@cache
def _amazons_model(service: str = "s3") -> Any:
    """Amazon's own description of S3, as its SDK for Python carries it (untyped)."""
    return botocore.session.get_session().get_service_model(service)


OF_CONTROL = [operation for operation in OPERATIONS if operation.level is Level.ACCOUNT]
BY_NAME = {operation.name: operation for operation in OPERATIONS if operation.level is not Level.ACCOUNT}


def test_names_are_unique() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_implemented_are_those_that_the_server_offers() -> None:
    assert {operation.name for operation in OPERATIONS if operation.implemented} == registry.OPERATIONS.keys()


def test_table_holds_amazons_whole_model() -> None:
    assert {*_amazons_model().operation_names} - LEFT_OUT.keys() == BY_NAME.keys() - {"PostObject"}


@pytest.mark.parametrize("name", sorted(BY_NAME.keys() - {"PostObject"}))
def test_row_agrees_with_amazons_model(name: str) -> None:
    operation, model = BY_NAME[name], _amazons_model().operation_model(name)
    path, _, query = model.http["requestUri"].partition("?")
    level = Level.OBJECT if "{Key+}" in path else Level.BUCKET if "{Bucket}" in path else Level.SERVICE
    assert (operation.method, operation.level) == (model.http["method"], level)
    named = {piece.partition("=")[0] for piece in query.split("&") if piece}
    assert named - {"select-type"} <= set(operation.queries)


@pytest.mark.parametrize("operation", OF_CONTROL, ids=lambda operation: operation.name)
def test_row_of_an_account_agrees_with_amazons_model(operation: Operation) -> None:
    model = _amazons_model("s3control").operation_model(operation.name.replace("Account", ""))
    assert (operation.method, ACCOUNT_PATH.decode()) == (model.http["method"], model.http["requestUri"])
    assert model.input_shape.members["AccountId"].serialization["name"] == operation.header


def test_no_two_operations_ask_for_the_same() -> None:
    asked = Counter((row.method, row.level, row.subresource, row.queries, row.header) for row in OPERATIONS)
    assert max(asked.values()) == 1


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_subresource_is_among_the_required_parameters(operation: Operation) -> None:
    assert operation.subresource is None or operation.subresource in operation.queries
    assert operation.action.startswith("s3:")


def test_resource_types_are_of_subresources_that_exist() -> None:
    places = {(row.level, row.subresource) for row in OPERATIONS}
    assert RESOURCE_TYPES.keys() <= places
