"""Asking a server's admin API, for the commands that manage accounts, users, keys and policies."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from valetkey.cli.credentials import Account
from valetkey.cli.discovery import AccountFlags, discover_account
from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.presign import make_signer
from valetkey.cli.surroundings import real_surroundings
from valetkey.cli.transport import UnreachableError, exchange, open_pools, reason_of
from valetkey.sigv4.encoding import encode_component

_PATH: Final = "/-/api/v1/"

Json = dict[str, Any]


class AdminClient:
    """Sends requests for one account."""

    def __init__(self, account: Account, *, acting_in: str | None = None) -> None:
        """`acting_in` is an account, by id, number or name, that the root account works in."""
        if account.endpoint is None:
            raise BadInputError("set VALETKEY_ENDPOINT to where the server is, or use --endpoint")
        self._endpoint = account.endpoint.rstrip("/")
        self._signer = make_signer(account)
        self._acting_in = acting_in
        self._pools = open_pools(account)

    def send(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, object] | None = None,
        keeps_none: bool = False,
    ) -> Json:
        """Return what the server answers. Parameters that are None are left out, and members unless `keeps_none`.

        Raises:
            BadInputError: a part of the path is empty.
            CliError: the server refused, could not be reached, or is none of ours.
        """
        if not all(path):
            raise BadInputError("a name must not be empty")
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        if self._acting_in is not None:
            parameters["account"] = self._acting_in
        url = self._endpoint + _PATH + "/".join(encode_component(part) for part in path)
        if parameters:
            url += "?" + urlencode(sorted(parameters.items()), safe="-_.~").replace("+", "%20")
        sent = b""
        if body is not None:
            given = {name: value for name, value in body.items() if keeps_none or value is not None}
            sent = json.dumps(given).encode()
        headers = {"content-type": "application/json"} if sent else {}
        signed = self._signer.sign_headers(method, url, headers, body=sent, at=datetime.now(UTC))
        try:
            answer = exchange(self._pools, method, url, headers=signed, body=sent)
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"cannot reach {self._endpoint}: {reason_of(error)}") from error
        return _read(answer.status, answer.body)

    def is_valetkey(self) -> bool:
        """Return whether the server is one of ours. Nothing secret is sent."""
        try:
            answer = exchange(self._pools, "GET", f"{self._endpoint}/-/health", headers={})
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200 and answer.headers.get("server") == "Valetkey"

    def pages(self, name: str, *path: str, query: Mapping[str, str | None] | None = None) -> Iterator[Json]:
        """Yield all entries of a listing, whose member `name` holds those of a page.

        Raises:
            CliError
        """
        after: str | None = None
        while True:
            page = self.send("GET", *path, query={**(query or {}), "after": after})
            yield from entries_of(page, name)
            after = page.get("next")
            if after is None:
                return


def open_client(
    *, endpoint: str | None, region: str | None, profile: str | None, account: str | None = None
) -> AdminClient:
    """Return a client with the credentials that variables and files name.

    Raises:
        BadInputError: there are none, or no server is named.
    """
    flags = AccountFlags(endpoint=endpoint, region=region, profile=profile)
    return AdminClient(discover_account(flags, real_surroundings()), acting_in=account)


def entries_of(answer: Json, name: str) -> list[Json]:
    """Return the list of objects that an answer holds.

    Raises:
        CliError: it holds none, as no Valetkey answers.
    """
    found = answer.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise CliError(f"the server answered, but without {name}: is it a Valetkey?")
    return found


def _read(status: int, data: bytes) -> Json:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CliError(f"the server answered {status}, and no JSON: is it a Valetkey?") from error
    if status == 200 and isinstance(answer, dict):
        return answer
    fault = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(fault, dict):
        raise CliError(f"the server answered {status} {fault.get('code')}: {fault.get('message')}")
    raise CliError(f"the server answered {status}: {fault if isinstance(fault, str) else 'no reason given'}")
