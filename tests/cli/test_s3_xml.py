import pytest

from valetkey.cli.s3_xml import Fault, complete_upload, location_constraint, read_fault, read_upload_id

UPLOAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Bucket>b</Bucket><Key>k</Key><UploadId>a&amp;b</UploadId></InitiateMultipartUploadResult>"
)


def test_error_is_read() -> None:
    body = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>no &amp; no</Message></Error>"

    assert read_fault(body) == Fault(code="NoSuchKey", message="no & no")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>502 Bad Gateway</html>", id="a proxy's page"),
        pytest.param(b"<Error><Code>", id="cut off"),
        pytest.param(UPLOAD, id="another answer"),
        pytest.param(b"<!DOCTYPE x [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>", id="DTD"),
    ],
)
def test_what_is_no_error_reads_as_none(body: bytes) -> None:
    assert read_fault(body) is None


def test_upload_id_is_read() -> None:
    assert read_upload_id(UPLOAD) == "a&b"
    assert read_upload_id(b"<Other/>") is None
    assert read_upload_id(b"nothing") is None


def test_requests_are_written_as_s3_reads_them() -> None:
    assert location_constraint("eu-central-1").endswith(
        b'<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"
    )
    assert complete_upload(['"a"', '"b"']).endswith(
        b'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b'<Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part>'
        b'<Part><PartNumber>2</PartNumber><ETag>"b"</ETag></Part></CompleteMultipartUpload>'
    )
