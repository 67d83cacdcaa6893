"""Doing what lifecycle rules say: once through all buckets that have any.

Source: Amazon S3 User Guide, "Expiring objects", "Lifecycle and other bucket configurations".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Final

from valetkey.gateway.operations.kept_settings import lifecycle_of
from valetkey.s3.lifecycle import (
    Rules,
    expires_marker,
    expires_noncurrent,
    expires_upload,
    expiry_of_current,
)
from valetkey.store.errors import (
    NoSuchBucketError,
    NoSuchKeyError,
    NoSuchUploadError,
    ObjectLockedError,
    PreconditionFailedError,
    StoreClosedError,
    StoreError,
)
from valetkey.store.model import Bucket, Deletion, UploadPage, VersionPage, VersionSummary, WriteRule
from valetkey.store.store import Store

_logger = logging.getLogger("valetkey")

_PAGE: Final = 1000
_TURN: Final = 20
"""How many versions are judged before requests have their turn: with 1,000 rules that takes milliseconds."""

_STAYS: Final = (NoSuchKeyError, PreconditionFailedError)
"""It is not what it was when the page was read."""


@dataclass(slots=True, kw_only=True)
class LifecycleReport:
    """What a run has done."""

    expired: int = 0
    """Versions and delete markers removed, and current objects hidden behind a delete marker."""
    locked: int = 0
    """Versions that were due, and are under retention or legal hold."""
    uploads: int = 0
    """Uploads given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One bucket's rules, and by when they are applied."""

    bucket: Bucket
    rules: Rules
    now_ms: int
    day_ms: int

    @property
    def prefix(self) -> str:
        """What all keys begin with that a rule in force is for."""
        # By characters, which is what prefixes of keys are made of.
        return commonprefix([rule.scope.prefix or "" for rule in self.rules.enabled()])  # noqa: RUF071

    def is_in_force(self, store: Store) -> bool:
        """Return whether the bucket is still there, and still has these rules."""
        try:
            found = store.buckets.find(self.bucket.name)
        except NoSuchBucketError:
            return False
        return found.id == self.bucket.id and lifecycle_of(found) == self.rules


async def run_lifecycle(
    store: Store, *, now_ms: int, day_ms: int, new_id: Callable[[], str]
) -> LifecycleReport:
    """Remove what lifecycle rules say is to go by `now_ms`, and return what that was.

    `new_id` makes ids of delete markers, which nobody can guess. If somebody else runs the rules just now, this
    does nothing. What changes after it was looked at is left alone; the next run looks again. Memory is that of
    two pages. May be cancelled at any time.

    Raises:
        StoreClosedError
    """
    report = LifecycleReport()
    with store.hold_lifecycle() as is_ours:
        if not is_ours:
            return report
        for listed in await store.buckets.list():
            try:
                bucket = store.buckets.find(listed.name)
                rules = lifecycle_of(bucket)
                if rules is not None:
                    task = _Task(bucket=bucket, rules=rules, now_ms=now_ms, day_ms=day_ms)
                    await _run_bucket(store, task, report, new_id)
            except NoSuchBucketError:
                continue
            except StoreClosedError:
                raise
            except StoreError:
                # The other buckets have their turn all the same, and this one the next time.
                _logger.exception("The lifecycle rules of the bucket %s could not be run.", listed.name)
    return report


async def _run_bucket(store: Store, task: _Task, report: LifecycleReport, new_id: Callable[[], str]) -> None:
    enabled = list(task.rules.enabled())
    if any(rule.expiration or rule.noncurrent_expiration for rule in enabled):
        await _expire_versions(store, task, report, new_id)
    if any(rule.abort_days is not None for rule in enabled):
        await _abort_uploads(store, task, report)


async def _expire_versions(
    store: Store, task: _Task, report: LifecycleReport, new_id: Callable[[], str]
) -> None:
    judge = _Judge(task)
    page: VersionPage | None = await _versions_behind(store, task, None)
    while page is not None:
        # Read before the page's own are deleted: the listing would begin the key anew whose version, on which
        # the page ended, is gone.
        following = await _versions_behind(store, task, page) if page.is_truncated else None
        await _delete(store, task, await judge.due_of(page.entries), report, new_id)
        page = following
    await _delete(store, task, judge.due_at_end(), report, new_id)


async def _versions_behind(store: Store, task: _Task, page: VersionPage | None) -> VersionPage:
    return await store.list_versions(
        task.bucket,
        prefix=task.prefix,
        key_marker=(page.next_key_marker or "") if page else "",
        version_id_marker=(page.next_version_id_marker or "") if page else "",
        limit=_PAGE,
        with_tags=task.rules.needs_tags,
    )


