"""A signed request as a command or snippet that can be pasted where the recipient works."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from valetkey.cli.content_type import OPAQUE_TYPE
from valetkey.cli.errors import BadInputError
from valetkey.cli.plain_text import has_control, plain_name

_CURLY_QUOTES: Final = "'‘’‚‛"
"""PowerShell takes each of these for a single quote."""


class Form(Enum):
    """What `--copy-as` can print."""

    URL = "url"
    CURL = "curl"
    WGET = "wget"
    POWERSHELL = "powershell"
    PYTHON = "python"
    FETCH = "fetch"


class Body(Enum):
    """What the recipient sends after the headers."""

    NONE = "none"
    EMPTY = "empty"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A request that the recipient is to make."""

    method: str
    url: str
    headers: Mapping[str, str]
    """The headers that were signed and so must be sent, without Host."""
    body: Body
    file: str = "FILE"
    """The local file to send, or the word that stands for it."""
    save_as: str | None = None
    """The key or name after which the file with the answer's body is called; None prints the body."""


def render(form: Form, errand: Errand) -> str:
    """Return `errand` as `form`, every word quoted for the shell or language it is in.

    Raises:
        BadInputError: the tool rewrites a URL with `.` or `..` segments, which breaks its signature; or a word
            holds a control character, which a shell into which it is pasted obeys, quoted or not.
    """
    if form in _REWRITING and has_dot_segments(errand.url):
        raise BadInputError(
            f"{form.value} rewrites '.' and '..' in a key, which breaks the signature: use --copy-as curl"
        )
    if form is not Form.URL:
        _require_pasteable(errand)
    if errand.save_as is not None:
        errand = replace(errand, save_as=plain_name(errand.save_as))
    return _RECIPES[form](errand)


def body_of(method: str, *, has_key: bool, query: Mapping[str, str], headers: Mapping[str, str]) -> Body:
    """Return what S3 expects after the headers of such a request."""
    if method not in {"PUT", "POST"}:
        return Body.NONE
    copies = any(name.lower() == "x-amz-copy-source" for name in headers)
    creates_bucket = method == "PUT" and not has_key and not query
    starts_upload = method == "POST" and "uploads" in query
    return Body.EMPTY if copies or creates_bucket or starts_upload else Body.FILE


def has_dot_segments(url: str) -> bool:
    """Answer whether browsers and many tools would rewrite the path of `url` before they send it."""
    return not {".", ".."}.isdisjoint(urlsplit(url).path.split("/"))


def _require_pasteable(errand: Errand) -> None:
    words = {"the URL": errand.url, "the file's name": errand.file}
    words |= {f"the header {name}": value for name, value in errand.headers.items()}
    for what, word in words.items():
        if has_control(word):
            raise BadInputError(
                f"{what} holds a control character, which a terminal obeys when a command is pasted: use --json"
            )


def _url(errand: Errand) -> str:
    return errand.url


def _curl(errand: Errand) -> str:
    words = ["curl", "-f"]
    if has_dot_segments(errand.url):
        words.append("--path-as-is")
    headers = _own_headers(errand)
    if errand.method == "HEAD":
        words.append("--head")
    elif errand.method == "PUT" and errand.body is Body.FILE:
        words += ["-T", errand.file]
    elif errand.method != "GET":
        words += ["-X", errand.method]
        if errand.body is not Body.NONE:
            words += ["--data-binary", f"@{errand.file}" if errand.body is Body.FILE else ""]
            # Without this curl calls the data a web form.
            words += [] if _content_type(errand) else ["-H", "Content-Type:"]
    elif errand.save_as:
        words += ["-o", errand.save_as]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    return shlex.join([*words, errand.url])


def _wget(errand: Errand) -> str:
    words = ["wget"]
    headers = _own_headers(errand)
    if errand.method == "HEAD":
        words += ["--spider", "-S"]
    elif errand.method == "GET":
        words += ["-O", errand.save_as or "-"]
    else:
        words += [f"--method={errand.method}", "-O", "-"]
        if errand.body is not Body.NONE:
            words.append(f"--body-file={errand.file}" if errand.body is Body.FILE else "--body-data=")
            # Otherwise wget calls it a web form, and the store believes that.
            headers = {"content-type": OPAQUE_TYPE, **headers}
    words += [f"--header={name}: {value}" for name, value in headers.items()]
    return shlex.join([*words, errand.url])


