"""Changes of method, host and path."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from valetkey.explain.causes import Cause
from valetkey.explain.change import Change, Hints, Part
from valetkey.explain.place import virtual_host
from valetkey.explain.sent import split_port
from valetkey.explain.trial import Trial
from valetkey.sigv4.encoding import decode_component

_METHODS: Final = ("GET", "PUT", "HEAD", "DELETE", "POST")
_USUAL_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]", "host.docker.internal", "minio", "s3", "valetkey")
_USUAL_PORTS: Final = ("", "9000", "443", "80", "8080", "8443")


def method_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield every other method of S3."""
    for method in _METHODS:
        if method != trial.method:
            detail = f"It was signed for {method}, and {trial.method} was used."
            yield Change(cause=Cause.METHOD, part=Part.METHOD, detail=detail, apply=_with_method(method))


def host_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield other hosts and ports: those that are known, the default ports, and the usual local names."""
    if not trial.is_v4:
        return
    own = trial.host.decode("utf-8", "replace")
    name, port = split_port(own)
    seen = {own}
    for host in hints.hosts:
        yield from _host_change(own, host.lower(), seen)
    for other in _USUAL_PORTS:
        yield from _host_change(own, f"{name}:{other}" if other else name, seen)
    for other in _USUAL_HOSTS:
        for its_port in dict.fromkeys((port, *_USUAL_PORTS)):
            yield from _host_change(own, f"{other}:{its_port}" if its_port else other, seen)
    for region in dict.fromkeys((trial.region, *hints.regions)):
        for host in ("s3.amazonaws.com", f"s3.{region}.amazonaws.com", f"s3-{region}.amazonaws.com"):
            yield from _host_change(own, host, seen)


def _host_change(own: str, host: str, seen: set[str]) -> Iterator[Change]:
    if host in seen or not host:
        return
    seen.add(host)
    is_port = split_port(host)[0] == split_port(own)[0]
    yield Change(
        cause=Cause.PORT if is_port else Cause.HOST,
        part=Part.HOST,
        detail=f"It was signed for the host {host}, and {own} was asked.",
        apply=_with_host(host.encode("utf-8", "replace")),
    )


def addressing_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield the bucket moved from the path into the host, and the other way round."""
    own = trial.host.decode("utf-8", "replace")
    virtual = virtual_host(own, hints.domains)
    if virtual is None and "." in split_port(own)[0]:
        bucket, _, rest = own.partition(".")
        virtual = (bucket, rest)
    if virtual is not None:
        in_path = replace(trial, host=virtual[1].encode(), path=b"/" + virtual[0].encode() + trial.path)
        yield _moved("path", in_path)
    first, _, rest_of_path = trial.path.removeprefix(b"/").partition(b"/")
    if first:
        in_host = replace(trial, host=first + b"." + trial.host, path=b"/" + rest_of_path)
        yield _moved("host", in_host)


def _moved(where: str, moved: Trial) -> Change:
    other = "path" if where == "host" else "host"

    def apply(trial: Trial) -> Trial:
        bucket = None if where == "path" else moved.host.partition(b".")[0].decode("utf-8", "replace")
        return replace(trial, host=moved.host, path=moved.path, virtual_bucket=bucket)

    return Change(
        cause=Cause.ADDRESSING,
        part=Part.HOST,
        detail=f"It was signed with the bucket in the {where}, and sent with the bucket in the {other}.",
        apply=apply,
    )


