"""Seals and frames: what comes out is what went in, or an error."""

import hashlib
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.store.errors import NoMasterKeyError, StorageFailedError, WrongKeyError
from valetkey.store.model import Encryption
from valetkey.store.seal import (
    FRAME_BYTES,
    SEALED_FRAME_BYTES,
    FrameOpener,
    FrameSealer,
    Keyring,
    derive,
    first_byte,
    last_byte,
    seal_content,
    sealed_size,
)

KEY = bytes(range(32))
MASTER_KEY, CUSTOMER_KEY = b"m" * 32, b"c" * 32
UNDER_MASTER = Encryption(kind="AES256")
UNDER_CUSTOMER = Encryption(kind="SSE-C", customer_key=CUSTOMER_KEY)
KINDS = pytest.mark.parametrize("encryption", [UNDER_MASTER, UNDER_CUSTOMER], ids=lambda value: value.kind)

sizes = st.integers(0, 3 * FRAME_BYTES + 2) | st.sampled_from(
    [1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES, 3 * FRAME_BYTES]
)
# Bytes without a period, so that none can stand for others.
BODY = Random(1).randbytes(3 * FRAME_BYTES + 2)
SHORT = BODY[: FRAME_BYTES + 100]
FRAMES = seal_content(KEY, SHORT)


def open_range(frames: bytes, start: int, end: int) -> bytes:
    part = frames[first_byte(start) : last_byte(end)]
    return FrameOpener(KEY).open(part, start=start, end=end, name="It")


# Frames. The vectors were made with another implementation of AES-GCM.


def test_frame_is_aes_gcm_with_its_number_as_nonce() -> None:
    assert seal_content(KEY, b"hello").hex() == "66d9d9b2da614b5bd4ef69d04d34ca8aef7aa6e05b"
    frames = seal_content(KEY, bytes(FRAME_BYTES) + b"x")
    assert hashlib.sha256(frames).hexdigest() == (
        "a4c19da2adae111487eab5e95d7c4778fcbf618047a922849b1e3f4580dc21de"
    )


@given(size=sizes, cuts=st.lists(st.integers(0, len(BODY)), max_size=4))
def test_frames_do_not_depend_on_how_the_content_came(size: int, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, size) for cut in cuts), size]
    sealer = FrameSealer(KEY)
    pieces = [sealer.feed(BODY[start:end]) for start, end in pairwise(bounds)]
    frames = b"".join(pieces) + sealer.finish()
    assert frames == seal_content(KEY, BODY[:size])
    assert len(frames) == sealed_size(size)


