"""What a bucket with versions holds and lists, the plain way: a list for each key, the newest version first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    version_id: str | None
    """None: the null version."""
    body: bytes | None
    """None: it is a delete marker."""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The id as requests give it."""
        return self.version_id or "null"


@dataclass(slots=True)
class ModelBucket:
    versioning: str | None = None
    keys: dict[str, list[ModelVersion]] = field(default_factory=dict)

    def current(self, key: str) -> ModelVersion | None:
        """Return the current version unless there is none, or it is a delete marker."""
        versions = self.keys.get(key)
        return versions[0] if versions and versions[0].body is not None else None

    def all_versions(self) -> list[tuple[str, ModelVersion]]:
        return [(key, version) for key, versions in self.keys.items() for version in versions]

    def contents(self) -> list[tuple[str, ModelVersion]]:
        return [(key, version) for key, version in self.all_versions() if version.body is not None]

    def put(self, key: str, version: ModelVersion) -> None:
        """Make it the current version, under the id that it has or as the null version."""
        former = self.keys.get(key, [])
        if self.versioning == "Enabled":
            self.keys[key] = [version, *former]
            return
        others = [other for other in former if other.version_id is not None]
        self.keys[key] = [replace(version, version_id=None), *others]

    def delete(self, key: str, *, marker_id: str) -> None:
        if self.versioning is None:
            self.keys.pop(key, None)
        else:
            self.put(key, ModelVersion(version_id=marker_id, body=None))

    def delete_version(self, key: str, name: str) -> None:
        rest = [version for version in self.keys.get(key, []) if version.name != name]
        if rest:
            self.keys[key] = rest
        else:
            self.keys.pop(key, None)

    def list_objects(self, prefix: str, delimiter: str) -> list[tuple[str, ModelVersion] | str]:
        """Return what a listing of objects shows in all: keys with their versions, and common prefixes."""
        return self._list(
            prefix, delimiter, lambda key: [(key, found)] if (found := self.current(key)) else []
        )

    def list_versions(self, prefix: str, delimiter: str) -> list[tuple[str, ModelVersion, bool] | str]:
        """Return the same of all versions, with whether each is its key's latest."""
        return self._list(
            prefix,
            delimiter,
            lambda key: [(key, version, place == 0) for place, version in enumerate(self.keys[key])],
        )

    def _list(self, prefix: str, delimiter: str, show: Callable[[str], list[T]]) -> list[T | str]:
        return list(self._walk(prefix, delimiter, show))

    def _walk(self, prefix: str, delimiter: str, show: Callable[[str], list[T]]) -> Iterator[T | str]:
        last = None
        for key in sorted(self.keys, key=str.encode):
            shown = show(key)
            if not key.startswith(prefix) or not shown:
                continue
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                yield from shown
                continue
            group = key[: end + len(delimiter)]
            if group != last:
                yield group
            last = group
