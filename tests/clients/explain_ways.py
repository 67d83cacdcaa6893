"""The ways: each makes a broken URL or request as people do, with the programs that people use."""

from __future__ import annotations

import json
import re
import textwrap
from email.message import EmailMessage
from itertools import count
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.conf import settings
from django.template import Context, Engine
from django.utils.html import json_script
from minio import Minio
from tests.clients.explain_box import OTHER_SECRET, Box, Pasted, way

from valetkey.explain.causes import Cause

if not settings.configured:
    settings.configure()


@way("Copied from the source of an HTML mail", by="boto3, a Django template", cause=Cause.HTML_ESCAPED)
def html_mail(box: Box) -> str:
    page = str(Engine().from_string("{{ url }}").render(Context({"url": box.url()})))
    box.curl(page)
    return page


@way(
    "Copied from the source of a mail in quoted-printable",
    by="boto3, Python's email",
    cause=Cause.QUOTED_PRINTABLE,
)
def quoted_printable_mail(box: Box) -> str:
    mail = EmailMessage()
    mail.set_content(box.url(), cte="quoted-printable")
    return mail.as_string().partition("\n\n")[2]


@way("Copied from a header of a mail's source", by="boto3, Python's email", cause=Cause.QUOTED_PRINTABLE)
def mail_header(box: Box) -> str:
    mail = EmailMessage()
    mail["X-Link"] = box.url()
    return mail.as_string().partition(": ")[2]


@way("Wrapped to the width of a terminal", by="boto3, fold", cause=Cause.WHITESPACE)
def folded(box: Box) -> str:
    return box.sh('printf %s "$U" | fold -w 80', U=box.url())


@way("Indented in a text of several lines", by="boto3, Python's textwrap", cause=Cause.WHITESPACE)
def indented(box: Box) -> str:
    return textwrap.fill(box.url(), 72, initial_indent="    ", subsequent_indent="    ")


@way("Cut out of a page's JSON as text", by="boto3, Django's json_script", cause=Cause.JSON_ESCAPED)
def json_in_a_page(box: Box) -> str:
    page = json_script({"link": box.url()})
    found = re.search(r'"link": "([^"]*)"', page)
    assert found is not None
    return found[1]


@way("Not quoted in a shell", by="boto3, bash, curl", cause=Cause.SHELL_AMPERSAND)
def unquoted_in_a_shell(box: Box) -> str:
    answer = box.sh(f"curl -s -w '\\n%{{url_effective}}\\n' {box.url()}")
    url = answer.rpartition("\n")[0].rpartition("\n")[2]
    assert url.startswith(box.server.endpoint), answer
    return url


@way("A command as it stood in a shell's history", by="boto3", cause=Cause.SHELL_AMPERSAND)
def unquoted_command(box: Box) -> str:
    return f"$ curl -s {box.url()} -o out.pdf"


@way("Escaped by a shell, and pasted between quotes", by="boto3, bash's printf %q", cause=Cause.BACKSLASHES)
def shell_escaped(box: Box) -> str:
    return box.sh('printf %q "$U"', U=box.url())


@way("Printed with its quotes", by="boto3, Python's repr", cause=Cause.WRAPPED)
def with_quotes(box: Box) -> str:
    return repr(box.url())


@way("At the end of a sentence", by="the AWS CLI, grep", cause=Cause.TRAILING_PUNCTUATION)
def end_of_a_sentence(box: Box) -> str:
    url = box.aws("s3", "presign", f"s3://{box.bucket}/folder/a report.pdf")
    found = box.sh('echo "Here it is: $U. Thanks!" | grep -o "http[^ ]*"', U=url).strip()
    box.curl(found)
    return found


@way("Cut to the length of a column", by="boto3, cut", cause=Cause.CUT_OFF)
def cut_off(box: Box) -> str:
    short = box.sh('echo "$U" | cut -c1-255', U=box.url())
    box.curl(short.strip())
    return short


@way("A signature that lost its last characters", by="boto3, head", cause=Cause.CUT_OFF)
def cut_signature(box: Box) -> str:
    short = box.sh('printf %s "$U" | head -c -9', U=box.url())
    box.curl(short)
    return short


@way("Encoded once more", by="boto3, JavaScript's encodeURI", cause=Cause.DOUBLE_ENCODED)
def encode_uri(box: Box) -> str:
    url: str = box.node("const result = encodeURI(url)", url=box.url())
    box.curl(url)
    return url


