import pytest

from valetkey.cli.errors import BadInputError
from valetkey.cli.location import Location, parse_location


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        pytest.param("s3://b/k", "b", "k", id="object"),
        pytest.param("S3://b/k", "b", "k", id="scheme in capitals"),
        pytest.param("s3://b", "b", None, id="bucket"),
        pytest.param("s3://b/", "b", None, id="bucket with slash"),
        pytest.param("s3://", None, None, id="service"),
        pytest.param("s3://b//k", "b", "/k", id="key with leading slash"),
        pytest.param("s3://b/a/../b?x=1#y", "b", "a/../b?x=1#y", id="key is taken as it is"),
        pytest.param("s3://b/a%20b", "b", "a%20b", id="key is not decoded"),
        pytest.param("s3://b/ä 🔑", "b", "ä 🔑", id="any script"),
    ],
)
def test_address_is_read(text: str, bucket: str | None, key: str | None) -> None:
    assert parse_location(text) == Location(bucket=bucket, key=key)


@pytest.mark.parametrize("text", ["b/k", "https://b/k", "", "s3:/b/k", "s3:///k", "s3://b/\udcff"], ids=ascii)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_location(text)
