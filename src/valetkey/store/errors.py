"""What may go wrong in the store, as facts. What they mean to an S3 client is decided in the gateway."""

from pathlib import Path

from valetkey.store.identity_model import EntityKind, Obstacle, Quota


class StoreError(Exception):
    """The root of everything that the store raises on purpose."""


class NoSuchBucketError(StoreError):
    def __init__(self, bucket: str) -> None:
        super().__init__(f"There is no bucket {bucket!r}.")
        self.bucket = bucket


class BucketExistsError(StoreError):
    """The name is taken; `owner_id` is whose bucket it is, None for the root account."""

    def __init__(self, bucket: str, *, owner_id: str | None) -> None:
        super().__init__(f"There is a bucket {bucket!r} already.")
        self.bucket = bucket
        self.owner_id = owner_id


class BucketNotEmptyError(StoreError):
    def __init__(self, bucket: str) -> None:
        super().__init__(f"The bucket {bucket!r} still holds objects.")
        self.bucket = bucket


class NoSuchKeyError(StoreError):
    """There is no current object; `marker_id` is that of the delete marker that hides older versions, if any."""

    def __init__(self, bucket: str, key: str, *, marker_id: str | None = None) -> None:
        super().__init__(f"There is no object {key!r} in the bucket {bucket!r}.")
        self.bucket = bucket
        self.key = key
        self.marker_id = marker_id


class NoSuchVersionError(StoreError):
    def __init__(self, key: str, version_id: str) -> None:
        super().__init__(f"The object {key!r} has no version {version_id!r}.")
        self.key = key
        self.version_id = version_id


class DeleteMarkerError(StoreError):
    """The version that was asked for is a delete marker, which has no content."""

    def __init__(self, key: str, version_id: str, modified_ms: int) -> None:
        super().__init__(f"The version {version_id!r} of {key!r} is a delete marker.")
        self.key = key
        self.version_id = version_id
        self.modified_ms = modified_ms


class LockableBucketError(StoreError):
    """Versions of a bucket that may be locked cannot be given up; nor may they be locked without versioning."""

    def __init__(self, bucket: str) -> None:
        super().__init__(f"The versions of the bucket {bucket!r} have to stay, or are none.")
        self.bucket = bucket


class ObjectLockedError(StoreError):
    """The version is under retention or legal hold."""

    def __init__(self, key: str, version_id: str) -> None:
        super().__init__(f"The version {version_id!r} of {key!r} is locked.")
        self.key = key
        self.version_id = version_id


class NoSuchUploadError(StoreError):
    def __init__(self, upload_id: str) -> None:
        super().__init__(f"There is no open upload {upload_id!r}.")
        self.upload_id = upload_id


class PreconditionFailedError(StoreError):
    """A conditional write found another state; `condition` is "If-None-Match" or "If-Match"."""

    def __init__(self, condition: str) -> None:
        super().__init__(f"The condition {condition} does not hold.")
        self.condition = condition


class ConflictingChangeError(StoreError):
    """The condition holds, but the object was written or deleted since the upload that is to replace it began."""

    def __init__(self, condition: str, key: str) -> None:
        super().__init__(f"The object {key!r} has changed since the upload began.")
        self.condition = condition
        self.key = key


class InvalidPartError(StoreError):
    """A part that completion names was never stored, or under another ETag. `number` 0: none was named."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Part {number} is missing or has another ETag.")
        self.number = number


class InvalidPartOrderError(StoreError):
    def __init__(self) -> None:
        super().__init__("The parts are not in ascending order.")


class PartsTooLargeError(StoreError):
    """With one more part, an upload would hold more than it may; both sizes are in bytes."""

    def __init__(self, size: int, maximum: int) -> None:
        super().__init__(f"The parts would have {size} bytes; the upload may have {maximum}.")
        self.size = size
        self.maximum = maximum


class PartTooSmallError(StoreError):
    """A part other than the last is below the minimum; both sizes are in bytes."""

    def __init__(self, number: int, size: int, minimum: int) -> None:
        super().__init__(f"Part {number} has {size} bytes; all but the last need {minimum}.")
        self.number = number
        self.size = size
        self.minimum = minimum


class NoSuchEntityError(StoreError):
    """There is no account, user, group, role, key or policy of that name; which, `kind` says."""

    def __init__(self, kind: EntityKind, name: str) -> None:
        super().__init__(f"There is no {kind.value} {name!r}.")
        self.kind = kind
        self.name = name


class EntityExistsError(StoreError):
    """The name is taken; for an account it may be the id, the number or the email that is."""

    def __init__(self, kind: EntityKind, name: str) -> None:
        super().__init__(f"There is a {kind.value} {name!r} already.")
        self.kind = kind
        self.name = name


class DeleteConflictError(StoreError):
    """Something stands in the way of a deletion."""

    def __init__(self, kind: EntityKind, name: str, obstacle: Obstacle) -> None:
        super().__init__(f"The {kind.value} {name!r} cannot be deleted: {obstacle.value}.")
        self.kind = kind
        self.name = name
        self.obstacle = obstacle


class LimitExceededError(StoreError):
    def __init__(self, quota: Quota) -> None:
        super().__init__(f"There may be no more than {quota.value}: {quota.name}.")
        self.quota = quota


class OutOfSpaceError(StoreError):
    """The disk has no room for this write; reads and deletes go on."""

    def __init__(self) -> None:
        super().__init__("The disk that holds the data folder is full. Free some room on it.")


class ContentGoneError(StoreError):
    """The object was replaced or deleted between look-up and opening: look it up again."""

    def __init__(self) -> None:
        super().__init__("The content has been replaced or deleted meanwhile.")


class StorageFailedError(StoreError):
    """The disk or the catalog failed in a way that is not the caller's doing; the cause is chained."""


class WrongKeyError(StoreError):
    """The content is encrypted under a client's key: none was given (`is_missing`), or another one."""

    def __init__(self, *, is_missing: bool) -> None:
        super().__init__(f"The key of the content {'is missing' if is_missing else 'is another one'}.")
        self.is_missing = is_missing


class NoMasterKeyError(StoreError):
    """The content is, or is to be, encrypted under a master key, but the store was opened without one."""

    def __init__(self) -> None:
        super().__init__("The store has no master key.")


class FolderInUseError(StoreError):
    def __init__(self, path: Path) -> None:
        super().__init__(
            f"Another running server holds the data folder {path}. Stop it, or choose another folder."
        )
        self.path = path


class NewerVersionError(StoreError):
    """The catalog was written by a later program; `found` and `known` are schema versions."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"The data folder has format {found}, but this program knows formats up to {known} only. "
            "Start it with the newer Valetkey that wrote it, or restore a backup made before the upgrade."
        )
        self.found = found
        self.known = known


class StoreClosedError(StoreError):
    def __init__(self) -> None:
        super().__init__("The store is closed.")
