"""What a bucket with versions holds and lists, the plain way: a list for each key, the newest version first."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace


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
        shown: list[tuple[str, ModelVersion] | str] = []
        for name, is_group in self._names(prefix, delimiter, [key for key in self.keys if self.current(key)]):
            if is_group:
                shown.append(name)
            elif version := self.current(name):
                shown.append((name, version))
        return shown

    def list_versions(self, prefix: str, delimiter: str) -> list[tuple[str, ModelVersion, bool] | str]:
        """Return the same of all versions, with whether each is its key's latest."""
        shown: list[tuple[str, ModelVersion, bool] | str] = []
        for name, is_group in self._names(prefix, delimiter, self.keys):
            if is_group:
                shown.append(name)
            else:
                shown.extend((name, one, place == 0) for place, one in enumerate(self.keys[name]))
        return shown

    def _names(self, prefix: str, delimiter: str, keys: Iterable[str]) -> list[tuple[str, bool]]:
        """Return keys and common prefixes in their order, with whether each is a common prefix."""
        names = set()
        for key in keys:
            if key.startswith(prefix):
                end = key.find(delimiter, len(prefix)) if delimiter else -1
                names.add((key, False) if end < 0 else (key[: end + len(delimiter)], True))
        return sorted(names, key=lambda name: (name[0].encode(), name[1]))
