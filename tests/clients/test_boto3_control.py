"""boto3 and the AWS CLI block public access for a whole account."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import pytest
from botocore.exceptions import ClientError
from tests.clients.aws_cli import AwsCli
from tests.clients.boto import refusal
from tests.clients.identities import root_of

from valetkey.testing.server import RunningServer

ALL: Final = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@pytest.mark.parametrize("is_virtual", [False, True], ids=["plain", "with-domains"])
def test_the_number_of_the_account_stands_in_the_host(
    server: RunningServer, virtual_server: RunningServer, *, is_virtual: bool
) -> None:
    """As boto3 and all of Amazon's SDKs write it, also where a bucket's name could stand there."""
    running = virtual_server if is_virtual else server
    caller = root_of(running)
    number = caller.client("sts").get_caller_identity()["Account"]
    here = replace(running, endpoint=f"http://localhost:{running.port}")
    client = replace(caller, server=here).client("s3control")
    with pytest.raises(ClientError) as caught:
        client.get_public_access_block(AccountId=number)
    assert refusal(caught.value) == (404, "NoSuchPublicAccessBlockConfiguration")
    client.put_public_access_block(AccountId=number, PublicAccessBlockConfiguration=ALL)
    try:
        found = client.get_public_access_block(AccountId=number)
        assert found["PublicAccessBlockConfiguration"] == ALL
    finally:
        client.delete_public_access_block(AccountId=number)


def test_the_aws_cli_reaches_it_with_the_server_as_its_proxy(server: RunningServer, aws: AwsCli) -> None:
    number = aws.json("sts", "get-caller-identity")["Account"]
    proxied = aws.behind_proxy(server.endpoint)
    flags = ",".join(f"{name}=true" for name in ALL)
    whose = ("--account-id", number)
    proxied("s3control", "put-public-access-block", *whose, "--public-access-block-configuration", flags)
    try:
        found = json.loads(proxied("s3control", "get-public-access-block", *whose, "--output", "json"))
        assert found["PublicAccessBlockConfiguration"] == ALL
    finally:
        proxied("s3control", "delete-public-access-block", *whose)
    printed = proxied("s3control", "get-public-access-block", *whose, status=255)
    assert "NoSuchPublicAccessBlockConfiguration" in printed
