"""The admin API's answer where the fault is ours."""

from __future__ import annotations

import json

from valetkey.console.admin_api import render_fault


def test_a_fault_of_ours_is_told_as_a_refusal_is_and_says_no_more() -> None:
    answer = render_fault(request_id="R1")
    assert isinstance(answer.body, bytes)
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"], error["request_id"]) == (500, "ServiceFailure", "R1")
    assert answer.error_code == "ServiceFailure"
    assert answer.content_length == len(answer.body)
