"""The printed commands are run as they are, by the shells and programs they are meant for."""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.fake_s3 import FakeS3

from valetkey.cli.errors import BadInputError
from valetkey.cli.recipes import Body, Errand, Form, body_of, has_dot_segments, render

CONTENT = "some text – and 🔑"
AWKWARD = 'it\'s a $HOME `x` "q" ; – file.txt'


def errand(
    method: str = "GET",
    *,
    url: str = "http://h/b/k?x=1&y=2",
    headers: Mapping[str, str] | None = None,
    body: Body = Body.NONE,
    save_as: str | None = None,
) -> Errand:
    return Errand(method=method, url=url, headers=headers or {}, body=body, file=AWKWARD, save_as=save_as)


def run(form: Form, printed: str, folder: Path) -> None:
    match form:
        case Form.CURL | Form.WGET:
            words = ["sh", "-c", printed]
        case Form.PYTHON:
            words = [sys.executable, "-c", printed]
        case _:
            words = [
                "node",
                "--input-type=module",
                "-e",
                f"const file = new Blob([{json.dumps(CONTENT)}]);\n{printed}",
            ]
    ended = subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=30)
    assert ended.returncode == 0, ended.stderr.decode()


RUNNABLE = [
    pytest.param(Form.CURL, marks=pytest.mark.needs_program("curl"), id="curl"),
    pytest.param(Form.WGET, marks=pytest.mark.needs_program("wget"), id="wget"),
    pytest.param(Form.PYTHON, id="python"),
    pytest.param(Form.FETCH, marks=pytest.mark.needs_program("node"), id="fetch"),
]


@pytest.mark.parametrize("form", RUNNABLE)
def test_upload_recipe_sends_the_file_and_the_signed_headers(
    form: Form, fake_s3: FakeS3, tmp_path: Path
) -> None:
    (tmp_path / AWKWARD).write_text(CONTENT)
    url = f"{fake_s3.endpoint}/b/a%20b%2B?X-Amz-Signature=1&x=%22%27%24"
    headers = {"content-type": 'text/x; a="b c"', "x-amz-meta-a": "it's $HOME", "content-length": "24"}

    run(form, render(form, errand("PUT", url=url, headers=headers, body=Body.FILE)), tmp_path)

    (seen,) = fake_s3.seen
    assert (seen.method, seen.target) == ("PUT", url.removeprefix(fake_s3.endpoint))
    assert seen.size == len(CONTENT.encode())
    assert seen.headers["content-type"] == headers["content-type"]
    assert seen.headers["x-amz-meta-a"] == headers["x-amz-meta-a"]


@pytest.mark.parametrize("form", RUNNABLE)
def test_upload_without_a_signed_type_is_not_called_a_web_form(
    form: Form, fake_s3: FakeS3, tmp_path: Path
) -> None:
    (tmp_path / AWKWARD).write_text(CONTENT)
    for method in ("PUT", "POST"):
        query = "uploadId=upload%2B1" if method == "POST" else "x=1"
        fake_s3.uploads["upload+1"] = {}
        recipe = render(form, errand(method, url=f"{fake_s3.endpoint}/b/k?{query}", body=Body.FILE))

        run(form, recipe, tmp_path)

        assert fake_s3.seen[-1].method == method
        assert fake_s3.seen[-1].size == len(CONTENT.encode())
        assert fake_s3.seen[-1].headers.get("content-type") in {None, "application/octet-stream"}


@pytest.mark.parametrize("form", RUNNABLE)
def test_download_recipe_keeps_the_answer(form: Form, fake_s3: FakeS3, tmp_path: Path) -> None:
    fake_s3.objects["/b/k"] = (5, "", "text/x")
    recipe = render(
        form, errand(url=f"{fake_s3.endpoint}/b/k?a=1", headers={"range": "bytes=0-"}, save_as=f"-{AWKWARD}")
    )

    run(form, recipe, tmp_path)

    assert fake_s3.seen[0].headers["range"] == "bytes=0-"
    if form is not Form.FETCH:
        assert (tmp_path / AWKWARD).read_text() == "xxxxx"


