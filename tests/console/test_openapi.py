"""The OpenAPI document says all of the table of routes, and nothing that is not in it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from valetkey.console import link_members
from valetkey.console.openapi import openapi_document
from valetkey.console.route import Route
from valetkey.console.routes import NAMES, ROUTES, find_route
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.links import grant_form

DOCUMENT: Any = json.loads(openapi_document())

ROUTE_OF_A_LINK = next(route for route in ROUTES if (route.method, route.path) == ("POST", "links/{link}"))


def route_id(route: Route) -> str:
    return f"{route.method} {route.path}"


def refs_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(refs_of(each) for each in value.values()))
    return set().union(*(refs_of(each) for each in value)) if isinstance(value, list) else set()


def test_every_route_is_an_operation_and_every_operation_a_route() -> None:
    written = {
        f"{method.upper()} {path.removeprefix('/')}"
        for path, item in DOCUMENT["paths"].items()
        for method in item
    }
    assert written == {route_id(route) for route in ROUTES}


def test_each_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=route_id)
def test_an_operation_tells_what_its_route_takes(route: Route) -> None:
    operation = DOCUMENT["paths"][f"/{route.path}"][route.method.lower()]
    named = re.findall(r"\{(\w+)\}", route.path)
    places = {(each["in"], each["name"]) for each in operation["parameters"]}
    assert places == {("path", name) for name in named} | {("query", member.name) for member in route.asks}
    media = "application/x-ndjson" if route.takes_lines else "application/json"
    body = operation.get("requestBody", {"content": {media: {"schema": {"properties": {}}}}})
    members = body["content"][media]["schema"]["properties"]
    assert members.keys() == {member.name for member in route.takes}
    assert media in operation["responses"]["200"]["content"]
    assert all(each["description"] for each in [*operation["parameters"], *members.values()])
    assert operation["summary"].endswith(".")


def test_what_is_referred_to_is_there() -> None:
    there = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert refs_of(DOCUMENT) == there


def test_each_name_in_a_path_is_explained_once() -> None:
    assert {name for route in ROUTES for name in re.findall(r"\{(\w+)\}", route.path)} == NAMES.keys()


def test_a_shape_has_one_meaning() -> None:
    shapes: dict[str, object] = {}
    for shape in (each for route in ROUTES for given in route.gives for each in given.all()):
        assert shapes.setdefault(shape.name, shape.to_schema()) == shape.to_schema()


def test_a_grant_is_described_as_it_is_read() -> None:
    password = {"password"}
    assert {member.name for member in link_members.GRANT_OF_LINE} == grant_form._MEMBERS
    assert {member.name for member in link_members.GRANT} == grant_form._MEMBERS | password
    assert {member.name for member in link_members.ALTERABLE} == grant_form._ALTERABLE | password


def test_of_two_routes_that_fit_the_first_counts() -> None:
    assert find_route("POST", "links/bulk")[0].takes_lines
    assert find_route("POST", "links/bulk-not") == (ROUTE_OF_A_LINK, {"link": "bulk-not"})


def test_a_name_in_a_path_is_decoded_once() -> None:
    route, names = find_route("GET", "users/a%252Fb%2Fc")
    assert (route.path, names) == ("users/{user}", {"user": "a%2Fb/c"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "nothing", id="path"),
        pytest.param("PATCH", "users", id="method"),
        pytest.param("get", "users", id="method-in-lower-case"),
        pytest.param("GET", "users/", id="slash"),
        pytest.param("GET", "users//", id="empty-name"),
        pytest.param("GET", "users/a/b", id="deeper"),
        pytest.param("GET", "xusers", id="longer"),
        pytest.param("DELETE", "accounts", id="all-at-once"),
    ],
)
def test_what_is_no_route_is_refused(method: str, path: str) -> None:
    with pytest.raises(IamError) as caught:
        find_route(method, path)
    assert caught.value.code is IamCode.INVALID_ACTION
