"""What became of presigned URLs, to whom it concerns."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.console.schema import COUNT, FLAG, INSTANT, TEXT, TEXT_OR_NULL, Member, Shape, listing
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import Form, Kind
from valetkey.links.history.model import Entry, Party, Place, Sight, Wanted
from valetkey.links.history.reader import MOST_ENTRIES, HistoryReader
from valetkey.policy.principal import PrincipalKind

_TEXT: Final = Kind(least=0, most=1024)
_PREFIX: Final = Member(name="prefix", help="Only objects whose keys begin so; with the bucket.", kind=_TEXT)
FILTERS: Final = (
    Member(name="id", help="Only what this access key signed.", kind=_TEXT),
    Member(name="bucket", help="Only what is in this bucket.", kind=_TEXT),
    _PREFIX,
    Member(name="status", help="Only answers of this status.", kind=Kind(most=3)),
    Member(name="refused", help="true: only what was refused.", kind=Kind(pattern="true|false", most=5)),
    Member(name="since", help="From this instant on, ISO 8601.", kind=Kind(most=64)),
    Member(name="until", help="Before this instant, ISO 8601.", kind=Kind(most=64)),
)

ATTEMPT: Final = Shape(
    "Attempt",
    {
        "id": COUNT,
        "time": INSTANT,
        "request_id": TEXT,
        "access_key": TEXT,
        "proved": FLAG,
        "account": TEXT_OR_NULL,
        "user": TEXT_OR_NULL,
        "operation": TEXT_OR_NULL,
        "bucket": TEXT_OR_NULL,
        "key": TEXT_OR_NULL,
        "status": COUNT,
        "error_code": TEXT_OR_NULL,
        "bytes_sent": {"type": "integer"},
        "bytes_received": COUNT,
        "duration_ms": {"type": "number"},
        "remote": TEXT_OR_NULL,
        "user_agent": TEXT_OR_NULL,
        "referrer": TEXT_OR_NULL,
    },
)
ATTEMPTS: Final = listing("attempts", ATTEMPT)

_DEFAULT_ENTRIES: Final = 100
_PLACE: Final = re.compile(r"([0-9]{1,15})-([0-9]{1,18})")
_NEXT_ID: Final = re.compile(r"[0-9]{1,18}")


async def list_history(call: AdminCall) -> Json:
    """Return attempts, newest first."""
    limit = Form(call.query).number("limit", least=1, most=MOST_ENTRIES) or _DEFAULT_ENTRIES
    reader, sight, wanted = _reader(call), sight_of(call), _wanted(call)
    page = await reader.page(sight, wanted, after=_place(call), limit=limit)
    place = page.next_place
    return {
        "attempts": [shown(entry) for entry in page.entries],
        "next": None if place is None else f"{place.at_ms}-{place.id}",
    }


async def follow_history(call: AdminCall) -> Json:
    """Return attempts that were written since the last call, in that order; the first call begins now."""
    after = call.query.get("after")
    if after is not None and not _NEXT_ID.fullmatch(after):
        raise _invalid("after")
    reader, sight, wanted = _reader(call), sight_of(call), _wanted(call)
    entries, last = await reader.tail(sight, wanted, after_id=None if after is None else int(after))
    return {"attempts": [shown(entry) for entry in entries], "next": str(last)}


def sight_of(call: AdminCall) -> Sight:
    """Return whose attempts the caller sees.

    Raises:
        IamError: AccessDenied, for callers that are neither an account's root nor a user.
    """
    principal = call.iam.principal
    if call.is_root and "account" not in call.query:
        return Sight(is_all=True)
    if principal.kind is PrincipalKind.ACCOUNT:
        return Sight(party=Party(principal.account_id))
    if principal.kind is PrincipalKind.USER:
        made_ms = call.store.identities.find_user(principal.account_id, principal.name).user.created_ms
        return Sight(party=Party(principal.account_id, principal.name), since_ms=made_ms)
    raise IamError(IamCode.ACCESS_DENIED, "A session of a role has no history of its own.")


def shown(entry: Entry) -> dict[str, object]:
    """Return an attempt as the API shows it. Names are those of the access log where it has one."""
    attempt = entry.attempt
    return {
        "id": entry.id,
        "time": _iso(attempt.at_ms),
        "request_id": attempt.request_id,
        "access_key": attempt.signer,
        "proved": attempt.is_proved,
        "account": attempt.party.account or None,
        "user": attempt.party.user or None,
        "operation": attempt.operation,
        "bucket": attempt.bucket,
        "key": attempt.key,
        "status": attempt.status,
        "error_code": attempt.error,
        "bytes_sent": attempt.sent_bytes,
        "bytes_received": attempt.received_bytes,
        "duration_ms": attempt.duration_us / 1000,
        "remote": attempt.address,
        "user_agent": attempt.agent,
        "referrer": attempt.referrer or None,
    }


def _iso(at_ms: int) -> str:
    instant = datetime.fromtimestamp(at_ms / 1000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _reader(call: AdminCall) -> HistoryReader:
    if call.history is None:
        raise IamError(IamCode.NO_SUCH_ENTITY, "No history is kept: VALETKEY_HISTORY_DAYS is 0.")
    return call.history


def _wanted(call: AdminCall) -> Wanted:
    """Return what is asked for.

    Raises:
        IamError: ValidationError.
    """
    query = call.query
    if "prefix" in query and "bucket" not in query:
        raise IamError(IamCode.VALIDATION_ERROR, "A prefix is asked for together with its bucket.")
    return Wanted(
        signer=query.get("id"),
        bucket=query.get("bucket"),
        prefix=query.get("prefix"),
        status=Form(query).number("status", least=0, most=599),
        refused_only=query.get("refused") == "true",
        since_ms=_instant(call, "since"),
        until_ms=_instant(call, "until"),
    )


def _instant(call: AdminCall, name: str) -> int | None:
    text = call.query.get(name)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return max(0, round(aware.timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise _invalid(name) from error


def _place(call: AdminCall) -> Place | None:
    text = call.query.get("after")
    if text is None:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise _invalid("after")
    return Place(int(found[1]), int(found[2]))


def _invalid(name: str) -> IamError:
    return IamError(IamCode.VALIDATION_ERROR, f"The parameter {name} has a value that cannot be.")
