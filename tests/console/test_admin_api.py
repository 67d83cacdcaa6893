"""The admin API's answer where the fault is ours."""

from __future__ import annotations

import json
from typing import Any, cast

from valetkey.console.admin_api import AdminApi

NOTHING: Any = cast("Any", None)


def test_a_fault_of_ours_is_told_as_a_refusal_is_and_says_no_more() -> None:
    api = AdminApi(store=NOTHING, keys=NOTHING, rules=NOTHING, box=NOTHING, links=NOTHING)
    answer = api.fault(request_id="R1")
    assert isinstance(answer.body, bytes)
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"], error["request_id"]) == (500, "ServiceFailure", "R1")
    assert answer.error_code == "ServiceFailure"
    assert answer.content_length == len(answer.body)
