"""Links through nginx, Caddy, HAProxy and Apache with the configuration that the documentation gives."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import boto3
import pytest
from botocore.config import Config
from tests.proxies.running import Proxy
from tests.raw.signing import Key, key_of
from tests.raw.wire import Reply, exchange, head, read_reply

from valetkey import Signer

MIB = 1024 * 1024
BIG = 64 * MIB
PATH_STYLE, BUCKET_HOST, PREFIX = "files.localhost", "proxied.s3.localhost", "store.localhost"

TARGETS = {
    "a space": "a%20b",
    "beyond ASCII": "%C3%A4%E4%BD%A0",
    "lower-case escapes": "%c3%a4-lower",
    "a needless escape": "%61-needless",
    "an encoded slash": "x%2Fy",
    "an encoded slash in lower case": "x%2fz",
    "an encoded per cent": "x%252Fy",
    "doubled slashes": "a//b",
    "slashes at the front": "//a",
    "a slash at the end": "folder/",
    "a dot segment": "a/./b",
    "two dots": "a/../b",
    "two dots, encoded": "a/%2e%2e/b",
    "a plus": "a+b",
    "an encoded plus": "a%2Bb",
    "marks": "a!$&'()*,;=:@~b",
    "a query mark, encoded": "a%3Fb%23c",
}
"""Keys as they stand in the path."""

MENDED = {("apache2", BUCKET_HOST, "//a")}
"""What a proxy changes whatever its configuration: Apache merges slashes at the beginning of the path."""


def key_for(proxy: Proxy, name: str = PATH_STYLE) -> Key:
    return key_of(proxy.server, host=proxy.host(name))


def behind(proxy: Proxy, method: str, path: str) -> Reply:
    """Ask the server itself, past the proxy."""
    return exchange(proxy.server.port, method, key_of(proxy.server).presign(method, path))


def until(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_boto3_presigns_and_signs_through_the_proxy(proxy: Proxy) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=f"https://{proxy.host()}",
        aws_access_key_id=proxy.server.access_key,
        aws_secret_access_key=proxy.server.secret_key,
        region_name=proxy.server.region,
        verify=str(proxy.certificate),
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    place = {"Bucket": "proxied", "Key": "boto3/ä b+c"}
    s3.put_object(**place, Body=b"content" * 1000)
    assert s3.get_object(**place)["Body"].read() == b"content" * 1000
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="proxied", Prefix="boto3/")["Contents"]] == [
        place["Key"]
    ]
    url = s3.generate_presigned_url("get_object", Params=place)
    assert proxy.send("GET", url.removeprefix(f"https://{proxy.host()}")).body == b"content" * 1000
    s3.close()


@pytest.mark.parametrize("name", [PATH_STYLE, PREFIX])
def test_our_signer_presigns_for_a_name_and_for_a_prefix(proxy: Proxy, name: str) -> None:
    endpoint = f"https://{proxy.host(name)}" + ("/store" if name == PREFIX else "")
    server = proxy.server
    signer = Signer(access_key=server.access_key, secret_key=server.secret_key, endpoint=endpoint)

    def ask(method: str, body: bytes = b"") -> Reply:
        url = str(signer.presign(method, "proxied", f"signer/{name}/ä b"))
        reply = proxy.send(method, url[url.index("/", 8) :], name=name, body=body)
        assert reply.status == 200, reply.body
        return reply

    ask("PUT", b"content")
    assert ask("GET").body == b"content"
    assert ask("HEAD").header("content-length") == "7"


def test_a_bucket_in_the_host(proxy: Proxy) -> None:
    key = key_for(proxy, BUCKET_HOST)
    assert proxy.send("PUT", key.presign("PUT", "/virtual"), name=BUCKET_HOST, body=b"content").status == 200
    assert proxy.send("GET", key.presign("GET", "/virtual"), name=BUCKET_HOST).body == b"content"
    assert behind(proxy, "GET", "/proxied/virtual").body == b"content"


@pytest.mark.parametrize("name", [PATH_STYLE, BUCKET_HOST, PREFIX])
@pytest.mark.parametrize("spelled", TARGETS.values(), ids=TARGETS)
def test_a_path_arrives_as_it_was_sent(proxy: Proxy, spelled: str, name: str) -> None:
    front = {PATH_STYLE: "/proxied/", BUCKET_HOST: "/", PREFIX: "/store/proxied/"}[name]
    # Signers escape what browsers and curl leave bare.
    key, signed = key_for(proxy, name), quote(spelled, safe="-_.~/%")
    mark = f"{name} {spelled}".encode()
    put, get = (key.presign(method, front + signed).replace(signed, spelled, 1) for method in ("PUT", "GET"))
    stored = proxy.send("PUT", put, name=name, body=mark)
    if (proxy.name, name, spelled) in MENDED:
        assert stored.refusal == (403, "SignatureDoesNotMatch")
        return
    assert stored.status == 200, stored.body
    got = proxy.send("GET", get, name=name)
    assert (got.status, got.body) == (200, mark)
    assert behind(proxy, "GET", f"/proxied/{signed}").body == mark


def test_a_query_arrives_as_it_was_sent(proxy: Proxy) -> None:
    query = [("response-content-disposition", "attachment; filename*=UTF-8''a%20%C3%A4;b&c=+d"), ("x", "a b")]
    assert proxy.send("PUT", key_for(proxy).presign("PUT", "/proxied/q"), body=b"c").status == 200
    reply = proxy.send("GET", key_for(proxy).presign("GET", "/proxied/q", query=query))
    assert (reply.status, reply.header("content-disposition")) == (200, query[0][1])


@pytest.mark.parametrize("name", [PATH_STYLE, PREFIX])
def test_a_managed_link_is_for_the_endpoint_asked_for(proxy: Proxy, name: str) -> None:
    server, asked_at = proxy.server, f"https://{proxy.host()}"
    wanted = f"https://{proxy.host(name)}" + ("/store" if name == PREFIX else "")
    key = key_for(proxy)
    assert proxy.send("PUT", key.presign("PUT", "/proxied/managed"), body=b"content").status == 200
    signer = Signer(server.access_key, server.secret_key, region=server.region, endpoint=asked_at)
    path = f"/-/api/v1/links?endpoint={quote(wanted, safe='')}"
    order = json.dumps({"operations": "GET", "bucket": "proxied", "key": "managed"}).encode()
    signed = signer.sign_headers("POST", asked_at + path, body=order)
    made = proxy.send("POST", path, headers=dict(signed), body=order)
    assert made.status == 200, made.body
    url: str = json.loads(made.body)["url"]
    assert url.startswith(f"{wanted}/proxied/managed?")
    assert proxy.send("GET", url[url.index("/", 8) :], name=name).body == b"content"


def test_an_altered_link_is_refused(proxy: Proxy) -> None:
    target = key_for(proxy).presign("GET", "/proxied/q")
    assert proxy.send("GET", target.replace("/q?", "/r?")).refusal == (403, "SignatureDoesNotMatch")
    assert proxy.send("GET", target, name=PREFIX).status in (403, 404)


def test_a_client_cannot_forge_where_it_comes_from(proxy: Proxy) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=203.0.113.8",
    }
    forged |= {"X-Forwarded-Proto": "http", "X-Real-IP": "203.0.113.9", "X-Forwarded-Port": "1"}
    target = key_for(proxy).presign("GET", "/proxied/forged")
    assert proxy.send("GET", target, headers=forged).refusal == (404, "NoSuchKey")
    log = proxy.server.log
    assert until(lambda: "/proxied/forged?" in log.read_text("utf-8"))
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line[:1] == "{"]
    assert {line["remote"] for line in lines if "/forged?" in line["target"]} == {"127.0.0.1"}
    evil = key_of(proxy.server, host="evil.example").presign("GET", "/proxied/forged")
    assert proxy.send("GET", evil, headers=forged).refusal == (403, "SignatureDoesNotMatch")


def test_tls_that_ended_at_the_proxy_counts_as_tls(proxy: Proxy) -> None:
    conditions = {"Bool": {"aws:SecureTransport": "false"}}
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::proxied/tls-only", "Condition": conditions,
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()
    key = key_for(proxy)
    target = key.presign("PUT", "/proxied", query=[("policy", "")])
    assert proxy.send("PUT", target, body=policy).status == 204
    assert proxy.send("PUT", key.presign("PUT", "/proxied/tls-only"), body=b"content").status == 200
    assert proxy.send("GET", key.presign("GET", "/proxied/tls-only")).body == b"content"
    assert behind(proxy, "GET", "/proxied/tls-only").status == 403
    # Unless the client says otherwise of itself, which the proxy does not pass on.
    lying = {"X-Forwarded-Proto": "http"}
    assert proxy.send("GET", key.presign("GET", "/proxied/tls-only"), headers=lying).body == b"content"


def test_a_form_is_told_where_its_file_is(proxy: Proxy) -> None:
    server = proxy.server
    signer = Signer(
        access_key=server.access_key, secret_key=server.secret_key, endpoint=f"https://{proxy.host()}"
    )
    post = signer.presign_post("proxied", "form", fields={"success_action_status": "201"})
    lines = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in post.fields.items()
    ]
    lines.append(
        '--edge\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\ncontent\r\n--edge--\r\n'
    )
    reply = proxy.send(
        "POST",
        "/proxied",
        headers={"Content-Type": "multipart/form-data; boundary=edge"},
        body="".join(lines).encode(),
    )
    assert (reply.status, reply.header("location")) == (201, f"https://{proxy.host()}/proxied/form")


def data_bytes(proxy: Proxy) -> int:
    files = [path for path in proxy.server.data.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path.exists())


def test_a_big_upload_passes_through_while_it_is_sent(proxy: Proxy) -> None:
    content = os.urandom(MIB) * (BIG // MIB)
    written, resident, kept = proxy.written_bytes(), proxy.resident_bytes(), data_bytes(proxy)
    target = key_for(proxy).presign("PUT", "/proxied/big-upload")
    with proxy.connection() as connection:
        headers = {"Host": proxy.host(), "Content-Length": str(BIG)}
        connection.sendall(head("PUT", target, headers) + content[: BIG // 2])
        # The store has most of the first half, and the client has not begun with the second.
        assert until(lambda: data_bytes(proxy) - kept > BIG // 4), "the proxy keeps the upload to itself"
        assert proxy.written_bytes() - written < MIB
        assert proxy.resident_bytes() - resident < 32 * MIB
        connection.sendall(content[BIG // 2 :])
        reply = read_reply(connection, "PUT")
    assert reply.status == 200, reply.body
    assert proxy.written_bytes() - written < MIB
    assert behind(proxy, "GET", "/proxied/big-upload").body == content


def test_a_big_download_passes_through_while_it_is_read(proxy: Proxy) -> None:
    content = os.urandom(MIB) * (BIG // MIB)
    direct = key_of(proxy.server)
    put = exchange(proxy.server.port, "PUT", direct.presign("PUT", "/proxied/big-download"), body=content)
    assert put.status == 200
    written, resident = proxy.written_bytes(), proxy.resident_bytes()
    with proxy.connection() as connection:
        target = key_for(proxy).presign("GET", "/proxied/big-download")
        connection.sendall(head("GET", target, {"Host": proxy.host()}))
        began = connection.recv(4096)
        # What does not fit into buffers of sockets waits at the server: the client does not read on.
        settled = proxy.resident_bytes()
        received = bytearray(began.partition(b"\r\n\r\n")[2])
        while len(received) < BIG and (piece := connection.recv(MIB)):
            received += piece
        settled = max(settled, proxy.resident_bytes())
    assert f"content-length: {BIG}".encode() in began.lower()
    assert bytes(received) == content
    assert proxy.written_bytes() - written < MIB
    assert settled - resident < 32 * MIB


def test_whoever_waits_for_consent_gets_it(proxy: Proxy) -> None:
    target = key_for(proxy).presign("PUT", "/proxied/expect")
    headers = {"Host": proxy.host(), "Content-Length": "7", "Expect": "100-continue"}
    with proxy.connection() as connection:
        connection.sendall(head("PUT", target, headers))
        interim = connection.recv(4096)
        assert interim.startswith(b"HTTP/1.1 100"), interim
        connection.sendall(b"content")
        assert read_reply(connection, "PUT").status == 200
    assert behind(proxy, "GET", "/proxied/expect").body == b"content"


ASKED_FIRST = {"haproxy", "apache2"}
"""The proxies that ask the server before they let a client send."""


def test_a_refused_upload_is_not_sent_where_the_proxy_asks_first(proxy: Proxy) -> None:
    target = key_for(proxy).presign("PUT", "/proxied/expect")[:-4] + "0000"
    headers = {"Host": proxy.host(), "Content-Length": "7", "Expect": "100-continue"}
    with proxy.connection() as connection:
        connection.sendall(head("PUT", target, headers))
        began = connection.recv(12)
        if proxy.name in ASKED_FIRST:
            assert began == b"HTTP/1.1 403"
        else:
            # They let the client send and ask the server at the same time: what comes first is chance.
            assert began in {b"HTTP/1.1 100", b"HTTP/1.1 403"}


def test_nothing_but_its_own_files_is_in_the_proxys_folder(proxy: Proxy) -> None:
    sizes = [path.stat().st_size for path in proxy.folder.rglob("*") if path.is_file()]
    assert sum(sizes) < 64 * 1024


def test_each_file_of_the_documentation_is_run() -> None:
    found = {path.name for path in (Path(__file__).resolve().parents[2] / "docs" / "proxies").iterdir()}
    assert found == {"nginx.conf", "Caddyfile", "haproxy.cfg", "apache.conf"}
