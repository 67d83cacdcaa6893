"""The document that says how the objects of a bucket are encrypted where a request does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.encryption import KMS_INSTEAD, KMS_METHODS, SSE_S3
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.xml.document import document
from valetkey.s3.xml.text import element, flag
from valetkey.s3.xml.tree import Node, fields, malformed, parse_tree

_CUSTOMER: Final = "SSE-C"
_BLOCKABLE: Final = frozenset({"NONE", _CUSTOMER})
_FLAGS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketEncryption:
    """The encryption configuration of a bucket."""

    kind: str | None
    """"AES256"; None where the document tells only what is blocked."""
    has_bucket_key: bool | None = None
    """Kept and given back; it means something with AWS KMS only."""
    blocked: tuple[str, ...] = ()
    """"SSE-C", or "NONE" for nothing."""

    @property
    def blocks_customer_keys(self) -> bool:
        """Whether uploads may not bring keys of their own."""
        return _CUSTOMER in self.blocked

    def require_customer_keys_allowed(self) -> None:
        """Return if uploads may bring keys of their own.

        Raises:
            S3Error: AccessDenied.
        """
        if self.blocks_customer_keys:
            message = (
                "Access Denied because this bucket has blocked upload requests that specify Server Side Encryption "
                "with Customer provided keys (SSE-C). Please specify a different server-side encryption type"
            )
            raise S3Error(Code.ACCESS_DENIED, message)


def parse_bucket_encryption(body: bytes) -> BucketEncryption:
    """Return the configuration that a PutBucketEncryption gives.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, InvalidArgument for a key that AES256 has no use for, or
            NotImplemented for keys of AWS KMS.
    """
    root = parse_tree(body, "ServerSideEncryptionConfiguration")
    if [child.name for child in root.children] != ["Rule"]:
        raise malformed()
    parts: dict[str, Node] = {}
    for child in root.children[0].children:
        if child.name in parts:
            raise malformed()
        parts[child.name] = child
    default = parts.pop("ApplyServerSideEncryptionByDefault", None)
    blocked = parts.pop("BlockedEncryptionTypes", None)
    if default is None and blocked is None:
        raise malformed()
    return BucketEncryption(
        kind=None if default is None else _kind(default),
        blocked=() if blocked is None else _blocked(blocked),
        has_bucket_key=_bucket_key(parts),
    )


def _kind(node: Node) -> str:
    found = fields(node, {"SSEAlgorithm", "KMSMasterKeyID"})
    algorithm = found.get("SSEAlgorithm", "").strip()
    if algorithm in KMS_METHODS:
        raise S3Error(Code.NOT_IMPLEMENTED, KMS_INSTEAD, {"SSEAlgorithm": algorithm})
    if algorithm != SSE_S3:
        raise malformed()
    if "KMSMasterKeyID" in found:
        message = (
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        )
        raise invalid_argument(message, "ApplyServerSideEncryptionByDefault")
    return algorithm


def _blocked(node: Node) -> tuple[str, ...]:
    names = tuple(child.text.strip() for child in node.children)
    is_plain = all(child.name == "EncryptionType" and not child.children for child in node.children)
    if not is_plain or not names or not _BLOCKABLE.issuperset(names):
        raise malformed()
    return names


def _bucket_key(parts: dict[str, Node]) -> bool | None:
    node = parts.pop("BucketKeyEnabled", None)
    if parts or (node is not None and node.children):
        raise malformed()
    if node is None:
        return None
    value = _FLAGS.get(node.text.strip().lower())
    if value is None:
        raise malformed()
    return value


def render_bucket_encryption(config: BucketEncryption) -> str:
    content = ""
    if config.kind is not None:
        kind = element("SSEAlgorithm", config.kind)
        content = f"<ApplyServerSideEncryptionByDefault>{kind}</ApplyServerSideEncryptionByDefault>"
    if config.has_bucket_key is not None:
        content += flag("BucketKeyEnabled", value=config.has_bucket_key)
    if config.blocked:
        names = "".join([element("EncryptionType", name) for name in config.blocked])
        content += f"<BlockedEncryptionTypes>{names}</BlockedEncryptionTypes>"
    return document("ServerSideEncryptionConfiguration", f"<Rule>{content}</Rule>")
