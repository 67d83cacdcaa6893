import io
from pathlib import Path

import pytest
from tests.cli.fake_s3 import Failure, FakeS3

from valetkey.cli.credentials import Account
from valetkey.cli.errors import CliError
from valetkey.cli.file_slice import FileSlice
from valetkey.cli.location import Location
from valetkey.cli.transport import MAX_ATTEMPTS, RefusedError, Request, Transport, UnreachableError

KEY = Location(bucket="b", key="k")
PUT = Request(method="PUT", location=KEY, body=b"hello")


class Pauses(list[float]):
    """Notes how long it was asked to wait, and does not."""

    __call__ = list.append


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Failure(when=lambda _: True, status=503), id="overloaded"),
        pytest.param(Failure(when=lambda _: True, status=500, code="InternalError"), id="broken"),
        pytest.param(Failure(when=lambda _: True, status=502, body=b"<html>"), id="proxy's page"),
        pytest.param(Failure(when=lambda _: True, status=400, code="RequestTimeout"), id="too slow"),
        pytest.param(Failure(when=lambda _: True, status=0), id="connection lost"),
        pytest.param(
            Failure(when=lambda _: True, status=200, code="InternalError"), id="an error called 200"
        ),
    ],
)
def test_passing_trouble_is_outlived(fake_s3: FakeS3, fake_account: Account, failure: Failure) -> None:
    fake_s3.failures += [failure, failure]
    pauses = Pauses()

    answer = Transport(fake_account, pause=pauses).send(PUT)

    assert (answer.status, answer.headers["ETag"]) == (200, '"whole"')
    assert len(fake_s3.seen) == 3
    assert pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        pytest.param(
            Failure(when=lambda _: True, status=403, code="AccessDenied"),
            "the server answered 403 AccessDenied: because",
            id="refused",
        ),
        pytest.param(
            Failure(when=lambda _: True, status=404, body=b""),
            "the server answered 404 no reason given",
            id="refused without a word",
        ),
        pytest.param(
            Failure(when=lambda _: True, status=307, code="TemporaryRedirect"),
            "the server answered 307 TemporaryRedirect: because",
            id="sent elsewhere",
        ),
    ],
)
def test_refusal_is_final(fake_s3: FakeS3, fake_account: Account, failure: Failure, sentence: str) -> None:
    fake_s3.failures.append(failure)

    with pytest.raises(RefusedError) as raised:
        Transport(fake_account, pause=Pauses()).send(PUT)

    assert str(raised.value) == sentence
    assert len(fake_s3.seen) == 1


def test_lasting_trouble_is_reported_after_the_last_attempt(fake_s3: FakeS3, fake_account: Account) -> None:
    fake_s3.failures += [Failure(when=lambda _: True)] * 20
    pauses = Pauses()

    with pytest.raises(RefusedError, match="503 SlowDown") as raised:
        Transport(fake_account, pause=pauses).send(PUT)

    assert raised.value.attempts == len(fake_s3.seen) == MAX_ATTEMPTS
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_absent_server_is_named(fake_s3: FakeS3, fake_account: Account) -> None:
    fake_s3.failures += [Failure(when=lambda _: True, status=0)] * 20

    with pytest.raises(UnreachableError, match=f"cannot reach {fake_account.endpoint}: .*without response"):
        Transport(fake_account, pause=Pauses()).send(PUT, attempts=2)


@pytest.mark.parametrize("key", ["a/../b", "./a", "//a//", "a+b %41 ä?x#y", "🔑/."])
def test_key_reaches_the_server_unchanged(fake_s3: FakeS3, fake_account: Account, key: str) -> None:
    Transport(fake_account, pause=Pauses()).send(
        Request(method="PUT", location=Location(bucket="b", key=key), query={"x y": "ä&"})
    )

    assert fake_s3.seen[0].path == f"/b/{key}"
    assert fake_s3.seen[0].query == {"x y": "ä&"}


def test_progress_is_taken_back_when_bytes_must_be_sent_again(fake_s3: FakeS3, fake_account: Account) -> None:
    fake_s3.failures.append(Failure(when=lambda _: True))
    body = FileSlice(file=io.BytesIO(b"x" * 10), path=Path("f"), start=2, size=5)
    told: list[int] = []

    Transport(fake_account, pause=Pauses()).send(
        Request(method="PUT", location=KEY, body=body), observe=told.append
    )

    assert told == [5, -5, 5]
    assert fake_s3.objects["/b/k"][0] == 5


def test_file_that_shrinks_is_not_waited_for(fake_account: Account) -> None:
    body = FileSlice(file=io.BytesIO(b"xyz"), path=Path("f"), start=0, size=5)

    with pytest.raises(CliError, match="f became shorter"):
        Transport(fake_account, pause=Pauses()).send(Request(method="PUT", location=KEY, body=body))
