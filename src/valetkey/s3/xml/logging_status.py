"""PutBucketLogging's document."""

from __future__ import annotations

from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.logging_status import LoggingEnabled, Partition
from valetkey.s3.xml.text import element
from valetkey.s3.xml.tree import Node, malformed, parse_tree

_MOST_PREFIX_BYTES: Final = 512
"""Behind it stand account, region, bucket, day, second and 16 digits, and a key has 1,024 bytes at most."""

_PARTITIONS: Final = {partition.value: partition for partition in Partition}


def parse_logging(body: bytes) -> LoggingEnabled | None:
    """Return where the log is to go; None turns it off.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, or NotImplemented, where somebody is to be granted something.
    """
    root = parse_tree(body, "BucketLoggingStatus")
    if not root.children:
        return None
    if len(root.children) > 1 or root.children[0].name != "LoggingEnabled":
        raise malformed()
    found = _by_name(
        root.children[0], {"TargetBucket", "TargetGrants", "TargetObjectKeyFormat", "TargetPrefix"}
    )
    if "TargetBucket" not in found or "TargetPrefix" not in found:
        raise malformed()
    if "TargetGrants" in found and found["TargetGrants"].children:
        raise S3Error(
            Code.NOT_IMPLEMENTED,
            "A header or query you provided requested functionality that is not implemented.",
            {"ResourceType": "TargetGrants"},
        )
    bucket, prefix = _text(found["TargetBucket"]).strip(), _text(found["TargetPrefix"])
    if len(prefix.encode()) > _MOST_PREFIX_BYTES:
        raise malformed()
    form = found.get("TargetObjectKeyFormat")
    return LoggingEnabled(
        target_bucket=bucket,
        target_prefix=prefix,
        partition=None if form is None else _partition(form),
        names_format=form is not None,
    )


def render_logging(config: LoggingEnabled | None) -> str:
    """Return what stands in `BucketLoggingStatus`."""
    if config is None:
        return ""
    form = ""
    if config.partition is not None:
        date = element("PartitionDateSource", config.partition.value)
        form = f"<TargetObjectKeyFormat><PartitionedPrefix>{date}</PartitionedPrefix></TargetObjectKeyFormat>"
    elif config.names_format:
        form = "<TargetObjectKeyFormat><SimplePrefix/></TargetObjectKeyFormat>"
    target = element("TargetBucket", config.target_bucket)
    return f"<LoggingEnabled>{target}{element('TargetPrefix', config.target_prefix)}{form}</LoggingEnabled>"


def _partition(form: Node) -> Partition | None:
    if len(form.children) != 1:
        raise malformed()
    kind = form.children[0]
    if kind.name == "SimplePrefix" and not kind.children:
        return None
    if kind.name != "PartitionedPrefix":
        raise malformed()
    found = _by_name(kind, {"PartitionDateSource"})
    # Amazon takes the delivery's time where nothing is said.
    text = _text(found["PartitionDateSource"]).strip() if found else Partition.DELIVERY_TIME.value
    if text not in _PARTITIONS:
        raise malformed()
    return _PARTITIONS[text]


def _by_name(node: Node, names: set[str]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for child in node.children:
        if child.name not in names or child.name in found:
            raise malformed()
        found[child.name] = child
    return found


def _text(node: Node) -> str:
    if node.children:
        raise malformed()
    return node.text
