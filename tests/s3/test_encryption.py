from __future__ import annotations

import base64
import hashlib

import pytest

from valetkey.s3.codes import Code
from valetkey.s3.encryption import (
    KMS_INSTEAD,
    CustomerKey,
    EncryptionRequest,
    copy_source_key,
    customer_key,
    encryption_headers,
    refuse_method,
    requested_encryption,
    require_key_for,
    require_key_for_part,
    wrong_key,
    wrong_key_for_part,
)
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.encryption import (
    BucketEncryption,
    parse_bucket_encryption,
    render_bucket_encryption,
)

METHOD = "x-amz-server-side-encryption"
CUSTOMER = f"{METHOD}-customer-"
COPY_SOURCE = "x-amz-copy-source-server-side-encryption-customer-"
RAW = bytes(range(32))


def _md5(key: bytes) -> str:
    return base64.b64encode(hashlib.md5(key, usedforsecurity=False).digest()).decode()


def _headers(key: bytes = RAW, prefix: str = CUSTOMER) -> dict[str, str]:
    return {
        f"{prefix}algorithm": "AES256",
        f"{prefix}key": base64.b64encode(key).decode(),
        f"{prefix}key-md5": _md5(key),
    }


KEY = CustomerKey(key=RAW, md5_base64=_md5(RAW))


def test_upload_names_its_encryption() -> None:
    assert requested_encryption({}) is None
    assert requested_encryption({METHOD: "AES256"}) == EncryptionRequest(kind="AES256")
    assert requested_encryption(_headers()) == EncryptionRequest(kind="SSE-C", customer_key=KEY)


def test_bucket_key_means_nothing_without_kms() -> None:
    headers = {METHOD: "AES256", f"{METHOD}-bucket-key-enabled": "true"}
    assert requested_encryption(headers) == EncryptionRequest(kind="AES256")


def test_key_is_read_for_the_object_and_for_the_source_of_a_copy() -> None:
    headers = _headers(prefix=COPY_SOURCE)
    assert (customer_key(headers), copy_source_key(headers)) == (None, KEY)
    assert (customer_key(_headers()), copy_source_key(_headers())) == (KEY, None)


def test_key_does_not_print() -> None:
    assert repr(KEY) == f"CustomerKey(md5_base64='{KEY.md5_base64}')"


@pytest.mark.parametrize("method", ["aws:kms", "aws:kms:dsse"])
@pytest.mark.parametrize("more", [{}, {f"{METHOD}-aws-kms-key-id": "k"}], ids=["", "with key id"])
def test_kms_is_not_implemented_and_told_what_is(method: str, more: dict[str, str]) -> None:
    with pytest.raises(S3Error) as caught:
        requested_encryption({METHOD: method} | more)
    assert (caught.value.code, caught.value.message) == (Code.NOT_IMPLEMENTED, KMS_INSTEAD)
    assert all(name in KMS_INSTEAD for name in ("SSE-S3", "SSE-C", METHOD, f"{CUSTOMER}algorithm"))


NEEDS_KMS = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        pytest.param({METHOD: "aes256"}, "The encryption method specified is not supported", id="lower case"),
        pytest.param({METHOD: "aes:kms"}, "The encryption method specified is not supported", id="unknown"),
        pytest.param({METHOD: ""}, "The encryption method specified is not supported", id="empty"),
        pytest.param({f"{METHOD}-aws-kms-key-id": "k"}, NEEDS_KMS, id="key id alone"),
        pytest.param({METHOD: "AES256", f"{METHOD}-aws-kms-key-id": "k"}, NEEDS_KMS, id="key id with AES256"),
        pytest.param({f"{METHOD}-context": "e30="}, NEEDS_KMS, id="context alone"),
        pytest.param(
            _headers() | {METHOD: "AES256"},
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
            id="both",
        ),
    ],
)
def test_method_that_cannot_be_is_refused(headers: dict[str, str], message: str) -> None:
    with pytest.raises(S3Error) as caught:
        requested_encryption(headers)
    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)
    assert caught.value.details["ArgumentName"] == METHOD


REQUESTS = "Requests specifying Server Side Encryption with Customer provided keys must provide"
BAD_SECRET = "The secret key was invalid for the specified algorithm."
BAD_MD5 = "The calculated MD5 hash of the key did not match the hash that was provided."


@pytest.mark.parametrize("prefix", [CUSTOMER, COPY_SOURCE], ids=["object", "source"])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"algorithm": None}, f"{REQUESTS} a valid encryption algorithm.", id="no algorithm"),
        pytest.param({"key": None}, f"{REQUESTS} an appropriate secret key.", id="no key"),
        pytest.param(
            {"key-md5": None}, f"{REQUESTS} the client calculated MD5 of the secret key.", id="no md5"
        ),
        pytest.param({"key-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}, BAD_MD5, id="other md5"),
        pytest.param({"key-md5": "ä"}, BAD_MD5, id="md5 in other letters"),
        pytest.param({"key": "no base64!"}, BAD_SECRET, id="not base64"),
        pytest.param({"key": "ä"}, BAD_SECRET, id="not ascii"),
        pytest.param({"key": "YWJj", "key-md5": _md5(b"abc")}, BAD_SECRET, id="short"),
        pytest.param({"key": "", "key-md5": _md5(b"")}, BAD_SECRET, id="empty"),
    ],
)
def test_key_must_be_whole(prefix: str, changed: dict[str, str | None], message: str) -> None:
    headers = _headers(prefix=prefix)
    for name, value in changed.items():
        if value is None:
            del headers[prefix + name]
        else:
            headers[prefix + name] = value
    with pytest.raises(S3Error) as caught:
        (customer_key if prefix == CUSTOMER else copy_source_key)(headers)
    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)


