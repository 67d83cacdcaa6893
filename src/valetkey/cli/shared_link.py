"""The URL that `valetkey share` gives out: a managed link where the server has links, else a presigned URL."""

from datetime import UTC, datetime, timedelta
from typing import Final

from valetkey import PresignedURL
from valetkey.cli.admin_client import AdminClient
from valetkey.cli.credentials import Account
from valetkey.cli.errors import BadInputError
from valetkey.cli.lifetime import MAX_LIFETIME
from valetkey.cli.presign import Wish, sign

_WEEK: Final = f"{MAX_LIFETIME.days} days"


def find_client(
    account: Account, *, lifetime: timedelta, uses: int | None, is_plain: bool
) -> AdminClient | None:
    """Return what issues the link; None where an ordinary presigned URL is to be given out.

    Raises:
        BadInputError: what is asked for takes a link, and there can be none.
    """
    reason = "--plain was given"
    if not is_plain:
        if account.credentials.session_token is not None:
            reason = "temporary credentials issue none"
        elif account.endpoint is not None and (client := AdminClient(account)).is_valetkey():
            return client
        else:
            reason = "the server is no Valetkey"
    if uses is not None:
        raise BadInputError(f"--uses takes a managed link, and {reason}")
    if lifetime > MAX_LIFETIME:
        raise BadInputError(f"only a managed link holds longer than {_WEEK}, and {reason}")
    return None


def give_out(client: AdminClient | None, account: Account, wish: Wish, *, uses: int | None) -> PresignedURL:
    """Return the URL for what is stored, from now on.

    Raises:
        CliError: the server refused the link.
    """
    now = datetime.now(UTC)
    if client is None:
        return sign(account, wish, at=now)
    body = {
        "operations": [wish.method],
        "bucket": wish.location.bucket,
        "key": wish.location.key,
        "ends": (now + wish.lifetime).isoformat(),
        "max_uses": uses,
        "filename": wish.filename,
    }
    made = client.send("POST", "links", body=body)
    return PresignedURL(made["url"], wish.method, datetime.fromisoformat(made["ends"]), {})
