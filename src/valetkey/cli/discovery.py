"""Finding credentials, endpoint and region where their owner keeps them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from valetkey.cli.aws_files import parse_ini
from valetkey.cli.aws_profile import AwsPlaces, parse_instant, read_section
from valetkey.cli.credentials import Account, Addressing, Credentials, Origin
from valetkey.cli.errors import BadInputError
from valetkey.cli.surroundings import Surroundings
from valetkey.sigv4.secret import Secret

DEFAULT_REGION: Final = "us-east-1"
LOCAL_ENDPOINT: Final = "http://127.0.0.1:9000"
"""Where `valetkey serve` listens unless told otherwise."""

NOTHING_FOUND: Final = (
    "no credentials found: set VALETKEY_DATA to the server's data folder, or VALETKEY_ACCESS_KEY and "
    "VALETKEY_SECRET_KEY, or use an AWS profile"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFlags:
    """What was said about the account on the command line; None is not said."""

    access_key: str | None = None
    secret_key: Secret | None = None
    secret_key_file: Path | None = None
    session_token: str | None = None
    region: str | None = None
    endpoint: str | None = None
    profile: str | None = None
    addressing: Addressing | None = None


def discover_account(flags: AccountFlags, surroundings: Surroundings) -> Account:
    """Return the account that flags, variables and files name, in this order of precedence.

    Flags, `VALETKEY_*` variables, the credentials file in `VALETKEY_DATA`, `AWS_*` variables, the AWS
    profile. A profile named by `--profile` comes before every variable's credentials, as with the AWS CLI;
    one named by `AWS_PROFILE` does not.

    Raises:
        BadInputError: there is nothing, or only half a key pair, or a file or profile that cannot be used.
    """
    aws = AwsPlaces(surroundings, profile=flags.profile)
    credentials = find_credentials(flags, surroundings, aws)
    if flags.session_token is not None:
        credentials = replace(credentials, session_token=flags.session_token, expires_at=None)
    ours = credentials.origin is Origin.VALETKEY
    endpoint = flags.endpoint or surroundings.variable("VALETKEY_ENDPOINT")
    if endpoint is None:
        endpoint = aws.endpoint()
        # An AWS setting that names our endpoint names our region too; alone, it speaks of AWS.
        ours = ours and endpoint is None
        endpoint = LOCAL_ENDPOINT if ours else endpoint
    region = flags.region or surroundings.variable("VALETKEY_REGION") or (None if ours else aws.region())
    style = None if ours else aws.addressing()
    ca_bundle = surroundings.variable("AWS_CA_BUNDLE") or (None if ours else aws.ca_bundle())
    return Account(
        credentials=credentials,
        region=region or DEFAULT_REGION,
        endpoint=endpoint,
        addressing=flags.addressing or _addressing(style),
        ca_bundle=None if ca_bundle is None else surroundings.path(ca_bundle),
    )


def find_credentials(flags: AccountFlags, surroundings: Surroundings, aws: AwsPlaces) -> Credentials:
    """Return the first credentials in the order that `discover_account` describes."""
    found = _from_flags(flags, surroundings)
    if found is None and not aws.chosen:
        found = _from_valetkey(surroundings) or _from_aws_variables(surroundings)
    found = found or aws.credentials()
    if found is None:
        raise BadInputError(f"AWS profile {aws.name!r} holds no credentials" if aws.chosen else NOTHING_FOUND)
    return found


def read_data_credentials(folder: Path, surroundings: Surroundings) -> Credentials | None:
    """Return the root credentials that a server keeps in its data folder, or None before its first start."""
    path = folder / "credentials"
    text = surroundings.read_text(path)
    if text is None:
        return None
    return read_section(
        parse_ini(text, path=str(path)).get("default", {}), place=str(path), origin=Origin.VALETKEY
    )


def from_valetkey_variables(surroundings: Surroundings) -> Credentials | None:
    """Return what VALETKEY_ACCESS_KEY and VALETKEY_SECRET_KEY (or VALETKEY_SECRET_KEY_FILE) say."""
    access_key, secret_key = surroundings.variable("VALETKEY_ACCESS_KEY"), _valetkey_secret(surroundings)
    return _pair(
        access_key, secret_key, names=("VALETKEY_ACCESS_KEY", "VALETKEY_SECRET_KEY"), origin=Origin.VALETKEY
    )


def _from_flags(flags: AccountFlags, surroundings: Surroundings) -> Credentials | None:
    secret_key = flags.secret_key
    if flags.secret_key_file is not None:
        if secret_key is not None:
            raise BadInputError("give --secret-key-file or --secret-key, not both")
        secret_key = _secret_in_file(flags.secret_key_file, surroundings)
    if flags.access_key is None:
        if secret_key is not None:
            raise BadInputError("a secret key was given without --access-key")
        return None
    if flags.profile is not None:
        raise BadInputError("give --access-key or --profile, not both")
    secret_key = secret_key or _secret_in_variables(flags.access_key, surroundings)
    if secret_key is None:
        raise BadInputError(
            "--access-key needs its secret: use --secret-key-file, or set VALETKEY_SECRET_KEY"
        )
    return Credentials(access_key=flags.access_key, secret_key=secret_key, origin=Origin.FLAGS)


def _secret_in_variables(access_key: str, surroundings: Surroundings) -> Secret | None:
    """Return the secret in the environment, unless it stands there beside another access key."""
    if surroundings.variable("VALETKEY_ACCESS_KEY") in {None, access_key}:
        secret_key = _valetkey_secret(surroundings)
        if secret_key is not None:
            return secret_key
    text = surroundings.variable("AWS_SECRET_ACCESS_KEY")
    if text is None or surroundings.variable("AWS_ACCESS_KEY_ID") not in {None, access_key}:
        return None
    return Secret(text)


def _from_valetkey(surroundings: Surroundings) -> Credentials | None:
    found = from_valetkey_variables(surroundings)
    folder = surroundings.variable("VALETKEY_DATA")
    if found is not None or folder is None:
        return found
    found = read_data_credentials(surroundings.path(folder), surroundings)
    if found is None:
        # Going on to the AWS places would sign with keys that the owner did not mean.
        raise BadInputError(f"VALETKEY_DATA is {folder!r}, where no server has left a credentials file yet")
    return found


def _from_aws_variables(surroundings: Surroundings) -> Credentials | None:
    variable = surroundings.variable
    access_key, secret_text = variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")
    if access_key is None:
        return None
    secret_key = None if secret_text is None else Secret(secret_text)
    found = _pair(
        access_key, secret_key, names=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), origin=Origin.AWS
    )
    if found is None:
        return None
    return replace(
        found,
        session_token=variable("AWS_SECURITY_TOKEN") or variable("AWS_SESSION_TOKEN"),
        expires_at=parse_instant(variable("AWS_CREDENTIAL_EXPIRATION") or ""),
    )


def _pair(
    access_key: str | None, secret_key: Secret | None, *, names: tuple[str, str], origin: Origin
) -> Credentials | None:
    if access_key is None and secret_key is None:
        return None
    if access_key is None or secret_key is None:
        present, missing = names if secret_key is None else names[::-1]
        raise BadInputError(f"{present} is set, but {missing} is not")
    return Credentials(access_key=access_key, secret_key=secret_key, origin=origin)


def _valetkey_secret(surroundings: Surroundings) -> Secret | None:
    text = surroundings.variable("VALETKEY_SECRET_KEY")
    if text is not None:
        return Secret(text)
    path = surroundings.variable("VALETKEY_SECRET_KEY_FILE")
    return None if path is None else _secret_in_file(surroundings.path(path), surroundings)


def _secret_in_file(path: Path, surroundings: Surroundings) -> Secret:
    text = surroundings.read_text(path)
    if text is None:
        raise BadInputError(f"there is no secret key file {path}")
    if not text.strip():
        raise BadInputError(f"the secret key file {path} is empty")
    return Secret(text.strip())


def _addressing(style: str | None) -> Addressing:
    try:
        return Addressing(style or "auto")
    except ValueError:
        raise BadInputError(f"addressing_style is {style!r}; it can be auto, path or virtual") from None