@way("Encoded as a component", by="boto3, JavaScript's encodeURIComponent", cause=Cause.DOUBLE_ENCODED)
def encode_uri_component(box: Box) -> str:
    url: str = box.node("const result = encodeURIComponent(url)", url=box.url())
    return url


@way("Decoded, with a percent sign in the key", by="boto3, Python's unquote", cause=Cause.KEY_ENCODING)
def decoded_percent(box: Box) -> str:
    url = box.url("discount 100%25.txt")
    decoded = unquote(url).replace(" ", "%20")
    box.curl(decoded)
    return decoded


@way("Decoded, with a # in the key", by="boto3, JavaScript's decodeURIComponent", cause=Cause.FRAGMENT)
def decoded_hash(box: Box) -> str:
    url: str = box.node("const result = new URL(decodeURIComponent(url)).href", url=box.url("issue #7.txt"))
    return url


@way("Decoded, with a ? in the key", by="boto3, JavaScript's decodeURIComponent", cause=Cause.QUESTION_MARK)
def decoded_question_mark(box: Box) -> str:
    url: str = box.node("const result = new URL(decodeURIComponent(url)).href", url=box.url("why?.txt"))
    box.curl(url)
    return url


@way("A parameter that counts campaigns", by="boto3, JavaScript's URL", cause=Cause.EXTRA_PARAMETER)
def campaign(box: Box) -> str:
    code = (
        "const made = new URL(url); made.searchParams.append('utm_source', 'mail'); const result = made.href"
    )
    url: str = box.node(code, url=box.url())
    box.curl(url)
    return url


@way("A parameter against caches", by="boto3, curl -G", cause=Cause.EXTRA_PARAMETER)
def cache_buster(box: Box) -> str:
    url = box.sh("curl -s -o /dev/null -w '%{url_effective}' -G -d _=1699999999 \"$U\"", U=box.url())
    box.curl(url)
    return url


@way(
    "The query of one URL appended to another",
    by="boto3, JavaScript's URLSearchParams",
    cause=Cause.DUPLICATE_PARAMETER,
)
def two_queries(box: Box) -> str:
    code = """
    const made = new URL(url)
    for (const [name, value] of new URL(task.other).searchParams) made.searchParams.append(name, value)
    const result = made.href
    """
    url: str = box.node(code, url=box.url(), other=box.url(lifetime=60))
    box.curl(url)
    return url


@way("Names of parameters in lower case", by="boto3, a Node router", cause=Cause.PARAMETER_CASE)
def lower_case_names(box: Box) -> str:
    code = """
    const made = new URL(url)
    const pairs = [...made.searchParams].map(([name, value]) => [name.toLowerCase(), value])
    made.search = new URLSearchParams(pairs).toString()
    const result = made.href
    """
    url: str = box.node(code, url=box.url())
    box.curl(url)
    return url


@way("A program that keeps the parameters it knows", by="boto3, a Node router", cause=Cause.MISSING_PARAMETER)
def dropped_parameter(box: Box) -> str:
    code = "const made = new URL(url); made.searchParams.delete('X-Amz-Date'); const result = made.href"
    url: str = box.node(code, url=box.url())
    box.curl(url)
    return url


@way(
    "A + of a SigV2 signature that became a space",
    by="boto3 (SigV2), Python's unquote",
    cause=Cause.PLUS_LOST,
)
def lost_plus(box: Box) -> str:
    urls = (box.url(f"file-{number}", version="s3") for number in count())
    url = unquote(next(url for url in urls if "%2B" in url))
    box.curl(url)
    return url


@way("A longer lifetime written into it", by="boto3, sed", cause=Cause.LIFETIME_CHANGED)
def longer_lifetime(box: Box) -> str:
    url = box.sh("echo \"$U\" | sed 's/Expires=3600/Expires=604800/'", U=box.url()).strip()
    box.curl(url)
    return url


@way("Signed for more than seven days", by="the AWS CLI", cause=Cause.EXPIRES_TOO_LONG)
def too_long(box: Box) -> str:
    url = box.aws("s3", "presign", f"s3://{box.bucket}/k", "--expires-in", "2592000")
    box.curl(url)
    return url


_PRESIGN = """
const signingDate = new Date(Date.now() + task.aheadS * 1000)
const result = await getSignedUrl(connect(), new GetObjectCommand({ Bucket: task.bucket, Key: 'k' }),
  { expiresIn: 600, signingDate })
"""


