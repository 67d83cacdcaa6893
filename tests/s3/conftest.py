from __future__ import annotations

from collections.abc import Callable

import pytest

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

RefusalOf = Callable[..., Code | None]


@pytest.fixture(scope="session")
def refusal_of() -> RefusalOf:
    """A function that calls another and returns the code of its refusal, or None where it gave a value.

    For properties over any input, where either outcome is right and any other exception is a bug.
    """

    def refusal(call: Callable[..., object], *arguments: object) -> Code | None:
        try:
            call(*arguments)
        except S3Error as error:
            return error.code
        return None

    return refusal
