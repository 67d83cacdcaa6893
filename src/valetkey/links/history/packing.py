"""Attempts that came fast, packed: one row for hundreds of them.

What many have alike is kept once, and the numbers lie column by column: so it costs little to write them, and little
to see whether one that is looked for is among them.
"""

from __future__ import annotations

import json
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import repeat
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar
from zlib import crc32

from valetkey.links.history.model import Circumstances, Note, Party

SPAN_MS: Final = 1000
"""Within which all of a block began. So only blocks that end less than this after an instant can hold it."""

MOST_PACKED: Final = 512
"""Attempts in a block. A page that looks for few of them unpacks many blocks."""

LEAST_PACKED: Final = 32
"""Fewer are kept as rows: an idle server's history has no use for blocks."""

Member = tuple[int, int]
T = TypeVar("T")


class Kind(IntEnum):
    """What blocks are found by. The numbers stand in the file."""

    SIGNER = 1
    BUCKET = 2
    ACCOUNT = 3
    """The one whose key it is, or that owns the bucket."""
    USER = 4


_SIGNER: Final = Kind.SIGNER.value


class Alike(NamedTuple):
    """Circumstances as a block keeps them: with the numbers of the parties."""

    is_proved: int
    party: int
    account: int
    owner: int
    operation: str | None
    bucket: str | None
    status: int
    address: str
    agent: str
    referrer: str


class Packed(NamedTuple):
    """A block to be written."""

    from_ms: int
    until_ms: int
    number: int
    circumstances: str
    signers: str
    numbers: bytes
    keys: str
    request_ids: str
    members: frozenset[Member]


def parted(notes: Sequence[Note]) -> tuple[list[Sequence[Note]], list[Note]]:
    """Return what goes into blocks, block by block, and the others.

    Whatever was refused stays outside: it has indexes of its own.
    """
    if len(notes) < LEAST_PACKED:
        return [], list(notes)
    rest = [note for note in notes if note.circumstances.error is not None]
    ordered = sorted((note for note in notes if note.circumstances.error is None), key=_at_ms)
    blocks: list[Sequence[Note]] = []
    for span in _spans(ordered):
        # In the order of time alone, a signer would be in nearly each of the blocks, and each be found by hundreds.
        by_signer = sorted(span, key=_signer)
        for begin in range(0, len(by_signer), MOST_PACKED):
            piece = by_signer[begin : begin + MOST_PACKED]
            if len(piece) < LEAST_PACKED:
                rest += piece
            else:
                blocks.append(sorted(piece, key=_at_ms))
    return blocks, rest


_at_ms: Final = attrgetter("at_ms")
_signer: Final = attrgetter("signer")


def _spans(ordered: Sequence[Note]) -> Iterator[Sequence[Note]]:
    begin = 0
    while begin < len(ordered):
        end = bisect_right(ordered, ordered[begin].at_ms + SPAN_MS, begin, key=_at_ms)
        yield ordered[begin:end]
        begin = end


def pack(notes: Sequence[Note], number_of: Callable[[Party], int]) -> Packed:
    """Return a block of attempts that are in order; `number_of` returns the number of a party."""
    at_ms, signer, keys, sent, received, durations, request_ids, circumstances = zip(*notes, strict=True)
    from_ms, number = at_ms[0], len(notes)
    signers, signer_codes = _coded(signer)
    parts, codes = _coded(circumstances)
    alikes = [_alike(one, number_of) for one in parts]
    numbers = struct.pack(
        _layout(number), *codes, *signer_codes, *[at - from_ms for at in at_ms], *sent, *received, *durations
    )
    return Packed(
        from_ms, at_ms[-1], number, _json(alikes), _json(signers), numbers, _json(keys), " ".join(request_ids),
        members_of(alikes, signers),
    )  # fmt: skip