@way("Used when it is over", by="the JavaScript SDK", cause=Cause.EXPIRED)
def expired(box: Box) -> str:
    url: str = box.sdk(_PRESIGN, aheadS=-3600)
    box.curl(url)
    return url


@way("Signed by a clock that is ahead", by="the JavaScript SDK", cause=Cause.NOT_YET_VALID)
def clock_ahead(box: Box) -> str:
    url: str = box.sdk(_PRESIGN, aheadS=7200)
    box.curl(url)
    return url


@way("Used with another method", by="boto3, curl", cause=Cause.METHOD)
def other_method(box: Box) -> str:
    url = box.url()
    box.curl(url, "-X", "PUT", "-d", "content")
    return f"curl -X PUT -H 'Content-Type: text/plain' --data-binary content '{url}'"


@way("Signed for the name in a compose file", by="boto3, sed", cause=Cause.HOST)
def compose_name(box: Box) -> str:
    url = box.url(endpoint="http://minio:9000")
    public = box.sh('echo "$U" | sed "s,http://minio:9000,$E,"', U=url, E=box.server.endpoint).strip()
    box.curl(public)
    return public


@way("A proxy that does not pass on the Host", by="boto3, nginx", cause=Cause.HOST)
def nginx_host(box: Box) -> Pasted:
    def ask(endpoint: str) -> Pasted:
        url = box.url(endpoint=endpoint.replace("127.0.0.1", "localhost"))
        return Pasted(text=f"{url}\n{box.curl(url)}")

    return box.through_nginx("location / { proxy_pass UPSTREAM; }", ask)


@way("A proxy that drops the port from the Host", by="boto3, nginx", cause=Cause.PORT)
def nginx_port(box: Box) -> Pasted:
    def ask(endpoint: str) -> Pasted:
        url = box.url(endpoint=endpoint)
        return Pasted(text=f"curl '{url}'\n{box.curl(url)}")

    return box.through_nginx("location / { proxy_pass UPSTREAM; proxy_set_header Host $host; }", ask)


@way("A proxy that takes a prefix off the path", by="boto3, nginx", cause=Cause.PATH_PREFIX)
def nginx_prefix(box: Box) -> Pasted:
    def ask(endpoint: str) -> Pasted:
        url = box.url(endpoint=f"{endpoint}/s3")
        return Pasted(text=f"{url}\n{box.curl(url)}")

    return box.through_nginx("location /s3/ { proxy_pass UPSTREAM/; proxy_set_header Host $http_host; }", ask)


@way("A proxy that makes two slashes one", by="boto3, nginx", cause=Cause.KEY_ENCODING)
def nginx_slashes(box: Box) -> Pasted:
    def ask(endpoint: str) -> Pasted:
        url = box.url("a//b.txt", endpoint=endpoint)
        return Pasted(text=f"{url}\n{box.curl(url)}")

    return box.through_nginx("location / { proxy_pass UPSTREAM/; proxy_set_header Host $http_host; }", ask)


@way("A proxy that adds a parameter", by="boto3, nginx", cause=Cause.EXTRA_PARAMETER)
def nginx_parameter(box: Box) -> Pasted:
    def ask(endpoint: str) -> Pasted:
        url = box.url(endpoint=endpoint)
        return Pasted(text=f"{url}\n{box.curl(url)}")

    location = (
        "location / { set $args $args&via=nginx; proxy_pass UPSTREAM; proxy_set_header Host $http_host; }"
    )
    return box.through_nginx(location, ask)


@way("A proxy that changes the Content-Type", by="boto3, curl, nginx", cause=Cause.CONTENT_TYPE)
def nginx_content_type(box: Box) -> Pasted:
    def ask(endpoint: str) -> Pasted:
        url = box.url(method="put_object", parameters={"ContentType": "image/png"}, endpoint=endpoint)
        answer = box.curl(url, "-X", "PUT", "-H", "Content-Type: image/png", "-d", "x")
        return Pasted(text=f"curl -X PUT -H 'Content-Type: image/png' -d x '{url}'\n{answer}")

    location = """location / { proxy_pass UPSTREAM; proxy_set_header Host $http_host;
      proxy_set_header Content-Type "image/png; charset=utf-8"; }"""
    return box.through_nginx(location, ask)


