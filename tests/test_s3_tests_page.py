"""What is said of the public compatibility suite is held against a run of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from s3_tests_page import PAGE, Page, Result, objections, read_page

TEXT = """
## The public compatibility suite

| Area | Markers | Names | Tests | Pass |
| --- | --- | --- | --- | --- |
| headers |  | `test_headers.py::…` | 1 | 1 |
| logging | `bucket_logging` |  | 7 | not run |
| copy | `copy`, `copies` | `test_object_…`, `…_copied` | 4 | 2 |
| object |  | `test_object_…` | 1 | 1 |

### They ask for too much

| Area | Tests | What it is |
| --- | --- | --- |
| copy | `test_object_all[…kms…]` (2 cases) | A `test_object_none` of its own |
| object | `test_object_gone` | It is no more |

## Error codes
"""


@pytest.fixture
def page() -> Page:
    return read_page(TEXT)


def result(name: str, area: str, outcome: str) -> Result:
    return Result(nodeid=f"s3tests/functional/test_s3.py::{name}", area=area, outcome=outcome, message="why")


AS_SAID = [
    result("test_object_all[a-kms-b]", "copy", "failed"),
    result("test_object_all[kms]", "copy", "skipped"),
    result("test_object_all[a-b]", "copy", "passed"),
    result("test_part_copied", "copy", "passed"),
]


@pytest.mark.parametrize(
    ("nodeid", "marks", "area"),
    [
        ("test_headers.py::test_object_a", (), "headers"),
        ("test_s3.py::test_object_a", ("copy",), "copy"),
        ("test_s3.py::test_part_copied", ("copies", "slow"), "copy"),
        ("test_s3.py::test_part_copied", (), None),
        ("test_s3.py::test_object_a", (), "object"),
        ("test_s3.py::test_object_a", ("copy", "bucket_logging"), "logging"),
        ("test_iam.py::test_part_copied", ("copy",), None),
    ],
)
def test_the_first_row_that_fits_is_the_area(
    page: Page, nodeid: str, marks: Sequence[str], area: str | None
) -> None:
    assert page.area_of(f"s3tests/functional/{nodeid}", marks) == area


def test_a_run_as_the_page_says_has_no_objections(page: Page) -> None:
    assert objections(page, AS_SAID, whole={"copy"}) == []


def test_a_failure_that_is_not_named_is_told(page: Page) -> None:
    results = [*AS_SAID[:3], result("test_part_copied", "copy", "failed")]
    assert objections(page, results, whole=()) == [
        "copy: test_part_copied failed, and is not named: why",
    ]


def test_a_name_whose_test_passes_is_told(page: Page) -> None:
    results = [result("test_object_all[kms]", "copy", "passed")]
    assert objections(page, results, whole=()) == ["copy: test_object_all[kms] passes, and is named"]


def test_a_name_counts_in_its_own_area_alone(page: Page) -> None:
    results = [result("test_object_gone", "copy", "failed")]
    assert objections(page, results, whole=()) == ["copy: test_object_gone failed, and is not named: why"]


def test_a_name_counts_in_whatever_module_its_area_is() -> None:
    text = TEXT.replace("| object | `test_object_gone`", "| headers | `test_date`")
    gone = Result(
        nodeid="s3tests/functional/test_headers.py::test_date",
        area="headers",
        outcome="failed",
        message="why",
    )
    assert objections(read_page(text), [gone], whole=()) == []


def test_a_name_that_no_test_has_is_told_after_a_whole_run(page: Page) -> None:
    results = [result("test_object_here", "object", "passed")]
    assert objections(page, results, whole={"object"}) == ["object: there is no test_object_gone"]
    assert objections(page, results, whole=()) == []


def test_counts_that_are_not_so_are_told_after_a_whole_run(page: Page) -> None:
    results = [*AS_SAID, result("test_part_copied", "copy", "passed")]
    assert objections(page, results, whole={"copy"}) == ["copy: 3 of 5 pass, not 2 of 4"]
    assert objections(page, results, whole=()) == []


def test_an_area_of_which_nothing_ran_is_told(page: Page) -> None:
    assert objections(page, AS_SAID, whole={"copy", "headers"}) == ["headers: 0 of 0 pass, not 1 of 1"]


def test_our_own_page_has_areas_and_names() -> None:
    page = read_page(PAGE.read_text("utf-8"))
    assert {"list_v1", "iam", "acl"} <= {area.name for area in page.areas}
    assert {known.area for known in page.known} <= {area.name for area in page.areas}