def _coded(values: Sequence[T]) -> tuple[list[T], Iterable[int]]:
    """Return each value once, and of all of them the place where they stand there."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return list(places), map(places.__getitem__, values)


def _layout(number: int) -> str:
    return f"<{3 * number}H{3 * number}q"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _alike(one: Circumstances, number_of: Callable[[Party], int]) -> Alike:
    return Alike(
        int(one.is_proved), number_of(one.party), number_of(Party(one.party.account)),
        number_of(one.owner), one.operation, one.bucket, one.status, one.address, one.agent, one.referrer,
    )  # fmt: skip


def members_of(alikes: Iterable[Alike], signers: Iterable[str]) -> frozenset[Member]:
    """Return by what a block with these circumstances and signers is found."""
    # As many as there are attempts at most, so not one by one: this is `signed_by` of all of them.
    found: set[Member] = set(zip(repeat(_SIGNER), map(crc32, map(str.encode, signers)), strict=False))
    for one in alikes:
        if one.bucket is not None:
            found.add(in_bucket(one.bucket))
        found |= {(Kind.ACCOUNT.value, one.account), (Kind.ACCOUNT.value, one.owner)}
        if one.party != one.account:
            found.add((Kind.USER.value, one.party))
    return frozenset(found)


def signed_by(signer: str) -> Member:
    """Return by what blocks are found that may hold attempts of a link or a key."""
    # A number is looked up, and put between others, quicker than a text. Those that share one are told apart inside.
    return _SIGNER, crc32(signer.encode())


def in_bucket(bucket: str) -> Member:
    """Return by what blocks are found that may hold attempts on a bucket."""
    return Kind.BUCKET.value, crc32(bucket.encode())


class DamagedBlockError(Exception):
    """What is kept of a block is not what was written."""


class Unpacked:
    """A block as it was read. Keys and ids of requests are read when they are wanted."""

    def __init__(self, row: Sequence[Any], read_names: Callable[[int], tuple[str, str]]) -> None:
        """`row` is what `statements.BLOCK` selects, and `read_names` returns what `statements.NAMES` does.

        Raises:
            DamagedBlockError
        """
        self.last_id, self._from_ms, number, circumstances, signers, numbers = row
        self.first_id: int = self.last_id - number + 1
        self.number: int = number
        self._read_names = read_names
        self._names: tuple[list[str | None], list[str]] | None = None
        try:
            self._numbers: tuple[int, ...] = struct.unpack(_layout(number), numbers)
            self.alikes = [Alike(*one) for one in json.loads(circumstances)]
            self.signers: list[str] = json.loads(signers)
        except (struct.error, ValueError, TypeError) as error:
            raise DamagedBlockError from error
        if not self._is_sound():
            raise DamagedBlockError

    def _is_sound(self) -> bool:
        """Return whether what is looked up by a number is there, and the instants are in order."""
        offsets = self._numbers[2 * self.number : 3 * self.number]
        return (
            max(self.codes, default=-1) < len(self.alikes)
            and max(self.signer_codes, default=-1) < len(self.signers)
            and sorted(offsets) == list(offsets)
        )

    @property
    def codes(self) -> Sequence[int]:
        """Which circumstances each attempt has, by their place in `alikes`."""
        return self._numbers[: self.number]

    @property
    def signer_codes(self) -> Sequence[int]:
        """Who signed each attempt, by the place in `signers`."""
        return self._numbers[self.number : 2 * self.number]

    @property
    def instants(self) -> Sequence[int]:
        """In milliseconds, in order."""
        from_ms = self._from_ms
        return [from_ms + offset for offset in self._numbers[2 * self.number : 3 * self.number]]

    @property
    def keys(self) -> Sequence[str | None]:
        return self._read()[0]

    @property
    def request_ids(self) -> Sequence[str]:
        return self._read()[1]

    def alike(self, place: int) -> Alike:
        """Return the circumstances of the attempt at a place in the block."""
        return self.alikes[self._numbers[place]]

    def signer(self, place: int) -> str:
        return self.signers[self._numbers[self.number + place]]

    def measures(self, place: int) -> tuple[int, int, int]:
        """Return the bytes sent, the bytes received, and the microseconds of an attempt."""
        sent = 3 * self.number + place
        numbers = self._numbers
        return numbers[sent], numbers[sent + self.number], numbers[sent + 2 * self.number]

    def _read(self) -> tuple[list[str | None], list[str]]:
        if self._names is None:
            keys, request_ids = self._read_names(self.last_id)
            self._names = json.loads(keys), request_ids.split(" ")
        return self._names