def _powershell(errand: Errand) -> str:
    words = ["Invoke-WebRequest", "-UseBasicParsing", "-Method", errand.method.capitalize()]
    words += ["-Uri", _powershell_text(errand.url)]
    headers = _own_headers(errand)
    content_type = headers.pop("content-type", OPAQUE_TYPE)
    if errand.body is Body.FILE:
        words += ["-InFile", _powershell_text(errand.file), "-ContentType", _powershell_text(content_type)]
    elif errand.method == "GET" and errand.save_as:
        words += ["-OutFile", _powershell_text(errand.save_as)]
    if headers:
        pairs = (f"{_powershell_text(name)} = {_powershell_text(value)}" for name, value in headers.items())
        words += ["-Headers", "@{ " + "; ".join(pairs) + " }"]
    return " ".join(words)


def _python(errand: Errand) -> str:
    headers = _own_headers(errand)
    lines = ["import urllib.request"]
    data = ""
    if errand.body is not Body.NONE:
        headers = {"content-type": OPAQUE_TYPE, **headers}  # or urllib calls it a web form
        data = f", data=open({errand.file!r}, 'rb')" if errand.body is Body.FILE else ", data=b''"
    shown = [f"{name!r}: {value!r}" for name, value in headers.items()]
    if errand.body is Body.FILE:
        # With no length urllib would send chunks, which S3 refuses.
        lines.insert(0, "import os")
        shown.append(f"'content-length': str(os.path.getsize({errand.file!r}))")
    lines.append(f"request = urllib.request.Request({errand.url!r}, method={errand.method!r}{data},")
    lines.append(f"    headers={{{', '.join(shown)}}})")
    lines.append("with urllib.request.urlopen(request) as answer:")
    if errand.save_as and errand.method == "GET":
        lines.insert(0, "import shutil")
        lines.append(f"    with open({errand.save_as!r}, 'wb') as file:")
        lines.append("        shutil.copyfileobj(answer, file)")
    else:
        lines.append("    print(answer.status, answer.read())")
    return "\n".join(lines)


def _fetch(errand: Errand) -> str:
    lines = [
        f"const answer = await fetch({_script_text(errand.url)}, {{",
        f"  method: {_script_text(errand.method)},",
    ]
    headers = _own_headers(errand)
    if headers:
        pairs = (f"{_script_text(name)}: {_script_text(value)}" for name, value in headers.items())
        lines.append("  headers: { " + ", ".join(pairs) + " },")
    if errand.body is Body.FILE:
        lines.append("  body: file, // a File or Blob")
    lines += ["});", "if (!answer.ok) throw new Error(await answer.text());"]
    return "\n".join(lines)


def _own_headers(errand: Errand) -> dict[str, str]:
    """Return the headers to write down: all but the length, which every tool counts itself."""
    headers = {name.lower(): value for name, value in errand.headers.items()}
    headers.pop("content-length", None)
    return headers


def _content_type(errand: Errand) -> bool:
    return any(name.lower() == "content-type" for name in errand.headers)


def _powershell_text(text: str) -> str:
    return "'" + "".join(char * 2 if char in _CURLY_QUOTES else char for char in text) + "'"


def _script_text(text: str) -> str:
    # So that the snippet may stand inside a <script> element.
    return json.dumps(text).replace("</", "<\\/")


_REWRITING: Final = frozenset({Form.WGET, Form.POWERSHELL, Form.FETCH})
"""Source: RFC 3986, section 5.2.4, and the URL Standard, "path state"; wget and .NET do the same."""

_RECIPES: Final[Mapping[Form, Callable[[Errand], str]]] = {
    Form.URL: _url,
    Form.CURL: _curl,
    Form.WGET: _wget,
    Form.POWERSHELL: _powershell,
    Form.PYTHON: _python,
    Form.FETCH: _fetch,
}
