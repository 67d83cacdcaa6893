"""What can go wrong with a link. The gateway translates each into an S3 error code."""

from enum import Enum


class Rule(Enum):
    """The rule by which a link, or an ordinary presigned URL, is refused. The values stay as they are: programs match on
    them.
    """

    REVOKED = "LinkRevoked"
    PAUSED = "LinkPaused"
    NOT_YET_VALID = "LinkNotYetValid"
    EXPIRED = "LinkExpired"
    USED_UP = "LinkUsedUp"
    BYTES_USED_UP = "LinkBytesUsedUp"
    ADDRESS = "AddressNotAllowed"
    OPERATION = "OperationNotAllowed"
    KEY = "KeyNotAllowed"
    CONTENT_TYPE = "ContentTypeNotAllowed"
    VERSION = "LinkVersionReplaced"
    ISSUER = "LinkIssuerInactive"
    ADDRESS_PAUSED = "ShortAddressPaused"
    PASSWORD = "LinkPasswordRequired"  # noqa: S105 - a code, not a password


class LinkError(Exception):
    """Base of this room's errors."""


class LinkRefusedError(LinkError):
    """A rule of the link's grant forbids the request, whose signature is right."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.value)
        self.rule = rule


class UploadSizeError(LinkError):
    """An upload is larger, or smaller, than the link allows."""

    def __init__(self, size_bytes: int, *, least: int, most: int) -> None:
        super().__init__(f"{size_bytes} bytes are not within {least} and {most}")
        self.size_bytes = size_bytes
        self.least = least
        self.most = most


class NoSuchLinkError(LinkError):
    """There is no link, revocation or short address with this id, or it is somebody else's."""

    def __init__(self, link_id: str) -> None:
        super().__init__(f"There is no link {link_id}.")
        self.link_id = link_id


class LinkExistsError(LinkError):
    """The name of a short address is taken."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The name {name} is taken.")
        self.name = name


class LedgerFailedError(LinkError):
    """The disk, or the ledger's file, fails. Nothing was changed."""


class LedgerClosedError(LinkError):
    """The server is stopping."""


class InvalidGrantError(LinkError):
    """What an issuer stated is no grant. `member` says where, `reason` what is wrong."""

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"{member}: {reason}")
        self.member = member
        self.reason = reason
