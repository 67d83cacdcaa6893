"""The face of the store that knows buckets."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from valetkey.store import buckets
from valetkey.store.model import Bucket, InBucket, name_of
from valetkey.store.workings import Workings


class Buckets:
    """Buckets and what is configured for them. See `Store` for what all functions may raise."""

    def __init__(self, workings: Workings) -> None:
        """Use `Store.open`."""
        self._workings: Final = workings

    def find(self, name: str) -> Bucket:
        """Return the bucket as it is now, in microseconds.

        Raises:
            NoSuchBucketError
        """
        return self._workings.find_bucket(name)

    async def list(self) -> Sequence[Bucket]:
        """Return all buckets without their settings, ordered by name."""
        return await self._workings.reads.run(buckets.list_buckets)

    async def create(
        self,
        name: str,
        *,
        now_ms: int,
        owner_id: str | None = None,
        is_lockable: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> Bucket:
        """Return a new bucket. One whose versions may be locked has versioning enabled.

        `settings`: what is configured for it from the beginning, see `put_setting`.

        Raises:
            BucketExistsError
        """
        change = partial(
            buckets.create_bucket,
            name=name,
            owner_id=owner_id,
            is_lockable=is_lockable,
            settings=settings or {},
            now_ms=now_ms,
        )
        return await self._workings.write(change)

    async def delete(self, bucket: InBucket) -> None:
        """Remove a bucket that holds no version of anything; its open uploads end with it.

        Raises:
            NoSuchBucketError, BucketNotEmptyError
        """
        await self._workings.free(partial(buckets.delete_bucket, name=name_of(bucket)), within=bucket)

    async def set_versioning(self, bucket: InBucket, status: str) -> None:
        """Let new versions stand beside old ones from now on ("Enabled"), or replace the null version ("Suspended").

        Raises:
            NoSuchBucketError
            LockableBucketError: it is to be suspended, and versions may be locked.
        """
        await self._workings.write(
            partial(buckets.set_versioning, name=name_of(bucket), status=status), within=bucket
        )

    async def allow_locks(self, bucket: InBucket) -> None:
        """Let versions be locked from now on. Nothing takes that back.

        Raises:
            NoSuchBucketError
            LockableBucketError: versioning is not enabled.
        """
        await self._workings.write(partial(buckets.allow_locks, name=name_of(bucket)), within=bucket)

    async def put_setting(self, bucket: InBucket, name: str, document: str | None) -> None:
        """Keep what is configured under `name` in place of what was; None removes it.

        Raises:
            NoSuchBucketError
        """
        change = partial(buckets.put_setting, bucket=name_of(bucket), name=name, document=document)
        if document is None:
            await self._workings.free(change, within=bucket)
        else:
            await self._workings.write(change, within=bucket, room_bytes=len(document.encode()))