class _Judge:
    """Sees all versions of a bucket, by key and the newest first, and says which are due."""

    def __init__(self, task: _Task) -> None:
        self._task = task
        self._newer: VersionSummary | None = None
        """The version before, if it is of the same key."""
        self._noncurrent = 0
        """How many versions of the key lie between the current one and the next."""
        self._marker: VersionSummary | None = None
        """A current delete marker, until it is known whether there are versions behind it."""

    async def due_of(self, entries: Sequence[VersionSummary]) -> list[Deletion]:
        due = []
        for number, entry in enumerate(entries, 1):
            due += self._see(entry)
            if number % _TURN == 0:
                await asyncio.sleep(0)
        return due

    def due_at_end(self) -> list[Deletion]:
        """Return what is due once it is known that no version follows."""
        marker, self._marker = self._marker, None
        task = self._task
        if marker is not None and expires_marker(
            task.rules,
            key=marker.key,
            modified_ms=marker.modified_ms,
            now_ms=task.now_ms,
            day_ms=task.day_ms,
        ):
            return [_removal_of(marker, is_superseded=False)]
        return []

    def _see(self, entry: VersionSummary) -> list[Deletion]:
        newer = self._newer
        self._newer = entry
        # The listing begins a key anew where somebody deleted the version that it should have gone on behind.
        if entry.is_latest or newer is None or newer.key != entry.key:
            due = self.due_at_end()
            self._noncurrent = 0
            if entry.is_marker:
                self._marker = entry
            elif self._is_due(entry):
                due.append(_expiry_of(entry))
            return due
        self._marker = None
        self._noncurrent += 1
        is_due = self._is_due_noncurrent(entry, since_ms=newer.modified_ms, newer_count=self._noncurrent - 1)
        return [_removal_of(entry, is_superseded=True)] if is_due else []

    def _is_due(self, entry: VersionSummary) -> bool:
        expiry = expiry_of_current(
            self._task.rules,
            key=entry.key,
            size=entry.size,
            tags=entry.tags or {},
            modified_ms=entry.modified_ms,
            day_ms=self._task.day_ms,
        )
        return expiry is not None and expiry[0] <= self._task.now_ms

    def _is_due_noncurrent(self, entry: VersionSummary, *, since_ms: int, newer_count: int) -> bool:
        return expires_noncurrent(
            self._task.rules,
            key=entry.key,
            size=entry.size,
            tags=entry.tags or {},
            noncurrent_since_ms=since_ms,
            newer_noncurrent_count=newer_count,
            now_ms=self._task.now_ms,
            day_ms=self._task.day_ms,
        )


def _expiry_of(entry: VersionSummary) -> Deletion:
    return Deletion(key=entry.key, rule=WriteRule(rank=entry.rank, tags=entry.tags))


def _removal_of(entry: VersionSummary, *, is_superseded: bool) -> Deletion:
    return Deletion(
        key=entry.key,
        version_id=entry.version_id or "null",
        rule=WriteRule(rank=entry.rank, tags=entry.tags, is_superseded=is_superseded),
    )


async def _delete(
    store: Store, task: _Task, due: list[Deletion], report: LifecycleReport, new_id: Callable[[], str]
) -> None:
    if not due or not task.is_in_force(store):
        return
    outcomes = await store.delete_objects(task.bucket, due, new_marker_id=new_id, now_ms=task.now_ms)
    for outcome in outcomes:
        if isinstance(outcome, ObjectLockedError):
            report.locked += 1
        elif not isinstance(outcome, StoreError):
            report.expired += 1
        elif not isinstance(outcome, _STAYS):
            raise outcome


async def _abort_uploads(store: Store, task: _Task, report: LifecycleReport) -> None:
    key_marker: str | None = ""
    upload_id_marker: str | None = ""
    while key_marker is not None:
        page = await store.uploads.list(
            task.bucket.name,
            prefix=task.prefix,
            key_marker=key_marker,
            upload_id_marker=upload_id_marker or "",
            limit=_PAGE,
        )
        await _abort(store, task, page, report)
        key_marker, upload_id_marker = page.next_key_marker, page.next_upload_id_marker


async def _abort(store: Store, task: _Task, page: UploadPage, report: LifecycleReport) -> None:
    for number, upload in enumerate(page.uploads, 1):
        if number % _TURN == 0:
            await asyncio.sleep(0)
        is_due = expires_upload(
            task.rules,
            key=upload.key,
            initiated_ms=upload.created_ms,
            now_ms=task.now_ms,
            day_ms=task.day_ms,
        )
        if not is_due or not task.is_in_force(store):
            continue
        try:
            await store.uploads.abort(task.bucket.name, upload.key, upload.id)
        except NoSuchUploadError:
            continue
        report.uploads += 1