@pytest.mark.parametrize("form", RUNNABLE)
@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        pytest.param("HEAD", "a=1", Body.NONE, id="HEAD"),
        pytest.param("DELETE", "a=1", Body.NONE, id="DELETE"),
        pytest.param("POST", "uploads=", Body.EMPTY, id="POST without content"),
        pytest.param("PUT", "a=1", Body.EMPTY, id="PUT without content"),
    ],
)
def test_other_recipes_make_the_request_that_was_signed(
    form: Form, fake_s3: FakeS3, tmp_path: Path, method: str, query: str, body: Body
) -> None:
    fake_s3.objects["/b/k"] = (5, "", "text/x")

    run(form, render(form, errand(method, url=f"{fake_s3.endpoint}/b/k?{query}", body=body)), tmp_path)

    (seen,) = fake_s3.seen
    assert (seen.method, seen.target, seen.size) == (method, f"/b/k?{query}", 0)
    assert seen.headers.get("content-type") in {None, "application/octet-stream"}


@pytest.mark.parametrize(
    "form", [pytest.param(Form.CURL, marks=pytest.mark.needs_program("curl"), id="curl"), Form.PYTHON]
)
def test_dot_segments_are_sent_as_signed(form: Form, fake_s3: FakeS3, tmp_path: Path) -> None:
    fake_s3.objects["/b/a/../k"] = (1, "", "")

    run(form, render(form, errand(url=f"{fake_s3.endpoint}/b/a/../k?a=1")), tmp_path)

    assert fake_s3.seen[0].target == "/b/a/../k?a=1"


@pytest.mark.parametrize("form", [Form.WGET, Form.POWERSHELL, Form.FETCH])
def test_tool_that_rewrites_dot_segments_is_refused(form: Form) -> None:
    with pytest.raises(BadInputError, match="--copy-as curl"):
        render(form, errand(url="http://h/b/./k"))


@pytest.mark.parametrize(
    ("wanted", "printed"),
    [
        pytest.param(
            errand(save_as="Ada’s 'file'.pdf"),
            "Invoke-WebRequest -UseBasicParsing -Method Get -Uri 'http://h/b/k?x=1&y=2' "
            "-OutFile 'Ada’’s ''file''.pdf'",
            id="download",
        ),
        pytest.param(
            errand(
                "PUT",
                headers={"content-type": "text/x", "x-amz-meta-a": "$x", "if-none-match": "*"},
                body=Body.FILE,
            ),
            "Invoke-WebRequest -UseBasicParsing -Method Put -Uri 'http://h/b/k?x=1&y=2' "
            "-InFile 'it''s a $HOME `x` \"q\" ; – file.txt' -ContentType 'text/x' "
            "-Headers @{ 'x-amz-meta-a' = '$x'; 'if-none-match' = '*' }",
            id="upload",
        ),
        pytest.param(
            errand("DELETE"),
            "Invoke-WebRequest -UseBasicParsing -Method Delete -Uri 'http://h/b/k?x=1&y=2'",
            id="deletion",
        ),
    ],
)
def test_powershell_recipe(wanted: Errand, printed: str) -> None:
    assert render(Form.POWERSHELL, wanted) == printed


SAVING = [Form.CURL, Form.WGET, Form.POWERSHELL, Form.PYTHON]


