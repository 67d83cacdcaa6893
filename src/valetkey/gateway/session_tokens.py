"""Temporary credentials: the tokens that carry them, sealed by the server and checked without a look-up of their own.

    token    base64url of: version, 12 random bytes, and the AES-256-GCM ciphertext and tag of the session as JSON

Whoever holds a token cannot read the secret in it, nor change what the session may do. What may have changed since
it was made (the user is gone, sessions were revoked) is looked up where all identities are.

Source: NIST SP 800-38D, "Galois/Counter Mode (GCM) and GMAC".
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from valetkey.policy.principal import Principal, PrincipalKind, Session
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.sigv4.secret import Secret
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_store import Identities

KEY_PREFIX: Final = "VKTS"
"""Access keys of temporary credentials begin so, and no others."""

PURPOSE: Final = "session tokens"
"""What the key is derived for."""

MAX_TOKEN_CHARS: Final = 16 * 1024

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_DATA: Final = b"valetkey session token 1"
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_KEY_CHARS: Final = 16
_SECRET_BYTES: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionToken:
    """What a token carries."""

    access_key: str
    secret: Secret = field(repr=False)
    kind: PrincipalKind
    """ACCOUNT, USER, ROLE or FEDERATED."""
    account_id: str
    """Canonical user id, 64 hex digits."""
    name: str
    """Of the user or the role, or of the federated user; empty for an account's root."""
    unique_id: str
    """Of the user or the role."""
    user_name: str | None = None
    """The user who asked for a federated session; None: the account's root did."""
    session: Session


def new_access_key() -> str:
    """Return a random access key id for temporary credentials."""
    return KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_CHARS))


def new_secret() -> Secret:
    """Return a random secret key."""
    return Secret(secrets.token_urlsafe(_SECRET_BYTES))


class TokenBox:
    """Seals and opens session tokens."""

    def __init__(self, key: bytes) -> None:
        """`key` has 32 bytes and serves for nothing else."""
        self._cipher = AESGCM(key)

    def seal(self, token: SessionToken) -> str:
        """Return the text that the client sends back with each request."""
        session = token.session
        content = {
            "key": token.access_key,
            "secret": token.secret.reveal(),
            "kind": token.kind.value,
            "account": token.account_id,
            "name": token.name,
            "id": token.unique_id,
            "user": token.user_name,
            "issued": session.issued_at_ms,
            "expires": session.expires_at_ms,
            "session": session.name,
            "role": session.role_arn,
            "issuer": session.issuer_id,
            "policies": session.policies,
        }
        nonce = os.urandom(_NONCE_BYTES)
        plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return urlsafe_b64encode(_VERSION + nonce + self._cipher.encrypt(nonce, plain, _DATA)).decode()

    def open(self, text: str) -> SessionToken:
        """Return what a token carries, whether it has ended or not.

        Raises:
            S3Error: InvalidToken, if we did not make it.
        """
        if not text.isascii() or len(text) > MAX_TOKEN_CHARS:
            raise S3Error(Code.INVALID_TOKEN)
        try:
            sealed = b64decode(text, b"-_", validate=True)
            if sealed[:1] != _VERSION:
                raise S3Error(Code.INVALID_TOKEN)
            nonce, rest = sealed[1:][:_NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
            plain = self._cipher.decrypt(nonce, rest, _DATA)
        except (ValueError, InvalidTag) as error:
            raise S3Error(Code.INVALID_TOKEN) from error
        return _read(json.loads(plain))


def _read(content: dict[str, Any]) -> SessionToken:
    return SessionToken(
        access_key=content["key"],
        secret=Secret(content["secret"]),
        kind=PrincipalKind(content["kind"]),
        account_id=content["account"],
        name=content["name"],
        unique_id=content["id"],
        user_name=content["user"],
        session=Session(
            issued_at_ms=content["issued"],
            expires_at_ms=content["expires"],
            name=content["session"],
            role_arn=content["role"],
            issuer_id=content.get("issuer", ""),
            policies=tuple(content["policies"]),
        ),
    )


def find_session(
    access_key: str, text: str, *, box: TokenBox, identities: Identities, now_ms: int
) -> tuple[Secret, Principal]:
    """Return the secret of temporary credentials and whose they are.

    Raises:
        S3Error: InvalidToken, if the token is not ours, or of another key, or ended before its time; ExpiredToken
            from the instant on at which it ends.
    """
    token = box.open(text)
    if not hmac.compare_digest(token.access_key.encode(), access_key.encode("utf-8", "replace")):
        raise S3Error(Code.INVALID_TOKEN)
    if now_ms >= token.session.expires_at_ms:
        raise S3Error(Code.EXPIRED_TOKEN)
    try:
        principal = _principal(token, identities)
    except NoSuchEntityError as error:
        raise S3Error(Code.INVALID_TOKEN) from error
    return token.secret, principal


def _principal(token: SessionToken, identities: Identities) -> Principal:
    """Return whose session it is.

    Raises:
        NoSuchEntityError: whoever asked for it is gone.
        S3Error: InvalidToken, if the session was revoked.
    """
    account_id = token.account_id
    user = token.name if token.kind is PrincipalKind.USER else token.user_name
    role = token.name if token.kind is PrincipalKind.ROLE else None
    valid_from_ms = identities.sessions_revoked_before(account_id, user=user, role=role)
    if token.session.issued_at_ms < valid_from_ms:
        raise S3Error(Code.INVALID_TOKEN)
    account = identities.find_account(account_id)
    path, name, tags = "/", token.name, dict[str, str]()
    if token.kind is PrincipalKind.USER:
        # By the name of today, which policies are found by; the id says that it is still the same one.
        known = identities.find_user(account_id, token.name).user
        if known.unique_id != token.unique_id:
            raise S3Error(Code.INVALID_TOKEN)
        path, name, tags = known.path, known.name, dict(known.tags)
    elif token.kind is PrincipalKind.ROLE:
        tags = dict(identities.find_role(account_id, token.name).role.tags)
    elif token.kind is PrincipalKind.ACCOUNT:
        name = account.name
    return Principal(
        kind=token.kind,
        name=name,
        account_id=account.id,
        account_number=account.number,
        path=path,
        unique_id=token.unique_id,
        tags=tags,
        session=token.session,
    )
