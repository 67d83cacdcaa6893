"""Write the generated sections of the documentation; with `--check`, only say which of them are stale.

A section stands between `<!-- generated: NAME -->` and `<!-- end -->`. What NAME may be says `SECTIONS`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import typer
from typer.main import get_command

from valetkey.cli.main import app
from valetkey.console.routes import ROUTES
from valetkey.explain.causes import TEXTS, Cause
from valetkey.gateway.iam.operations import IAM, STS
from valetkey.s3.codes import Code
from valetkey.s3.operations import OPERATIONS, Level, Operation
from valetkey.s3.target import ACCOUNT_PATH
from valetkey.server.setting_table import TABLE

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = (
    "docs/command-line.md",
    "docs/compatibility.md",
    "docs/explain.md",
    "docs/identities.md",
    "docs/settings.md",
)

HELP_WIDTH: Final = 100
_SECTION: Final = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PLACES: Final = {
    Level.SERVICE: "/",
    Level.BUCKET: "/BUCKET",
    Level.OBJECT: "/BUCKET/KEY",
    Level.ACCOUNT: ACCOUNT_PATH.decode(),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or check them, and return the exit code: 1 for a page that is stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    is_check = bool(parser.parse_args(arguments).check)
    stale = stale_pages(ROOT)
    if not is_check:
        for page, text in stale.items():
            (ROOT / page).write_text(text, encoding="utf-8")
    for page in stale:
        sys.stdout.write(f"{page}: stale; run `make docs`\n" if is_check else f"{page}: written\n")
    return 1 if is_check and stale else 0


def stale_pages(root: Path) -> dict[str, str]:
    """Return what the pages should hold that hold something else, by name."""
    stale = {}
    for page in PAGES:
        old = (root / page).read_text(encoding="utf-8")
        new = with_sections(old)
        if new != old:
            stale[page] = new
    return stale


def with_sections(text: str) -> str:
    """Return `text` with each of its generated sections as it should be.

    Raises:
        KeyError: a section has a name that nobody makes.
    """
    return _SECTION.sub(lambda found: f"{found[1]}\n{SECTIONS[found[2]]()}\n\n{found[3]}", text)


def settings_table() -> str:
    """Return the settings of the server."""
    flags = _serve_flags()
    rows = [
        (
            _code(setting.variable),
            _code(flags.get(setting.name, "")),
            _code(setting.default or ""),
            _plain(setting.help),
        )
        for setting in TABLE
    ]
    return _table(("Variable", "Flag of `serve`", "Default", "Meaning"), rows)


def operations_table(*, implemented: bool) -> str:
    """Return the operations that are implemented, or those that are not."""
    chosen = [row for row in OPERATIONS if row.implemented is implemented]
    rows = [(row.name, _request(row), _plain(row.note)) for row in chosen]
    return _table(("Operation", "Request", "Note"), rows)


def error_table() -> str:
    """Return the error codes by name."""
    codes = sorted(Code, key=lambda code: code.wire)
    rows = [(_code(code.wire), str(code.status), _plain(code.message)) for code in codes]
    return _table(("Code", "Status", "Usual message"), rows)


def causes_table() -> str:
    """Return what `valetkey explain` can name, and what it advises."""
    rows = [(_code(cause.value), _plain(TEXTS[cause].title), _plain(TEXTS[cause].advice)) for cause in Cause]
    return _table(("Cause", "What is wrong", "What to do"), rows)


def command_help() -> str:
    """Return the help text of each command."""
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)  # several commands make a group
    top = typer.Context(group, info_name="valetkey", max_content_width=HELP_WIDTH, terminal_width=HELP_WIDTH)
    return "\n\n".join([_help_block(top), *_command_texts(top, level=3)])


def _command_texts(parent: typer.Context, *, level: int) -> Iterator[str]:
    """Yield what there is to say of each command below `parent`, under a heading each."""
    assert isinstance(parent.command, typer.core.TyperGroup)
    for name, command in parent.command.commands.items():
        context = typer.Context(command, info_name=name, parent=parent)
        yield f"{'#' * level} {context.command_path}\n\n{_help_block(context)}"
        if isinstance(command, typer.core.TyperGroup):
            yield from _command_texts(context, level=level + 1)


def _help_block(context: typer.Context) -> str:
    return f"```text\n{context.get_help()}\n```"


def iam_actions() -> str:
    """Return the actions of IAM and STS, a paragraph for each."""
    services = {"IAM": IAM, "STS": STS}
    return "\n\n".join(
        f"{word}: {', '.join(_code(action) for action in sorted(service.operations))}."
        for word, service in services.items()
    )


def admin_operations() -> str:
    """Return the operations of the admin API."""
    rows = [(_code(f"{route.method} {route.path}"), _plain(route.summary)) for route in ROUTES]
    return _table(("Operation", "What it does"), rows)


SECTIONS: Final[Mapping[str, Callable[[], str]]] = {
    "admin-api": admin_operations,
    "commands": command_help,
    "error-codes": error_table,
    "explain-causes": causes_table,
    "iam-actions": iam_actions,
    "operations": lambda: operations_table(implemented=True),
    "operations-not-implemented": lambda: operations_table(implemented=False),
    "settings": settings_table,
}


def _serve_flags() -> dict[str, str]:
    """Return the flag of each setting that has one: that of a list is in the singular, and repeatable."""
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    given = {str(parameter.name): parameter.opts[0] for parameter in group.commands["serve"].params}
    return {setting.name: given[setting.singular] for setting in TABLE if setting.singular in given}


def _request(operation: Operation) -> str:
    query = f"?{'&'.join(operation.queries)}" if operation.queries else ""
    text = _code(f"{operation.method} {_PLACES[operation.level]}{query}")
    return text if operation.header is None else f"{text} with {_code(operation.header)}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


if __name__ == "__main__":
    sys.exit(main())