@pytest.mark.parametrize("form", SAVING)
@pytest.mark.parametrize(
    ("key", "word"),
    [
        pytest.param("x/a\x15touch PWNED\rz", "a_touch PWNED_z", id="typed command"),
        pytest.param("x/.bashrc", "bashrc", id="dot file"),
        pytest.param("x/..\\..\\evil.ps1", "_.._evil.ps1", id="folder above"),
        pytest.param("x/C:evil", "C_evil", id="drive"),
        pytest.param("x/-", "download", id="standard output"),
    ],
)
def test_download_is_saved_under_a_plain_name(form: Form, key: str, word: str) -> None:
    printed = render(form, errand(save_as=key))

    before = {Form.CURL: "-o ", Form.WGET: "-O ", Form.POWERSHELL: "-OutFile ", Form.PYTHON: "open("}[form]
    quoted = {Form.POWERSHELL: f"'{word}'", Form.PYTHON: repr(word)}.get(form, shlex.quote(word))
    assert before + quoted in printed
    assert printed.replace("\n", "").isprintable()


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.URL])
@pytest.mark.parametrize(
    ("awkward", "words"),
    [
        pytest.param(errand("PUT", headers={"x-amz-meta-a": "b\x1b[A"}), "header x-amz-meta-a", id="escape"),
        pytest.param(errand("PUT", headers={"x-amz-meta-a": "b\tc"}), "header x-amz-meta-a", id="tab"),
        pytest.param(errand("PUT", headers={"x-amz-meta-a": "b\x9bA"}), "header x-amz-meta-a", id="C1"),
        pytest.param(errand("PUT", url="http://h/b/k\r"), "the URL", id="URL"),
        pytest.param(replace(errand("PUT"), file="a\x15b"), "the file's name", id="file to send"),
    ],
)
def test_word_that_a_terminal_would_obey_is_refused(form: Form, awkward: Errand, words: str) -> None:
    with pytest.raises(BadInputError, match=words) as raised:
        render(form, awkward)

    assert raised.value.exit_code == 2
    assert str(raised.value).isprintable()


def test_plain_url_is_only_the_url() -> None:
    assert render(Form.URL, errand()) == "http://h/b/k?x=1&y=2"


def test_script_recipe_may_stand_in_a_page() -> None:
    printed = render(Form.FETCH, errand("PUT", headers={"x-amz-meta-a": "</script>"}, body=Body.FILE))

    assert "</script>" not in printed


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_shell_quoting_gives_back_every_value(value: str) -> None:
    wanted = errand("PUT", headers={"x-amz-meta-a": value}, body=Body.FILE)

    assert f"x-amz-meta-a: {value}" in shlex.split(render(Form.CURL, wanted))
    assert f"--header=x-amz-meta-a: {value}" in shlex.split(render(Form.WGET, wanted))


@pytest.mark.parametrize(
    ("method", "has_key", "query", "headers", "body"),
    [
        pytest.param("GET", True, {}, {}, Body.NONE, id="GET"),
        pytest.param("DELETE", True, {}, {}, Body.NONE, id="DELETE"),
        pytest.param("PUT", True, {}, {}, Body.FILE, id="PUT"),
        pytest.param("PUT", False, {}, {}, Body.EMPTY, id="bucket"),
        pytest.param("PUT", False, {"policy": ""}, {}, Body.FILE, id="bucket's policy"),
        pytest.param("PUT", True, {}, {"X-Amz-Copy-Source": "/a/b"}, Body.EMPTY, id="copy"),
        pytest.param("POST", True, {"uploads": ""}, {}, Body.EMPTY, id="begin of an upload"),
        pytest.param("POST", True, {"uploadId": "1"}, {}, Body.FILE, id="end of an upload"),
    ],
)
def test_body_follows_the_operation(
    method: str, has_key: bool, query: dict[str, str], headers: dict[str, str], body: Body
) -> None:
    assert body_of(method, has_key=has_key, query=query, headers=headers) is body


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://h/b/k", False),
        ("http://h/b/../k", True),
        ("http://h/b/.", True),
        ("http://h/b/..a/.b?x=/../", False),
    ],
)
def test_dot_segments_are_found_in_the_path_only(url: str, found: bool) -> None:
    assert has_dot_segments(url) is found