def prefix_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield the path with a known prefix before it, and without its first segments."""
    for prefix in hints.prefixes:
        if prefix:
            raw = prefix.encode("utf-8", "replace")
            detail = f"It was signed with {prefix} before the path."
            yield _path_change(Cause.PATH_PREFIX, detail, lambda path, raw=raw: raw + path)  # type: ignore[misc]
    for count in (1, 2):
        segments = trial.path.split(b"/")[1:]
        if len(segments) > count + 1:
            taken = b"/" + b"/".join(segments[:count])
            shown = taken.decode("utf-8", "replace")
            yield _path_change(
                Cause.PATH_PREFIX,
                f"It was signed without {shown} before the path.",
                lambda path, taken=taken: path.removeprefix(taken),  # type: ignore[misc]
            )


def key_encoding_changes(trial: Trial, hints: Hints) -> Iterator[Change]:
    """Yield other encodings of the same path."""
    seen = {trial.path}
    for detail, spell in _SPELLINGS:
        spelled = spell(trial.path)
        if spelled not in seen:
            seen.add(spelled)
            yield _path_change(Cause.KEY_ENCODING, detail, spell)
    if trial.is_v4 and b"%" in trial.path:
        yield Change(
            cause=Cause.KEY_ENCODING,
            part=Part.PATH,
            detail="The signer encoded the path once more in its canonical request, as services other than S3 want.",
            apply=lambda each: replace(each, is_path_encoded_again=True),
        )


def _path_change(cause: Cause, detail: str, spell: Callable[[bytes], bytes]) -> Change:
    return Change(
        cause=cause, part=Part.PATH, detail=detail, apply=lambda trial: replace(trial, path=spell(trial.path))
    )


def _decoded(path: bytes) -> bytes:
    return decode_component(path.replace(b"+", b"%2B"))


def _encoded(path: bytes) -> bytes:
    return quote(path, safe="/-._~").encode()


def _upper(path: bytes) -> bytes:
    return re.sub(rb"%[0-9a-fA-F]{2}", lambda found: found[0].upper(), path)


def _normalised(path: bytes, form: str) -> bytes:
    try:
        text = _decoded(path).decode("utf-8")
    except UnicodeDecodeError:
        return path
    return _encoded(unicodedata.normalize(form, text).encode("utf-8", "replace"))  # type: ignore[arg-type]


def _latin(path: bytes) -> bytes:
    return _encoded(_decoded(path).decode("utf-8", "replace").encode("latin-1", "replace"))


def _without_dots(path: bytes) -> bytes:
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            kept = kept[:-1]
        elif segment != b".":
            kept.append(segment)
    return b"/".join(kept) or b"/"


_SPELLINGS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    (
        "The path was signed with each character encoded that is not unreserved.",
        lambda p: _encoded(_decoded(p)),
    ),
    ("The path was signed encoded once more (%2520 for a blank).", lambda p: p.replace(b"%", b"%25")),
    ("The path was signed with %2525, and sent with %25.", lambda p: p.replace(b"%25", b"%2525")),
    ("The path was signed decoded once (a % of the URL was encoded twice).", unquote_to_bytes),
    ("The path was signed with %20, and sent with +.", lambda p: p.replace(b"+", b"%20")),
    ("The path was signed with +, and sent with %20.", lambda p: p.replace(b"%20", b"+")),
    ("The path was signed with %2B, and sent with +.", lambda p: p.replace(b"+", b"%2B")),
    ("The path was signed with +, and sent with %2B.", lambda p: re.sub(rb"%2[Bb]", b"+", p)),
    ("The path was signed with / for %2F.", lambda p: re.sub(rb"%2[Ff]", b"/", p)),
    (
        "The path was signed with %2F for the slashes in the key.",
        lambda p: b"/".join(p.split(b"/", 2)[:2]) + b"/" + b"%2F".join(p.split(b"/")[2:]),
    ),
    ("The path was signed with upper-case escapes.", _upper),
    (
        "The path was signed with lower-case escapes.",
        lambda p: re.sub(rb"%[0-9A-F]{2}", lambda found: found[0].lower(), p),
    ),
    ("The path was signed with doubled slashes made one.", lambda p: re.sub(rb"/{2,}", b"/", p)),
    ("The path was signed with a second slash before the key.", lambda p: p.replace(b"/", b"//", 2)[1:]),
    ("The path was signed with its . and .. segments taken out.", _without_dots),
    ("The path was signed with a slash at its end.", lambda p: p + b"/"),
    ("The path was signed without the slash at its end.", lambda p: p.rstrip(b"/") or b"/"),
    ("The path was signed in composed Unicode (NFC).", lambda p: _normalised(p, "NFC")),
    ("The path was signed in decomposed Unicode (NFD).", lambda p: _normalised(p, "NFD")),
    ("The path was signed in Latin-1, not UTF-8.", _latin),
    ("The path was signed in lower case.", lambda p: p.lower()),
)


def _with_method(method: str) -> Callable[[Trial], Trial]:
    return lambda trial: replace(trial, method=method)


def _with_host(host: bytes) -> Callable[[Trial], Trial]:
    return lambda trial: replace(trial, host=host)