@way("A proxy that turns one method into another", by="boto3, curl, nginx", cause=Cause.METHOD)
def nginx_method(box: Box) -> Pasted:
    def ask(endpoint: str) -> Pasted:
        url = box.url(endpoint=endpoint)
        return Pasted(text=f"curl '{url}'\n{box.curl(url)}")

    location = "location / { proxy_pass UPSTREAM; proxy_method POST; proxy_set_header Host $http_host; }"
    return box.through_nginx(location, ask)


@way("A proxy that logs in on its own", by="boto3, nginx", cause=Cause.TWO_MECHANISMS)
def nginx_authorization(box: Box) -> Pasted:
    def ask(endpoint: str) -> Pasted:
        url = box.url(endpoint=endpoint)
        return Pasted(text=f"{url}\n{box.curl(url)}")

    location = """location / { proxy_pass UPSTREAM; proxy_set_header Host $http_host;
      proxy_set_header Authorization "Basic dXNlcjpwYXNz"; }"""
    return box.through_nginx(location, ask)


@way("An application's Authorization header sent along", by="boto3, Node's fetch", cause=Cause.TWO_MECHANISMS)
def bearer(box: Box) -> str:
    url = box.url()
    headers = {"Authorization": "Bearer abc"}
    code = "const result = (await fetch(url, { headers: task.headers })).status"
    assert box.node(code, url=url, headers=headers) == 400
    return f"await fetch({json.dumps(url)}, {{ headers: {json.dumps(headers)} }})"


@way("curl's own Content-Type on a SigV2 upload", by="boto3 (SigV2), curl", cause=Cause.CONTENT_TYPE)
def curl_content_type(box: Box) -> str:
    url = box.url(method="put_object", version="s3")
    box.curl(url, "-X", "PUT", "--data-binary", "content")
    return f"curl -X PUT --data-binary content '{url}'"


@way("A signed Content-Type that is not sent", by="boto3, curl", cause=Cause.CONTENT_TYPE)
def content_type_missing(box: Box) -> str:
    url = box.url(method="put_object", parameters={"ContentType": "application/pdf"})
    box.curl(url, "-T", "/etc/hostname")
    return f"curl -T report.pdf '{url}'"


@way("Another Content-Type than the signed one", by="boto3, Node's fetch", cause=Cause.CONTENT_TYPE)
def fetch_content_type(box: Box) -> str:
    url = box.url(method="put_object", parameters={"ContentType": "text/plain"})
    code = "const result = (await fetch(url, { method: 'PUT', body: 'content' })).status"
    assert box.node(code, url=url) == 403
    return f"fetch('{url}', {{\n  method: 'PUT',\n  body: 'content'\n}})"


@way("Signed metadata that is not sent", by="boto3, curl", cause=Cause.HEADER_MISSING)
def metadata_missing(box: Box) -> str:
    url = box.url(method="put_object", parameters={"Metadata": {"colour": "blue"}})
    box.curl(url, "-T", "/etc/hostname")
    return f"curl -T report.pdf '{url}'"


@way("A header that had to be signed", by="boto3, curl", cause=Cause.HEADER_NOT_SIGNED)
def header_not_signed(box: Box) -> str:
    url = box.url(method="put_object")
    box.curl(url, "-T", "/etc/hostname", "-H", "x-amz-acl: public-read")
    return f"curl -T report.pdf -H 'x-amz-acl: public-read' '{url}'"


