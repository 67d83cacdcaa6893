"""boto3 clients of one server for whoever has a key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config
from tests.leaks import SECRETS

from valetkey.testing.server import RunningServer

Client = Any
"""boto3 makes the classes at run time."""

EVERYTHING_IN_S3: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
)


def policy(*statements: Mapping[str, object]) -> str:
    """Return a document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str = "*", **more: object) -> dict[str, object]:
    """Return a statement that allows something."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose clients they are."""

    server: RunningServer
    access_key: str
    secret_key: str
    token: str | None = None

    def client(self, service: str, **options: Any) -> Client:
        """Return a client of a service; `options` go to its `Config`."""
        # Typed for names that are written out; here the name is an argument.
        session: Any = boto3.session.Session(
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.token,
            region_name=self.server.region,
        )
        settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}} | options
        return session.client(service, endpoint_url=self.server.endpoint, config=Config(**settings))

    def with_key(self, key: Mapping[str, str]) -> Caller:
        """Return the caller that an access key or credentials of STS stand for."""
        SECRETS[f"the secret of {key['AccessKeyId']}"] = key["SecretAccessKey"]
        if "SessionToken" in key:
            SECRETS[f"the token of {key['AccessKeyId']}"] = key["SessionToken"]
        return Caller(
            server=self.server,
            access_key=key["AccessKeyId"],
            secret_key=key["SecretAccessKey"],
            token=key.get("SessionToken"),
        )


def root_of(server: RunningServer) -> Caller:
    """Return the root account."""
    return Caller(server=server, access_key=server.access_key, secret_key=server.secret_key)


def new_user(root: Caller, name: str, *documents: str) -> Caller:
    """Make a user with a key and these inline policies."""
    iam = root.client("iam")
    iam.create_user(UserName=name)
    for number, document in enumerate(documents):
        iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=document)
    return root.with_key(iam.create_access_key(UserName=name)["AccessKey"])