def test_algorithm_of_a_key_is_aes256() -> None:
    with pytest.raises(S3Error) as caught:
        customer_key(_headers() | {f"{CUSTOMER}algorithm": "AES128"})
    assert caught.value.code is Code.INVALID_ENCRYPTION_ALGORITHM_ERROR
    assert dict(caught.value.details) == {"ArgumentName": METHOD, "ArgumentValue": "AES128"}


@pytest.mark.parametrize("name", [METHOD, f"{METHOD}-aws-kms-key-id", f"{METHOD}-context"])
def test_reads_choose_no_method(name: str) -> None:
    refuse_method(_headers())
    with pytest.raises(S3Error) as caught:
        refuse_method({name: "AES256"})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message == f"{name} header is not supported for this operation."


@pytest.mark.parametrize("kind", [None, "AES256"])
def test_only_customer_keys_are_sent_with_reads(kind: str | None) -> None:
    require_key_for(kind, None)
    require_key_for("SSE-C", KEY)
    with pytest.raises(S3Error, match=r"^InvalidRequest: The encryption parameters are not applicable"):
        require_key_for(kind, KEY)
    with pytest.raises(S3Error, match=r"^InvalidRequest: The object was stored using a form of Server Side"):
        require_key_for("SSE-C", None)


@pytest.mark.parametrize(
    ("kind", "key"), [(None, KEY), ("AES256", KEY), ("SSE-C", None)], ids=["none", "AES256", "SSE-C"]
)
def test_parts_are_encrypted_as_their_upload(kind: str | None, key: CustomerKey | None) -> None:
    require_key_for_part("SSE-C", KEY)
    require_key_for_part(None, None)
    require_key_for_part("AES256", None)
    with pytest.raises(S3Error, match=r"^InvalidRequest: The multipart upload initiate requested encryption"):
        require_key_for_part(kind, key)


def test_wrong_key_is_denied_to_reads_and_invalid_for_parts() -> None:
    assert (wrong_key().code, wrong_key_for_part().code) == (Code.ACCESS_DENIED, Code.INVALID_REQUEST)


def test_headers_tell_of_the_encryption() -> None:
    assert encryption_headers(None) == {}
    assert encryption_headers("AES256") == {METHOD: "AES256"}
    assert encryption_headers("SSE-C") == {}
    assert encryption_headers("SSE-C", KEY) == {
        f"{CUSTOMER}algorithm": "AES256",
        f"{CUSTOMER}key-md5": KEY.md5_base64,
    }


def _bucket(rule: str) -> BucketEncryption:
    root = "ServerSideEncryptionConfiguration"
    return parse_bucket_encryption(f"<{root}><Rule>{rule}</Rule></{root}>".encode())


def _default(content: str) -> str:
    return f"<ApplyServerSideEncryptionByDefault>{content}</ApplyServerSideEncryptionByDefault>"


AES = _default("<SSEAlgorithm>AES256</SSEAlgorithm>")


@pytest.mark.parametrize(
    "config",
    [
        BucketEncryption(kind="AES256"),
        BucketEncryption(kind="AES256", has_bucket_key=True, blocked=("SSE-C",)),
        BucketEncryption(kind="AES256", has_bucket_key=False),
        BucketEncryption(kind=None, blocked=("NONE",)),
    ],
    ids=["plain", "all", "no bucket key", "blocking only"],
)
def test_bucket_encryption_comes_back(config: BucketEncryption) -> None:
    assert parse_bucket_encryption(render_bucket_encryption(config).encode()) == config


def test_bucket_encryption_is_as_s3_writes_it() -> None:
    assert render_bucket_encryption(BucketEncryption(kind="AES256", has_bucket_key=False)) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ServerSideEncryptionConfiguration '
        f'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>{AES}<BucketKeyEnabled>false</BucketKeyEnabled>'
        "</Rule></ServerSideEncryptionConfiguration>"
    )


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_bucket_cannot_default_to_kms(algorithm: str) -> None:
    with pytest.raises(S3Error) as caught:
        _bucket(_default(f"<SSEAlgorithm>{algorithm}</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"))
    assert (caught.value.code, caught.value.message) == (Code.NOT_IMPLEMENTED, KMS_INSTEAD)


def test_bucket_default_has_no_use_for_a_key() -> None:
    with pytest.raises(S3Error, match="a KMSMasterKeyID is not applicable") as caught:
        _bucket(_default("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"))
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("", id="empty rule"),
        pytest.param(_default(""), id="no algorithm"),
        pytest.param(_default("<SSEAlgorithm>aes256</SSEAlgorithm>"), id="other algorithm"),
        pytest.param(AES + AES, id="twice"),
        pytest.param(f"{AES}<BucketKeyEnabled>maybe</BucketKeyEnabled>", id="bucket key"),
        pytest.param(f"{AES}<Other/>", id="unknown element"),
        pytest.param(f"{AES}<BlockedEncryptionTypes/>", id="nothing blocked"),
        pytest.param(
            f"{AES}<BlockedEncryptionTypes><EncryptionType>X</EncryptionType></BlockedEncryptionTypes>",
            id="unknown type",
        ),
        pytest.param(f"{AES}</Rule><Rule>{AES}", id="two rules"),
    ],
)
def test_bucket_encryption_against_the_schema_is_malformed(rule: str) -> None:
    with pytest.raises(S3Error) as caught:
        _bucket(rule)
    assert caught.value.code is Code.MALFORMED_XML


def test_bucket_may_block_customer_keys() -> None:
    BucketEncryption(kind="AES256", blocked=("NONE",)).require_customer_keys_allowed()
    with pytest.raises(S3Error) as caught:
        BucketEncryption(kind="AES256", blocked=("SSE-C",)).require_customer_keys_allowed()
    assert caught.value.code is Code.ACCESS_DENIED
