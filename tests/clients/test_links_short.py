"""Short addresses, through HTTP and a browser, against a server with two workers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser
from tests.clients.admin import ask_admin
from tests.clients.admin_links import Link, new_link, refusal
from tests.clients.boto import S3Client
from tests.raw.wire import Reply, exchange, fetch

from valetkey.testing.server import RunningServer

PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nparts/0.ts\n#EXTINF:1,\nparts/1.ts\n"
AS_BROWSER = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate"}

Make = Callable[..., Link]


@pytest.fixture
def make(server: RunningServer, plain_s3: S3Client, plain_bucket: str) -> Make:
    plain_s3.put_object(Bucket=plain_bucket, Key="doc.txt", Body=b"doc", ContentType="text/plain")
    plain_s3.put_object(Bucket=plain_bucket, Key="film/list.m3u8", Body=PLAYLIST)
    for number in range(2):
        plain_s3.put_object(Bucket=plain_bucket, Key=f"film/parts/{number}.ts", Body=b"%d" % number)

    def make_link(operations: list[str] | str = "GET", **stated: Any) -> Link:
        return new_link(server, plain_bucket, operations, **stated)

    return make_link


def address_of(link: Link, name: str | None = None) -> dict[str, Any]:
    body = {} if name is None else {"name": name}
    status, made = ask_admin(link.server, "POST", f"links/{link.id}/addresses", body)
    assert status == 200, made
    return dict(made)


def alter(owner: Link, address: dict[str, Any], **stated: Any) -> None:
    status, answer = ask_admin(owner.server, "POST", f"addresses/{address['id']}", stated)
    assert status == 200, answer


def follow(reply: Reply, method: str = "GET", body: bytes = b"") -> Reply:
    assert reply.status == 307, reply
    location = reply.header("location")
    assert location is not None
    return fetch(location, method, body=body)


def test_a_program_is_served_and_a_browser_sent_on(make: Make) -> None:
    link = make(key="doc.txt")
    url = address_of(link)["url"]
    assert len(url.rpartition("/")[2]) == 24
    assert fetch(url).body == b"doc"
    assert fetch(url, "HEAD").header("content-length") == "3"
    assert fetch(url, headers={"Range": "bytes=1-"}).body == b"oc"
    sent_on = fetch(url, headers=AS_BROWSER)
    assert (sent_on.header("cache-control"), sent_on.header("referrer-policy")) == ("no-store", "no-referrer")
    assert sent_on.header("location") == link.url
    assert follow(sent_on).body == b"doc"
    assert follow(fetch(url, headers={"Accept": "text/html"})).body == b"doc"


def test_an_upload_goes_on_to_the_link(make: Make) -> None:
    link = make(["PUT"], key="up.txt")
    url = address_of(link)["url"]
    assert follow(fetch(url, "PUT", body=b"x"), "PUT", b"x").status == 200
    assert fetch(url, "PATCH").refusal == (405, "MethodNotAllowed")


def curl(*arguments: str | Path) -> tuple[str, str]:
    """Run curl and return the last status and what it printed."""
    command = ["curl", "-sS", "--noproxy", "*", "-w", "\n%{http_code}", *map(str, arguments)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    body, _, status = printed.rpartition("\n")
    return status, body


@pytest.mark.needs_program("curl")
def test_curl_uploads_by_an_address(make: Make, tmp_path: Path) -> None:
    content = bytes(3_000_000)  # so much that curl waits for a consent
    (tmp_path / "up").write_bytes(content)
    link = make(["PUT", "GET"], key="up.bin")
    url = address_of(link)["url"]
    assert curl("-L", "-T", tmp_path / "up", url)[0] == "200"
    assert fetch(url).body == content


@pytest.mark.needs_program("curl")
def test_who_has_the_password_uploads_by_an_address(make: Make, tmp_path: Path) -> None:
    content, password = bytes(3_000_000), ("-H", "X-Valetkey-Password: right")
    (tmp_path / "up").write_bytes(content)
    link = make(["PUT", "GET", "DELETE"], key="up.bin", password="right")
    url = address_of(link)["url"]
    for wrong in ((), ("-H", "X-Valetkey-Password: wrong")):
        status, refused = curl(*wrong, "-T", tmp_path / "up", url)
        assert (status, "LinkPasswordRequired" in refused) == ("403", True)
        assert "X-Valetkey-Password" in refused, "it says where the password goes"
    assert curl(*password, "-T", tmp_path / "up", url)[0] == "200", "it is sent once, to the address itself"
    assert curl(*password, "-I", url)[0] == "200"
    assert fetch(link.url, headers={"X-Valetkey-Password": "right"}).body == content
    assert curl(*password, "-X", "DELETE", url)[0] == "204"
    assert refusal(fetch(url, "PATCH", headers={"X-Valetkey-Password": "right"})) == (405, "MethodNotAllowed")


@pytest.mark.needs_program("curl")
@pytest.mark.parametrize("password", [None, "right"])
def test_an_upload_in_parts_takes_its_steps_at_an_address(
    make: Make, tmp_path: Path, password: str | None
) -> None:
    (tmp_path / "part").write_bytes(b"part")
    link = make(["MULTIPART", "GET"], key="up.bin", password=password)
    url, given = address_of(link)["url"], ("-L", "-H", f"X-Valetkey-Password: {password}")
    begun = curl(*given, "-X", "POST", f"{url}?uploads")[1]
    upload = f"uploadId={begun.partition('<UploadId>')[2].partition('<')[0]}"
    sent = curl(*given, "-D", tmp_path / "head", "-T", tmp_path / "part", f"{url}?partNumber=1&{upload}")
    assert sent[0] == "200", sent
    etag = (tmp_path / "head").read_text().lower().rpartition("etag: ")[2].partition("\n")[0].strip()
    named = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>"
    assert curl(*given, "-d", document, f"{url}?{upload}")[0] == "200"
    assert curl(*given, url) == ("200", "part")


def test_relative_names_below_a_prefix_work(make: Make) -> None:
    url = address_of(make(prefix="film/"))["url"]
    playlist = fetch(f"{url}/list.m3u8")
    assert playlist.body == PLAYLIST
    assert [fetch(f"{url}/parts/{number}.ts").body for number in range(2)] == [b"0", b"1"]
    assert fetch(f"{url}/missing").refusal == (404, "NoSuchKey")
    assert follow(fetch(f"{url}/list.m3u8", headers=AS_BROWSER)).body == PLAYLIST
    assert fetch(f"{url}/../doc.txt").status == 404


def test_a_link_to_one_key_has_nothing_below_it(make: Make) -> None:
    url = address_of(make(key="doc.txt"))["url"]
    assert fetch(f"{url}/x").refusal == (404, "NoSuchLink")
    assert fetch(f"{url}/").refusal == (404, "NoSuchLink")


def test_an_address_leads_elsewhere_and_is_paused(make: Make, new_name: Callable[[str], str]) -> None:
    first, second = make(key="doc.txt"), make(key="film/list.m3u8")
    name = new_name("chosen")
    address = address_of(first, name)
    assert address["url"].endswith(f"/-/s/{name}")
    assert fetch(address["url"]).body == b"doc"
    alter(first, address, link=second.id)
    for _ in range(4):  # whichever worker answers
        assert fetch(address["url"]).body == PLAYLIST
    alter(first, address, paused=True)
    for _ in range(4):
        assert refusal(fetch(address["url"])) == (403, "ShortAddressPaused")
    alter(first, address, paused=False)
    assert fetch(address["url"]).body == PLAYLIST
    assert ask_admin(first.server, "DELETE", f"addresses/{address['id']}")[0] == 200
    for _ in range(4):
        assert fetch(address["url"]).refusal == (404, "NoSuchLink")


def test_a_name_is_had_once(make: Make, new_name: Callable[[str], str]) -> None:
    link, name = make(key="doc.txt"), new_name("once")
    address_of(link, name)
    status, answer = ask_admin(link.server, "POST", f"links/{link.id}/addresses", {"name": name})
    assert (status, answer["error"]["code"]) == (409, "EntityAlreadyExists")
    for wrong in ("a", "a/b", "../x", "ü" * 5, "x" * 65):
        assert ask_admin(link.server, "POST", f"links/{link.id}/addresses", {"name": wrong})[0] == 400


def test_the_rules_of_the_link_hold_by_its_address_too(make: Make) -> None:
    link = make(key="doc.txt", max_uses=1)
    url = address_of(link)["url"]
    assert fetch(url).body == b"doc"
    assert refusal(fetch(url)) == (403, "LinkUsedUp")
    link.do("revoke")
    assert refusal(fetch(url)) == (403, "LinkRevoked")
    assert ask_admin(link.server, "DELETE", f"links/{link.id}")[0] == 200
    for _ in range(4):
        assert fetch(url).refusal == (404, "NoSuchLink")


def test_what_is_no_address_leads_nowhere(server: RunningServer) -> None:
    for token in ("", "x", "x" * 24, "%00", "a%2Fb", "%C3%A9", "VKL"):
        assert fetch(f"{server.endpoint}/-/s/{token}").refusal == (404, "NoSuchLink")


@pytest.mark.parametrize("host", ["127.0.0.1:1/x", "a/b", "x@y", "a b", "a?b", ""])
def test_a_host_that_is_none_leads_nowhere(make: Make, host: str) -> None:
    link = make(key="doc.txt")
    path = address_of(link)["url"].removeprefix(link.server.endpoint)
    reply = exchange(link.server.port, "GET", path, host=host or "%", headers=AS_BROWSER)
    assert reply.status in (400, 404)
    assert reply.header("location") is None


def test_credentials_for_something_else_do_no_harm(make: Make) -> None:
    url = address_of(make(key="doc.txt"))["url"]
    assert fetch(url, headers={"Authorization": "Basic eDp5", "Cookie": "a=b"}).body == b"doc"


def test_tokens_are_in_no_log(make: Make) -> None:
    link = make(prefix="film/")
    address = address_of(link)
    token = address["url"].rpartition("/")[2]
    fetch(address["url"])
    fetch(f"{address['url']}/list.m3u8")
    fetch(f"{link.server.endpoint}/-/s/{token}x")
    link.shown()
    assert token not in link.server.log.read_text()
    for file in link.server.data.glob("*.sqlite*"):
        assert token.encode() not in file.read_bytes()


def test_a_browser_goes_there(make: Make, browser: Browser) -> None:
    url, page = address_of(make(key="doc.txt"))["url"], browser.new_page()
    answer = page.goto(url)
    assert answer is not None
    assert answer.status == 200
    assert page.inner_text("body") == "doc"
    page.close()


def test_a_password_is_asked_for(make: Make) -> None:
    link = make(key="doc.txt", password="Ünlocked, please")
    right = {"X-Valetkey-Password": "Ünlocked, please"}
    assert link.shown()["has_password"] is True
    assert "password_hash" not in link.shown()
    for headers in ({}, {"X-Valetkey-Password": "wrong"}, {"X-Valetkey-Password": ""}):
        assert refusal(fetch(link.url, headers=headers)) == (403, "LinkPasswordRequired")
    twice = [*right.items(), *right.items()]
    assert refusal(fetch(link.url, headers=twice)) == (403, "LinkPasswordRequired")
    for _ in range(4):
        assert fetch(link.url, headers=right).body == b"doc"
    link.alter(password="another")
    assert refusal(fetch(link.url, headers=right)) == (403, "LinkPasswordRequired")
    link.alter(password=None)
    assert fetch(link.url).body == b"doc"


def test_a_password_is_kept_by_argon2_and_nowhere_else(make: Make) -> None:
    link = make(key="doc.txt", password="a password like no other")
    fetch(link.url, headers={"X-Valetkey-Password": "a password like no other"})
    link.shown()
    assert "like no other" not in link.server.log.read_text()
    files = [file.read_bytes() for file in link.server.data.glob("*.sqlite*")]
    assert any(b"$argon2id$" in content for content in files)
    assert not any(b"like no other" in content for content in files)


def test_many_wrong_passwords_stop_the_trying(make: Make) -> None:
    link = make(key="doc.txt", password="right")
    for number in range(40):  # more than both workers take
        assert refusal(fetch(link.url, headers={"X-Valetkey-Password": str(number)})) == (
            403,
            "LinkPasswordRequired",
        )
    assert refusal(fetch(link.url, headers={"X-Valetkey-Password": "right"})) == (403, "LinkPasswordRequired")


def test_wrong_passwords_and_the_page_spend_no_use(make: Make) -> None:
    link = make(key="doc.txt", password="right", max_uses=1)
    url = address_of(link)["url"]
    assert fetch(url, headers=AS_BROWSER).status == 403
    assert fetch(link.url, headers={"X-Valetkey-Password": "wrong"}).status == 403
    assert fetch(url, headers={"X-Valetkey-Password": "right"}).body == b"doc"
    assert refusal(fetch(url, headers={"X-Valetkey-Password": "right"})) == (403, "LinkUsedUp")


def test_a_cookie_opens_the_link_that_it_was_given_for(make: Make) -> None:
    link, other = (make(key="doc.txt", password="right") for _ in range(2))
    url, other_url = (address_of(each)["url"] for each in (link, other))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert fetch(url, "POST", headers=form, body=b"password=wrong").status == 403
    given = fetch(url, "POST", headers=form, body=b"password=right")
    assert given.status == 303
    cookie = (given.header("set-cookie") or "").partition(";")[0]
    assert "HttpOnly" in (given.header("set-cookie") or "")
    for headers in ({"Cookie": cookie}, {"Cookie": f"a=b; {cookie}", **AS_BROWSER}):
        assert fetch(url, headers=headers).body == b"doc"
    assert fetch(other_url, headers={"Cookie": cookie}).status == 403
    assert fetch(link.url, headers={"Cookie": cookie}).status == 403
    for wrong in (cookie[:-1], cookie.replace("=", "=9"), "valetkey-link=1.a", "valetkey-link=é"):
        assert fetch(url, headers={"Cookie": wrong}).status == 403
    link.alter(password="another")
    assert fetch(url, headers={"Cookie": cookie}).status == 403


def test_a_person_types_the_password(make: Make, browser: Browser) -> None:
    url, page = address_of(make(key="doc.txt", password="right"))["url"], browser.new_page()
    answer = page.goto(url)
    assert answer is not None
    assert answer.status == 403
    page.fill("#password", "wrong")
    page.click("button")
    assert "not the password" in page.inner_text("[role=alert]")
    page.fill("#password", "right")
    page.click("button")
    assert page.inner_text("body") == "doc"
    assert page.url == url
    page.close()


def test_a_person_who_types_the_password_gets_the_archive_asked_for(make: Make, browser: Browser) -> None:
    link = make(["GET", "LIST"], prefix="film/", password="right")
    url, page = address_of(link)["url"], browser.new_page()
    page.goto(f"{url}?zip")
    page.fill("#password", "wrong")
    page.click("button")
    page.fill("#password", "right")
    with page.expect_download() as found:
        page.click("button")
    with ZipFile(found.value.path()) as archive:
        assert archive.namelist() == ["list.m3u8", "parts/0.ts", "parts/1.ts"]
    page.close()
