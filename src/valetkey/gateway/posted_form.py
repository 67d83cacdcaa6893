"""A browser's form: its fields are read, the signature of its policy is proved, and what is left is the file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final, NamedTuple

from valetkey.gateway.admissions import Admitted
from valetkey.gateway.authenticate import find_signer, require_own_token
from valetkey.gateway.call import Keys, PostedForm, Request, Rules
from valetkey.policy.principal import ANONYMOUS, Principal
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.form_reader import Fields, FormReader, boundary_of
from valetkey.s3.limits import MAX_SINGLE_UPLOAD_BYTES, MOST_AFTER_FILE_BYTES
from valetkey.s3.post_form import PostForm, read_form
from valetkey.s3.post_policy import PostPolicy, SizeRange, parse_post_policy, require_fulfilled
from valetkey.s3.target import Target
from valetkey.sigv4.errors import TwoMechanismsError
from valetkey.sigv4.post_claim import read_post_claim, require_post_signature
from valetkey.sigv4.verify import Proof

_KEPT_HEADERS: Final = ("host", "origin", "referer", "user-agent")
"""What the request's own headers tell of the client. All that is said of the object stands in the form."""

_ANY_SIZE: Final = SizeRange(least=0, most=MAX_SINGLE_UPLOAD_BYTES)


class Posted(NamedTuple):
    """The upload that a form asks for, as if its fields were headers and its file the body."""

    request: Request
    headers: dict[str, str]
    admitted: Admitted
    form: PostedForm


async def read_posted(
    request: Request, headers: Mapping[str, str], admitted: Admitted, *, keys: Keys, rules: Rules
) -> Posted:
    """Return the upload that a form asks for, once it is proved who signed it; nobody need have.

    The body is read as far as the file begins.

    Raises:
        S3Error: it is no form, or a malformed one, or not what its policy allows.
        SignatureError: its signature is malformed or wrong, or the request brings another one along.
        UnknownAccessKeyError: no active key has the id that signed.
    """
    reader = FormReader(boundary_of(headers.get("content-type", "")))
    if admitted.proof is not None:
        raise TwoMechanismsError
    body = request.body()
    fields, read_bytes, first = await _read_fields(reader, body)
    form = read_form(fields)
    bucket = admitted.target.bucket or ""
    principal, proof, policy = _prove(form, keys=keys, rules=rules, now_ms=request.now_ms)
    if policy is not None:
        require_fulfilled(policy, form.fields, names=form.names, bucket=bucket, now_ms=request.now_ms)
    size = _size(policy)
    length = headers.get("content-length", "")
    before_file = read_bytes - sum(map(len, first))
    size_hint = int(length) - before_file - reader.end_bytes if length.isdecimal() else None
    return Posted(
        request.with_body(lambda: _file(reader, body, first)),
        {name: headers[name] for name in _KEPT_HEADERS if name in headers} | form.headers,
        admitted._replace(
            target=Target(bucket, form.key, admitted.target.virtual), principal=principal, proof=proof
        ),
        PostedForm(form=form, size=size, size_hint=size_hint),
    )


async def _read_fields(reader: FormReader, body: AsyncIterator[bytes]) -> tuple[Fields, int, list[bytes]]:
    """Return the fields, how much of the body has been read, and what of the file was among it."""
    read_bytes = 0
    async for piece in body:
        read_bytes += len(piece)
        first = reader.feed(piece)
        if reader.fields is not None:
            return reader.fields, read_bytes, first
    reader.require_whole()
    raise S3Error(Code.MALFORMED_POST_REQUEST)


async def _file(reader: FormReader, body: AsyncIterator[bytes], first: list[bytes]) -> AsyncIterator[bytes]:
    """Yield the content of the file, of which `first` has been read.

    Raises:
        S3Error: MalformedPOSTRequest, where the body ends before the file does.
    """
    for piece in first:
        yield piece
    after_bytes = 0
    async for received in body:
        if reader.is_file_whole:
            after_bytes += len(received)
            if after_bytes > MOST_AFTER_FILE_BYTES:
                break
        for piece in reader.feed(received):
            yield piece
    reader.require_whole()


def _prove(
    form: PostForm, *, keys: Keys, rules: Rules, now_ms: int
) -> tuple[Principal, Proof | None, PostPolicy | None]:
    claim = read_post_claim(form.fields, region=rules.region)
    if claim is None:
        return ANONYMOUS, None, None
    secret, principal = find_signer(keys, claim.access_key, claim.session_token, now_ms=now_ms)
    proof = require_post_signature(claim, secret=secret)
    require_own_token(principal, claim.session_token)
    return principal, proof, parse_post_policy(claim.policy)


def _size(policy: PostPolicy | None) -> SizeRange:
    if policy is None or policy.size is None:
        return _ANY_SIZE
    return SizeRange(least=policy.size.least, most=min(policy.size.most, _ANY_SIZE.most))
