"""The server explains what it refused: to whom the key belongs, afterwards, and in whichever worker it happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.admin_links import new_link
from tests.clients.identities import Caller, allow
from tests.raw.realm import Realm, id_of
from tests.raw.wire import fetch

from valetkey import Signer
from valetkey.cli.main import main
from valetkey.processes.ring import PARTITIONS, SLOT_BYTES, SLOTS, partition_of
from valetkey.testing.server import RunningServer, running_server


@pytest.fixture(scope="module")
def explaining(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("explaining") / "data", workers=2) as server:
        yield server


@pytest.fixture(scope="module")
def realm(explaining: RunningServer) -> Realm:
    return Realm(server=explaining)


def link(caller: Caller, bucket: str = "bucket", method: str = "GET", **options: Any) -> str:
    signer = Signer(
        caller.access_key,
        caller.secret_key,
        region="us-east-1",
        endpoint=caller.server.endpoint,
        session_token=caller.token,
    )
    return signer.presign(method, bucket, "key", **options).url


def header(answer: Any, name: str) -> str:
    found: str = next(value for each, value in answer.headers if each.lower() == name)
    return found


def refused(url: str, **options: Any) -> str:
    """Ask for what is refused, and return the id of the request, which header and document give alike."""
    answer = fetch(url, **options)
    assert answer.status in (400, 403), answer
    request_id = header(answer, "x-amz-request-id")
    assert f"<RequestId>{request_id}</RequestId>".encode() in answer.body
    return request_id


def explained(realm: Realm, caller: Caller, request_id: str) -> Any:
    status, answer = realm.admin(caller, "GET", f"refusals/{request_id}")
    assert status == 200, answer
    return answer


def causes(answer: Any) -> list[str]:
    return [found["cause"] for found in answer["explanation"]["findings"] if not found["is_note"]]


def test_a_refusal_is_explained_by_its_id_in_any_worker(realm: Realm) -> None:
    ids = [refused(f"{link(realm.root)}&utm_source={number}") for number in range(6)]
    for request_id in ids:
        answer = explained(realm, realm.root, request_id)
        assert causes(answer) == ["extra-parameter"]
        assert answer["explanation"]["server"]["code"] == "SignatureDoesNotMatch"
    status, answer = realm.admin(realm.root, "GET", "refusals?limit=6")
    assert (status, {kept["request_id"] for kept in answer["refusals"]}) == (200, set(ids))


def test_the_last_one_is_named_so(realm: Realm) -> None:
    account = realm.account()
    refused(link(account), headers={"x-amz-acl": "private"})
    assert causes(explained(realm, account, "last")) == ["header-not-signed"]


def test_a_signature_of_sigv2_is_checked_afterwards(realm: Realm) -> None:
    account = realm.account()
    options = {"signature_version": "s3", "s3": {"addressing_style": "path"}}
    url = account.client("s3", **options).generate_presigned_url(
        "put_object", Params={"Bucket": "b", "Key": "k"}
    )
    refused(url, method="PUT", headers={"Content-Type": "application/json"}, body=b"x")
    assert causes(explained(realm, account, "last")) == ["content-type"]


def test_what_a_policy_denies_was_signed_rightly(realm: Realm) -> None:
    _, user = realm.user()
    bucket = realm.bucket()
    refused(link(user, bucket))
    answer = explained(realm, user, "last")
    assert answer["explanation"]["signature"] == "matches"
    assert causes(answer) == ["refused"]


def test_a_key_that_counts_no_more_is_explained_to_its_owner(realm: Realm) -> None:
    name, user = realm.user()
    realm.root.client("iam").update_access_key(UserName=name, AccessKeyId=user.access_key, Status="Inactive")
    request_id = refused(link(user))
    assert causes(explained(realm, realm.root, request_id)) == ["unknown-key"]


def test_only_the_owner_and_the_root_account_see_it(realm: Realm) -> None:
    account = realm.account()
    _, user = realm.user(allow("*"), of=account)
    _, other_user = realm.user(allow("*"), of=account)
    request_id = refused(f"{link(user)}&a=b")
    for caller in (user, account, realm.root):
        assert causes(explained(realm, caller, request_id)) == ["extra-parameter"]
        assert request_id in str(realm.admin(caller, "GET", "refusals")[1])
    for caller in (other_user, realm.account()):
        status, answer = realm.admin(caller, "GET", f"refusals/{request_id}")
        assert (status, answer["error"]["code"]) == (404, "NoSuchEntity")
        assert request_id not in str(realm.admin(caller, "GET", "refusals")[1])


def test_a_session_is_no_owner(realm: Realm) -> None:
    account = realm.account()
    session = account.with_key(account.client("sts").get_session_token()["Credentials"])
    status, _ = realm.admin(session, "GET", "refusals")
    assert status == 403


def test_what_is_pasted_is_checked_for_the_owner_only(realm: Realm) -> None:
    account = realm.account()
    _, user = realm.user(allow("*"), of=account)
    text = f"curl '{link(user)}&a=b'"
    for caller in (user, account, realm.root):
        status, answer = realm.admin(caller, "POST", "explain", {"text": text})
        assert (status, causes(answer)) == (200, ["extra-parameter"])
    for caller in (realm.account(), realm.user(allow("*"), of=account)[1]):
        status, answer = realm.admin(caller, "POST", "explain", {"text": text})
        assert (status, answer["explanation"]["signature"], causes(answer)) == (200, "no-secret", [])


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"text": "nothing"}, {"text": "x" * 70_000}])
def test_what_cannot_be_explained_is_refused(realm: Realm, body: dict[str, object]) -> None:
    status, answer = realm.admin(realm.root, "POST", "explain", body)
    assert (status, answer["error"]["code"]) == (400, "ValidationError")


def test_unknown_callers_leave_nothing_and_learn_nothing(realm: Realm) -> None:
    unknown = Caller(server=realm.server, access_key="NOBODY", secret_key="secret")
    url = link(unknown)
    answer = fetch(url)
    assert answer.status == 403
    elements = re.findall(rb"<(\w+)>", answer.body)
    assert elements == [b"Error", b"Code", b"Message", b"AWSAccessKeyId", b"RequestId", b"HostId"]
    status, _ = realm.admin(realm.root, "GET", f"refusals/{header(answer, 'x-amz-request-id')}")
    assert status == 404
    assert fetch(f"{realm.server.endpoint}/-/api/v1/refusals/last").status == 403


def test_a_managed_link_is_explained_by_its_own_rules(realm: Realm) -> None:
    account = realm.account()
    pair = (account.access_key, account.secret_key)
    made = new_link(realm.server, realm.bucket(account), prefix="in/", signed_by=pair)
    for url, expected in (
        (made.to("any.txt"), []),
        (made.to("any.txt").replace("in/", "out/"), ["refused"]),
        (f"curl -X DELETE '{made.to('any.txt')}'", ["refused"]),
    ):
        _, answer = realm.admin(account, "POST", "explain", {"text": url})
        assert (answer["explanation"]["signature"], causes(answer)) == ("matches", expected)
    _, answer = realm.admin(account, "POST", "explain", {"text": made.url.replace("=host", "=hosts")})
    assert answer["explanation"]["signature"] != "matches"
    realm.admin(account, "POST", f"links/{made.id}/revoke")
    _, answer = realm.admin(account, "POST", "explain", {"text": made.url})
    assert "LinkRevoked" in str(answer["explanation"]["findings"])
    request_id = refused(made.to("any.txt"))
    answer = explained(realm, account, request_id)
    assert (answer["explanation"]["signature"], causes(answer)) == ("matches", ["refused"])
    assert realm.admin(realm.account(), "GET", f"refusals/{request_id}")[0] == 404


def test_explaining_lets_nothing_in(realm: Realm) -> None:
    bucket = realm.bucket()
    url = f"{link(realm.root, bucket, 'PUT')}&a=b"
    explained(realm, realm.root, refused(url, method="PUT", body=b"x"))
    refused(url, method="PUT", body=b"x")


def test_neither_signatures_nor_tokens_are_kept(realm: Realm) -> None:
    account = realm.account()
    session = account.with_key(account.client("sts").get_session_token()["Credentials"])
    url = link(session, query={"versionId": "a"})
    request_id = refused(url.replace("Expires=3600", "Expires=3601"))
    signed = Signer(account.access_key, "wrong", region="us-east-1", endpoint=realm.server.endpoint)
    address = f"{realm.server.endpoint}/bucket/key"
    by_header = signed.sign_headers("GET", address, {"x-amz-meta-password": "open sesame"})
    refused(address, headers=by_header)
    refused(
        f"{link(account).replace('X-Amz-Signature', 'X-Amz-Signatur%65')}&x=1",
        headers={"Referer": link(account)},
    )
    kept = (realm.server.data / "refused").read_bytes()
    for secret in (
        session.token or "-",
        url[-64:],
        by_header["Authorization"][-64:],
        link(account)[-64:],
        "open sesame",
    ):
        assert secret.encode() not in kept
    assert len(realm.admin(account, "GET", "refusals")[1]["refusals"]) >= 2
    answer = explained(realm, account, request_id)
    assert answer["explanation"]["signature"] == "not-kept"


def test_a_flood_is_bounded(realm: Realm) -> None:
    account, quiet = realm.account(), realm.account()
    while partition_of(id_of(quiet)) == partition_of(id_of(account)):
        quiet = realm.account()
    kept_id = refused(f"{link(quiet)}&a=b")
    url = link(account)
    for number in range(3 * SLOTS):
        refused(f"{url}&a={number}")
    file = realm.server.data / "refused"
    assert file.stat().st_size <= PARTITIONS * (SLOTS * SLOT_BYTES + 8)
    assert len(realm.admin(account, "GET", "refusals")[1]["refusals"]) <= SLOTS
    assert causes(explained(realm, quiet, kept_id)) == ["extra-parameter"]


def test_the_command_asks_the_server(
    realm: Realm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    account = realm.account()
    for name, value in {
        "VALETKEY_ACCESS_KEY": account.access_key,
        "VALETKEY_SECRET_KEY": account.secret_key,
        "VALETKEY_ENDPOINT": realm.server.endpoint,
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    request_id = refused(f"{link(account)}&a=b")
    for flags in (["--last"], ["--request-id", request_id], ["--server", f"{link(account)}&a=b"]):
        assert main(["explain", *flags]) == 0
        shown = capsys.readouterr().out
        assert "A parameter was added after signing" in shown
        assert "! &a=b" in shown
    assert main(["explain", "--request-id", "0000"]) == 1
    assert "No such refused request" in capsys.readouterr().err
    assert main(["explain", "--last", link(account)]) == 2
