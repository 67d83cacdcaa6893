"""A server that fails on demand, and an account on it."""

from collections.abc import Iterator

import pytest
from tests.cli.fake_s3 import FakeS3, serving

from valetkey import Secret
from valetkey.cli.credentials import Account, Addressing, Credentials, Origin


@pytest.fixture
def fake_s3() -> Iterator[FakeS3]:
    with serving() as fake:
        yield fake


@pytest.fixture
def fake_account(fake_s3: FakeS3) -> Account:
    return Account(
        credentials=Credentials(access_key="AK", secret_key=Secret("SK"), origin=Origin.FLAGS),
        region="us-east-1",
        endpoint=fake_s3.endpoint,
        addressing=Addressing.AUTO,
    )
