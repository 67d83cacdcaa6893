"""A comparison of servers: started together, given the same objects, loaded by turns."""

from __future__ import annotations

import tempfile
import urllib.error
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.objects import BUCKET, key_of, send
from bench.peers.peer import Kind, Peer
from bench.rounds import AbsentSide, Comparison, Field, MissingPeerError, Plan, Side, Unit
from bench.usage import Done, Metered

Work = Callable[[float], Done]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One of those that are compared, and what is promised against it."""

    kind: Kind
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What one entry does, and with whom. The first of the rivals is ours."""

    rivals: Sequence[Rival]
    prepare: Callable[[Peer, Path, Plan], Work]
    """Give a server its objects, try it, and return what loads it. The folder is the same for all."""
    workers: int = 1
    rounds: int = 3
    slice_s: float = 1.0
    is_warmed_up: bool = True


class UnableError(Exception):
    """A server does not know what is to be measured. The text is a sentence."""


def comparison(
    name: str, title: str, unit: Unit, contest: Contest, *, panel: str | None = None
) -> Comparison:
    """Return the entry for a contest."""
    prepare: Callable[[Plan], AbstractContextManager[Field]] = partial(_field, contest)
    return Comparison(name=name, title=title, unit=unit, prepare=prepare, panel=panel)


@contextmanager
def _field(contest: Contest, plan: Plan) -> Iterator[Field]:
    sides: list[Side] = []
    absent: list[AbsentSide] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="valetkey-bench-")))
        for number, rival in enumerate(contest.rivals[:1] if plan.is_alone else contest.rivals):
            own = folder / f"side{number}"
            own.mkdir()
            try:
                peer = stack.enter_context(rival.kind.running(own, contest.workers))
                sides.append(_side(contest, rival, peer, folder, plan))
            except (MissingPeerError, UnableError) as error:
                if rival is contest.rivals[0]:
                    raise
                absent.append(AbsentSide(name=rival.kind.name, reason=str(error), goal=rival.goal))
        yield Field(
            sides=sides,
            slice_s=min(contest.slice_s, plan.load_slice_s),
            notes=[f"{each.name} is left out. {each.reason}" for each in absent],
            absent=absent,
            rounds=contest.rounds,
            is_warmed_up=contest.is_warmed_up,
        )


def _side(contest: Contest, rival: Rival, peer: Peer, folder: Path, plan: Plan) -> Side:
    try:
        metered = Metered(
            peer.name,
            contest.prepare(peer, folder, plan),
            root_processes=peer.root_processes,
            workers=contest.workers,
        )
        is_checked = _refuses_altered(peer)
    except (RuntimeError, OSError) as error:
        error.add_note(peer.name)
        raise
    if rival.kind.must_check and not is_checked:
        raise RuntimeError(f"{peer.name} answered a URL with an altered signature.")
    return Side(
        name=peer.name if is_checked or peer.files else f"{peer.name}, unchecked",
        measure=metered.measure,
        goal=rival.goal,
        usage=metered.usage,
    )


def _refuses_altered(peer: Peer) -> bool:
    """Return whether a server refuses a signature of which one digit is another."""
    url = peer.link(f"/{BUCKET}/{key_of(0)}", 60) if peer.link else _signed(peer)
    mark = "md5=" if peer.link else "X-Amz-Signature="
    before, _, after = url.partition(mark)
    altered = f"{before}{mark}{'0' if after[0] != '0' else '1'}{after[1:]}"
    try:
        send("GET", altered)
    except urllib.error.HTTPError as error:
        with error:
            return error.code == 403
    return False


def _signed(peer: Peer) -> str:
    return str(peer.signer.presign("GET", BUCKET, key_of(0)))