@way("A checksum that the SDK signed as a header", by="the JavaScript SDK, curl", cause=Cause.SDK_CHECKSUM)
def signed_checksum(box: Box) -> str:
    url: str = box.sdk(
        """
    const command = new PutObjectCommand({ Bucket: task.bucket, Key: 'k', ChecksumSHA256: task.sum })
    const result = await getSignedUrl(connect(), command,
      { unhoistableHeaders: new Set(['x-amz-checksum-sha256']) })
    """,
        sum="LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    )
    box.curl(url, "-T", "/etc/hostname")
    return f"curl -T report.pdf '{url}'"


@way("Signed for another region", by="the AWS CLI", cause=Cause.REGION)
def other_region(box: Box) -> Pasted:
    url = box.aws("s3", "presign", f"s3://{box.bucket}/k", "--region", "eu-central-1")
    return Pasted(text=f"{url}\n{box.curl(url)}")


@way("Signed for another service", by="curl --aws-sigv4", cause=Cause.SERVICE)
def other_service(box: Box) -> Pasted:
    user = f"{box.server.access_key}:{box.server.secret_key}"
    url = f"{box.server.endpoint}/{box.bucket}/k"
    answer = box.curl(url, "--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", user)
    return Pasted(text=answer)


@way("Signed with SigV2 in a region that wants SigV4", by="boto3 (SigV2)", cause=Cause.SIGV2_REGION)
def old_signature(box: Box) -> str:
    return box.url(version="s3", region="eu-central-1", endpoint="https://s3.eu-central-1.amazonaws.com")


@way("A secret key with a line feed at its end", by="boto3", cause=Cause.SECRET_WHITESPACE)
def secret_line_feed(box: Box) -> str:
    url = box.url(secret=box.server.secret_key + "\n")
    box.curl(url)
    return url


@way("The id of one key and the secret of another", by="the AWS CLI", cause=Cause.OTHER_KEY)
def mixed_keys(box: Box) -> str:
    url = box.aws("s3", "presign", f"s3://{box.bucket}/k", AWS_SECRET_ACCESS_KEY=OTHER_SECRET)
    box.curl(url)
    return url


@way("The secret key in the place of the id", by="boto3", cause=Cause.SECRET_AS_KEY)
def swapped(box: Box) -> str:
    url = box.url(access_key=box.server.secret_key.replace(" ", "_"), secret=box.server.access_key)
    box.curl(url)
    return box.url(access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", secret=box.server.access_key)


@way("Temporary credentials without their token", by="boto3", cause=Cause.TOKEN_MISSING)
def no_token(box: Box) -> str:
    url = box.url(access_key="ASIAIOSFODNN7EXAMPLE", secret="temporary/secret")
    box.curl(url)
    return url


@way("The bucket signed in the host and sent in the path", by="boto3, sed", cause=Cause.ADDRESSING)
def virtual_to_path(box: Box) -> str:
    url = box.url(endpoint="http://store.example.com", style="virtual")
    moved = box.sh('echo "$U" | sed "s,//$B.store.example.com,//store.example.com/$B,"', U=url, B=box.bucket)
    assert f"store.example.com/{box.bucket}/" in moved
    return moved.strip()


@way("Another Unicode form of the key", by="boto3, JavaScript's normalize", cause=Cause.KEY_ENCODING)
def decomposed(box: Box) -> str:
    code = """
    const made = new URL(url)
    made.pathname = encodeURI(decodeURI(made.pathname).normalize('NFD'))
    const result = made.href
    """
    url: str = box.node(code, url=box.url("Übergröße.txt"))
    box.curl(url)
    return url


@way("A key with .. that the client takes out", by="boto3, curl", cause=Cause.DOT_SEGMENTS)
def dot_segments(box: Box) -> str:
    url = box.url("a/../b.txt")
    box.curl(url)
    return f"curl '{url}'"


@way("Signed as for a service other than S3", by="botocore's SigV4QueryAuth", cause=Cause.BODY_HASH)
def other_signer(box: Box) -> str:
    request = AWSRequest(method="GET", url=f"{box.server.endpoint}/{box.bucket}/k")
    credentials = Credentials(box.server.access_key, box.server.secret_key)
    SigV4QueryAuth(credentials, "s3", box.server.region, expires=600).add_auth(request)
    url = str(request.url)
    box.curl(url)
    return url


@way("Signed for another port", by="minio-py, sed", cause=Cause.PORT)
def other_port(box: Box) -> str:
    client = Minio(
        "127.0.0.1:9000", box.server.access_key, box.server.secret_key, secure=False, region="us-east-1"
    )
    url = client.presigned_get_object(box.bucket, "k")
    moved = box.sh('echo "$U" | sed "s,127.0.0.1:9000,127.0.0.1:$P,"', U=url, P=str(box.server.port)).strip()
    box.curl(moved)
    return moved


def _form(box: Box, **options: Any) -> dict[str, Any]:
    made: dict[str, Any] = box.boto().generate_presigned_post(
        box.bucket, "in/${filename}", Conditions=[["starts-with", "$key", "in/"]], **options
    )
    return made


@way("A field that the form's policy does not know", by="boto3", cause=Cause.POLICY_CONDITION)
def form_extra_field(box: Box) -> str:
    form = _form(box)
    form["fields"]["Content-Type"] = "image/png"
    flags = [word for name, value in form["fields"].items() for word in ("-F", f"{name}={value}")]
    box.curl(form["url"], *flags, "-F", "file=@/etc/hostname")
    return json.dumps(form)
