"""A server with several accounts, and users in them, all of whom want more than they were given."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from tests.clients.admin import ask_admin
from tests.clients.identities import Caller, Client, new_user, policy, root_of
from tests.leaks import SECRETS

from valetkey.testing.server import RunningServer


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    """Return the code of the error that a call of boto3 ends with, or `done`."""
    try:
        call(**arguments)
    except ClientError as error:
        code: str = error.response["Error"]["Code"]
        return code
    return "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """The server, and what is made in it: each test makes its own."""

    server: RunningServer
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def root(self) -> Caller:
        return root_of(self.server)

    def name(self, what: str) -> str:
        """Return a name that nobody else has."""
        return f"{what}-{next(self.numbers)}"

    def account(self) -> Caller:
        """Make another account, and return its root."""
        status, made = ask_admin(self.server, "POST", "accounts", {"name": self.name("account")})
        assert status == 200, made
        SECRETS[f"the secret of {made['access_key']}"] = made["secret_key"]
        return Caller(server=self.server, access_key=made["access_key"], secret_key=made["secret_key"])

    def user(self, *statements: Mapping[str, object], of: Caller | None = None) -> tuple[str, Caller]:
        """Make a user who may do what the statements say; return its name too."""
        name = self.name("user")
        documents = [policy(*statements)] if statements else []
        return name, new_user(of or self.root, name, *documents)

    def bucket(self, owner: Caller | None = None, *statements: Mapping[str, object], **options: Any) -> str:
        """Make a bucket, with a policy of these statements about it; `BUCKET` in them is its name."""
        name = self.name("bucket")
        s3 = (owner or self.root).client("s3")
        s3.create_bucket(Bucket=name, **options)
        if statements:
            text = policy(*statements).replace("BUCKET", name)
            s3.put_bucket_policy(Bucket=name, Policy=text)
        return name

    def admin(
        self, caller: Caller, method: str, path: str, body: object = None
    ) -> tuple[int, Mapping[str, Any]]:
        """Ask the admin API as somebody."""
        return ask_admin(self.server, method, path, body, key=(caller.access_key, caller.secret_key))


def number_of(caller: Caller) -> str:
    """Return the 12 digits of a caller's account."""
    number: str = caller.client("sts").get_caller_identity()["Account"]
    return number


def id_of(caller: Caller) -> str:
    """Return the canonical user id of a caller's account, whose root it is."""
    owner: str = caller.client("s3").list_buckets()["Owner"]["ID"]
    return owner


def put(s3: Client, bucket: str, key: str, body: bytes = b"x", **more: Any) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=body, **more)


def to_json(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
