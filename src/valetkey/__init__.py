"""A private object store whose presigned URLs every client can use, and the library that signs them.

    from valetkey import Signer

    signer = Signer(access_key="…", secret_key="…", region="us-east-1", endpoint="https://s3.example.com")
    print(signer.presign("GET", "bucket", "key", expires=3600))

Importing the package loads the signing half and nothing else.
"""

from __future__ import annotations

from valetkey.sigv4.errors import MisuseError, SignatureError
from valetkey.sigv4.post_policy import PresignedPost
from valetkey.sigv4.presign import PresignedURL
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.signer import Signer

__all__ = [
    "MisuseError",
    "PresignedPost",
    "PresignedURL",
    "Secret",
    "SignatureError",
    "Signer",
    "__version__",
]

__version__ = "0.1.0"
