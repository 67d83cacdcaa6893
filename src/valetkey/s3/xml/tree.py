"""The tree of a document that came in.

A document type or an entity declaration is refused where it begins, so no document grows while it is read.
The namespace is not looked at, as S3 does not. The caller bounds the size of the body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NoReturn
from xml.parsers import expat

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.limits import MAX_PART_NUMBER

_MAX_DEPTH: Final = 8
"""More than any of these documents needs."""

_MAX_NODES: Final = 12 * MAX_PART_NUMBER
"""The longest document has 10,000 parts with a number, an ETag and the checksums of five algorithms."""

_MAX_NAMESPACE_CHARACTERS: Final = 256
"""expat writes the whole name of the namespace before each element's: a long one would be copied often."""

_LONG_TAG: Final = re.compile(rb"<[^<]{65536}")
"""No tag, and no text between two, is nearly as long in these documents."""

_NONE: Final[Mapping[str, str]] = {}


class Node:
    """An element with its text or its children."""

    __slots__ = ("attributes", "children", "name", "pieces")

    def __init__(self, name: str, attributes: Mapping[str, str] = _NONE) -> None:
        self.name = name
        self.attributes = attributes
        """By name; one with a namespace has that and a space before its own."""
        self.children: list[Node] = []
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        """The character data that stands in it, without that of its children."""
        return "".join(self.pieces)


def parse_tree(body: bytes, root_name: str) -> Node:
    """Return the root element of a document, which must be named `root_name`.

    Raises:
        S3Error: MalformedXML, or MissingRequestBodyError.
    """
    if not body:
        raise S3Error(Code.MISSING_REQUEST_BODY_ERROR)
    root = parse_root(body)
    if root.name != root_name:
        raise malformed()
    return root


def parse_root(body: bytes) -> Node:
    """Return the root element of a document, whatever its name.

    Raises:
        S3Error: MalformedXML.
    """
    if _LONG_TAG.search(body) is not None:
        raise malformed()
    builder = _Builder()
    # The encoding is given, so that none which the document declares is looked up: S3's documents are UTF-8.
    parser = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.StartNamespaceDeclHandler = builder.namespace
    parser.CharacterDataHandler = builder.data
    refuse: Callable[..., NoReturn] = _refuse_declaration
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat takes it by position only
    except (expat.ExpatError, ValueError) as error:
        raise malformed() from error
    if builder.root is None:
        raise malformed()
    return builder.root


def fields(node: Node, names: AbstractSet[str]) -> dict[str, str]:
    """Return the text of each child of `node`; each of `names` may stand there once, and nothing else.

    Raises:
        S3Error: MalformedXML.
    """
    found: dict[str, str] = {}
    for child in node.children:
        if child.name not in names or child.name in found or child.children:
            raise malformed()
        found[child.name] = child.text
    return found


def malformed() -> S3Error:
    """Return the refusal of a document that is not as the schema has it."""
    return S3Error(Code.MALFORMED_XML)


class _Builder:
    """Takes in the parser's events and keeps the tree that they describe."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._count = 0
        self._open: list[Node] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if len(self._open) == _MAX_DEPTH or self._count > _MAX_NODES:
            raise malformed()
        # With namespaces on, expat writes "namespace name".
        node = Node(name.rpartition(" ")[2], attributes)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def namespace(self, prefix: str | None, uri: str | None) -> None:
        if uri is not None and len(uri) > _MAX_NAMESPACE_CHARACTERS:
            raise malformed()

    def end(self, name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].pieces.append(text)


def _refuse_declaration(*_: object) -> NoReturn:
    raise malformed()
