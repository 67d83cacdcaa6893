"""The checksum of an object that was uploaded in parts."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from valetkey.s3.checksums import Algorithm, claimed_checksum, combine_crc, composite
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.reader import CompletedPart
from valetkey.store.model import Checksum, Part, Upload

FULL_OBJECT: Final = "FULL_OBJECT"
COMPOSITE: Final = "COMPOSITE"

_TYPES: Final[Mapping[Algorithm, tuple[str, ...]]] = {
    # The first is the default. Source: Amazon S3 User Guide, "Checking object integrity", full object and composite.
    Algorithm.CRC64NVME: (FULL_OBJECT,),
    Algorithm.CRC32: (COMPOSITE, FULL_OBJECT),
    Algorithm.CRC32C: (COMPOSITE, FULL_OBJECT),
    Algorithm.SHA1: (COMPOSITE,),
    Algorithm.SHA256: (COMPOSITE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenChecksum:
    """What CreateMultipartUpload asked for."""

    algorithm: Algorithm
    type: str


def chosen_checksum(headers: Mapping[str, str]) -> ChosenChecksum | None:
    """Return the checksum that the upload's parts and object are to have, or None where none was named.

    Raises:
        S3Error: the algorithm is unknown, or cannot be of the type.
    """
    name = headers.get("x-amz-checksum-algorithm")
    wanted_type = headers.get("x-amz-checksum-type")
    if name is None:
        if wanted_type is None:
            return None
        raise S3Error(
            Code.INVALID_REQUEST,
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )
    algorithm = Algorithm.__members__.get(name.upper())
    if algorithm is None:
        raise S3Error(
            Code.INVALID_REQUEST,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    types = _TYPES[algorithm]
    if wanted_type is None:
        return ChosenChecksum(algorithm=algorithm, type=types[0])
    if wanted_type.upper() not in types:
        raise S3Error(
            Code.INVALID_REQUEST,
            f"The {wanted_type} checksum type cannot be used with the {algorithm.name.lower()} checksum algorithm.",
        )
    return ChosenChecksum(algorithm=algorithm, type=wanted_type.upper())


def require_same_algorithm(upload: Upload, algorithm: Algorithm | None) -> None:
    """Return unless a part brings another checksum than its upload announced.

    Raises:
        S3Error: InvalidRequest, naming both.
    """
    if upload.checksum_algorithm is None or algorithm is None or algorithm.name == upload.checksum_algorithm:
        return
    raise S3Error(
        Code.INVALID_REQUEST,
        f"Checksum Type mismatch occurred, expected checksum Type: {upload.checksum_algorithm.lower()}, "
        f"actual checksum Type: {algorithm.name.lower()}",
    )


def invalid_part(upload: Upload, asked: CompletedPart) -> S3Error:
    """Return the refusal of a part that is not there as the completion has it."""
    details = {"UploadId": upload.id, "PartNumber": str(asked.number), "ETag": asked.etag}
    return S3Error(Code.INVALID_PART, None, details)


def require_part_checksums(upload: Upload, wanted: Sequence[CompletedPart], parts: Sequence[Part]) -> None:
    """Return if each checksum in the completion is the one that its part was stored with.

    Raises:
        S3Error: InvalidPart; or a composite upload's completion lacks one.
    """
    for asked, part in zip(wanted, parts, strict=True):
        for algorithm, value in asked.checksums.items():
            kept = part.checksum
            if kept is None or kept.algorithm != algorithm.name or not hmac.compare_digest(
                kept.value.encode(), value.encode()
            ):  # fmt: skip
                raise invalid_part(upload, asked)
        if upload.checksum_type == COMPOSITE and not asked.checksums:
            raise S3Error(
                Code.INVALID_REQUEST,
                f"The upload was created using a {str(upload.checksum_algorithm).lower()} checksum. The complete "
                f"request must include the checksum for each part. It was missing for part {part.number} in the "
                "request.",
            )


def object_checksum(upload: Upload, parts: Sequence[Part], headers: Mapping[str, str]) -> Checksum | None:
    """Return the whole object's checksum, computed from those of its parts.

    Raises:
        S3Error: the completion's own checksum header says otherwise.
    """
    checksums = [_of_object(part) for part in parts]
    names = {checksum.algorithm for checksum in checksums if checksum is not None}
    if not checksums or None in checksums or len(names) != 1:
        return None
    algorithm = Algorithm[names.pop()]
    checksum_type = upload.checksum_type or _TYPES[algorithm][-1]
    values = [checksum.value for checksum in checksums if checksum is not None]
    if checksum_type == FULL_OBJECT:
        sizes = [part.size for part in parts]
        computed = combine_crc(algorithm, list(zip(values, sizes, strict=True)))
    else:
        computed = composite(algorithm, values)
    _require_claimed(headers, parts, algorithm, computed)
    return Checksum(algorithm=algorithm.name, value=computed, type=checksum_type)


def _of_object(part: Part) -> Checksum | None:
    """Return the checksum of the part that counts for the object."""
    if part.crc64nvme is None:
        return part.checksum
    return Checksum(algorithm=Algorithm.CRC64NVME.name, value=part.crc64nvme, type=FULL_OBJECT)


def _require_claimed(
    headers: Mapping[str, str], parts: Sequence[Part], algorithm: Algorithm, computed: str
) -> None:
    claimed = headers.get(algorithm.header)
    if claimed is None:
        _require_other(claimed_checksum(headers), parts, algorithm)
        return
    # Clients may leave out the number of parts behind a composite checksum.
    if claimed not in (computed, computed.partition("-")[0]):
        raise S3Error(
            Code.BAD_DIGEST,
            f"The {algorithm.name} you specified did not match the calculated checksum.",
        )


def _require_other(
    claimed: tuple[Algorithm, str] | None, parts: Sequence[Part], algorithm: Algorithm
) -> None:
    """Return if a claim by another algorithm than the object's is right by what the parts came with.

    Raises:
        S3Error: BadDigest; InvalidRequest where nobody can tell. A claim is never passed over.
    """
    if claimed is None:
        return
    other, value = claimed
    own = [part.checksum.value for part in parts if part.checksum and part.checksum.algorithm == other.name]
    if len(own) != len(parts) or FULL_OBJECT not in _TYPES[other]:
        raise S3Error(
            Code.INVALID_REQUEST,
            f"Checksum Type mismatch occurred, expected checksum Type: {algorithm.name.lower()}, "
            f"actual checksum Type: {other.name.lower()}",
        )
    computed = combine_crc(other, [(text, part.size) for text, part in zip(own, parts, strict=True)])
    if not hmac.compare_digest(value.encode(), computed.encode()):
        raise S3Error(
            Code.BAD_DIGEST, f"The {other.name} you specified did not match the calculated checksum."
        )
