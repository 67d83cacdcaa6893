"""All key pairs that can be found here, for telling which of them signed something."""

from collections.abc import Iterator

from valetkey.cli.aws_files import Section
from valetkey.cli.aws_profile import AwsPlaces, read_section
from valetkey.cli.credentials import Account, Credentials, Origin
from valetkey.cli.discovery import (
    AccountFlags,
    discover_account,
    from_valetkey_variables,
    read_data_credentials,
)
from valetkey.cli.errors import CliError
from valetkey.cli.surroundings import Surroundings
from valetkey.explain.change import KnownKey


def find_account(flags: AccountFlags, surroundings: Surroundings) -> Account | None:
    """Return the account that a command would sign for, or None if there is none.

    Raises:
        CliError: flags name one that cannot be used.
    """
    try:
        return discover_account(flags, surroundings)
    except CliError:
        if flags.access_key or flags.secret_key or flags.secret_key_file or flags.profile:
            raise
        return None


def known_keys(account: Account | None, surroundings: Surroundings) -> tuple[KnownKey, ...]:
    """Return the account's key, then all others that variables and files hold. No program is run for one."""
    found: dict[tuple[str, str], KnownKey] = {}
    for credentials, label in _all_credentials(account, surroundings):
        secret = credentials.secret_key
        if _is_text(secret.reveal()):
            known = KnownKey(
                access_key=credentials.access_key,
                secret=secret,
                label=label,
                ends_at=credentials.expires_at,
            )
            found.setdefault((credentials.access_key, str(hash(secret))), known)
    return tuple(found.values())


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _all_credentials(
    account: Account | None, surroundings: Surroundings
) -> Iterator[tuple[Credentials, str]]:
    if account is not None:
        yield account.credentials, ""
    try:
        ours = from_valetkey_variables(surroundings)
        folder = surroundings.variable("VALETKEY_DATA")
        if ours is not None:
            yield ours, "VALETKEY_ACCESS_KEY"
        if folder is not None and (kept := read_data_credentials(surroundings.path(folder), surroundings)):
            yield kept, folder
    except CliError:
        pass
    aws = AwsPlaces(surroundings, profile=None)
    variables = {
        "aws_access_key_id": surroundings.variable("AWS_ACCESS_KEY_ID") or "",
        "aws_secret_access_key": surroundings.variable("AWS_SECRET_ACCESS_KEY") or "",
    }
    yield from _section(variables, "AWS_ACCESS_KEY_ID")
    try:
        profiles = {**aws.files.profiles, **aws.files.credentials}
    except CliError:
        return
    for name, section in profiles.items():
        yield from _section(section, f"profile {name}")


def _section(section: Section, place: str) -> Iterator[tuple[Credentials, str]]:
    try:
        yield read_section(section, place=place, origin=Origin.AWS), place
    except CliError:
        return