@given(size=sizes.filter(bool), data=st.data())
def test_any_range_of_any_content_is_read_back(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    assert open_range(seal_content(KEY, BODY[:size]), start, end) == BODY[start:end]


def test_empty_content_has_no_frame() -> None:
    assert seal_content(KEY, b"") == b""
    assert sealed_size(0) == 0


@given(place=st.integers(0, len(FRAMES) - 1), bit=st.integers(0, 7))
def test_changed_bit_is_found_wherever_it_is(place: int, bit: int) -> None:
    damaged = bytearray(FRAMES)
    damaged[place] ^= 1 << bit
    with pytest.raises(StorageFailedError, match="damaged in frame"):
        open_range(bytes(damaged), 0, len(SHORT))


@given(size=st.integers(0, len(FRAMES) - 1) | st.just(SEALED_FRAME_BYTES))
def test_cut_content_is_found_wherever_it_ends(size: int) -> None:
    with pytest.raises(StorageFailedError):
        open_range(FRAMES[:size], 0, len(SHORT))


def test_content_shorter_than_the_catalog_says_is_found() -> None:
    with pytest.raises(StorageFailedError, match=f"ends before byte {len(SHORT) + 1}"):
        open_range(FRAMES, 0, len(SHORT) + 1)


def test_damage_does_not_reach_beyond_its_frame() -> None:
    damaged = FRAMES[:-1] + bytes([FRAMES[-1] ^ 1])
    assert open_range(damaged, 5, FRAME_BYTES) == SHORT[5:FRAME_BYTES]
    with pytest.raises(StorageFailedError, match="damaged in frame 1"):
        open_range(damaged, 5, FRAME_BYTES + 1)


def test_frames_cannot_change_places() -> None:
    frames = seal_content(KEY, BODY[: 2 * FRAME_BYTES])
    swapped = frames[SEALED_FRAME_BYTES:] + frames[:SEALED_FRAME_BYTES]
    with pytest.raises(StorageFailedError):
        open_range(swapped, 0, 2 * FRAME_BYTES)


# Seals.


@KINDS
def test_seal_opens_under_the_key_it_was_made_under(encryption: Encryption) -> None:
    key, seal = Keyring(MASTER_KEY).new_seal(encryption)
    assert len(key) == 32
    assert key not in seal
    assert Keyring(MASTER_KEY).open_seal(seal, encryption.customer_key) == key


@pytest.mark.parametrize(
    "seal",
    [
        pytest.param(
            "0101000102030405060708090a0bb5921ded6419ae9bba835e8c3ce340d903a9ea62a9cd398501557bf1ce6575ab"
            "45dcd705853e61e1eeddf4fe3ef21ad0",
            id="master",
        ),
        pytest.param(
            "0102000102030405060708090a0b785d5488ea9a158d2f1cbd0f9a821e0c6c9a9a2e045c95e625a463076d93611f"
            "ab0d55b2776cbeca6ccaa1cebe4675f1",
            id="customer",
        ),
    ],
)
def test_seals_of_version_1_stay_readable(seal: str) -> None:
    assert Keyring(MASTER_KEY).open_seal(bytes.fromhex(seal), CUSTOMER_KEY) == KEY


@KINDS
def test_no_two_contents_have_one_key(encryption: Encryption) -> None:
    keyring = Keyring(MASTER_KEY)
    drawn = [keyring.new_seal(encryption) for _ in range(100)]
    assert len({key for key, _ in drawn}) == 100
    assert len({seal for _, seal in drawn}) == 100


@pytest.mark.parametrize(
    ("customer_key", "is_missing"),
    [(None, True), (b"C" * 32, False), (b"", False)],
    ids=["missing", "another", "empty"],
)
def test_wrong_customer_key_is_found(customer_key: bytes | None, is_missing: bool) -> None:
    keyring = Keyring(MASTER_KEY)
    _, seal = keyring.new_seal(UNDER_CUSTOMER)
    with pytest.raises(WrongKeyError) as caught:
        keyring.open_seal(seal, customer_key)
    assert caught.value.is_missing == is_missing


def test_master_key_is_no_customer_key() -> None:
    _, seal = Keyring(MASTER_KEY).new_seal(UNDER_CUSTOMER)
    as_master = bytes([seal[0], 1]) + seal[2:]
    with pytest.raises(StorageFailedError):
        Keyring(CUSTOMER_KEY).open_seal(as_master, None)


def test_other_master_key_opens_nothing() -> None:
    _, seal = Keyring(MASTER_KEY).new_seal(UNDER_MASTER)
    with pytest.raises(StorageFailedError, match="another master key"):
        Keyring(b"M" * 32).open_seal(seal, CUSTOMER_KEY)


def test_without_a_master_key_customers_keys_still_serve() -> None:
    keyring = Keyring(None)
    key, seal = keyring.new_seal(UNDER_CUSTOMER)
    assert keyring.open_seal(seal, CUSTOMER_KEY) == key
    with pytest.raises(NoMasterKeyError):
        keyring.new_seal(UNDER_MASTER)
    with pytest.raises(NoMasterKeyError):
        keyring.open_seal(Keyring(MASTER_KEY).new_seal(UNDER_MASTER)[1], None)


@KINDS
@given(data=st.data())
def test_changed_bit_in_a_seal_is_found(encryption: Encryption, data: st.DataObject) -> None:
    _, seal = Keyring(MASTER_KEY).new_seal(encryption)
    damaged = bytearray(seal)
    damaged[data.draw(st.integers(0, len(seal) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((StorageFailedError, WrongKeyError)):
        Keyring(MASTER_KEY).open_seal(bytes(damaged), encryption.customer_key)


@given(seal=st.binary(max_size=80))
def test_seal_that_is_none_is_an_error_of_the_storage(seal: bytes) -> None:
    with pytest.raises((StorageFailedError, WrongKeyError)):
        Keyring(MASTER_KEY).open_seal(seal, CUSTOMER_KEY)


@pytest.mark.parametrize(
    "encryption",
    [
        Encryption(kind="ROT13"),
        Encryption(kind="SSE-C"),
        Encryption(kind="SSE-C", customer_key=b"short"),
    ],
    ids=["unknown kind", "no key", "short key"],
)
def test_encryption_that_makes_no_sense_is_refused(encryption: Encryption) -> None:
    with pytest.raises(ValueError):
        Keyring(MASTER_KEY).new_seal(encryption)


def test_customer_key_does_not_print() -> None:
    assert "ccc" not in repr(UNDER_CUSTOMER)


def test_each_label_has_a_key_of_its_own() -> None:
    assert derive(MASTER_KEY, "one") != derive(MASTER_KEY, "two")
    assert len(derive(MASTER_KEY, "one")) == 32


def test_secret_opens_under_its_name_alone() -> None:
    ring = Keyring(MASTER_KEY)
    seals = [ring.seal_secret(b"secret", name="AK") for _ in range(2)]
    assert [ring.open_secret(seal, name="AK") for seal in seals] == [b"secret"] * 2
    assert seals[0] != seals[1]
    with pytest.raises(StorageFailedError):
        ring.open_secret(seals[0], name="AK2")
    with pytest.raises(StorageFailedError):
        Keyring(b"x" * 32).open_secret(seals[0], name="AK")


def test_each_byte_of_a_sealed_secret_counts() -> None:
    ring = Keyring(MASTER_KEY)
    seal = ring.seal_secret(b"secret", name="AK")
    for at in range(len(seal)):
        spoiled = seal[:at] + bytes((seal[at] ^ 1,)) + seal[at + 1 :]
        for malformed in (spoiled, seal[:at]):
            with pytest.raises(StorageFailedError):
                ring.open_secret(malformed, name="AK")


def test_secret_without_a_master_key_is_neither_sealed_nor_opened() -> None:
    seal = Keyring(MASTER_KEY).seal_secret(b"secret", name="AK")
    with pytest.raises(NoMasterKeyError):
        Keyring(None).seal_secret(b"secret", name="AK")
    with pytest.raises(NoMasterKeyError):
        Keyring(None).open_secret(seal, name="AK")
