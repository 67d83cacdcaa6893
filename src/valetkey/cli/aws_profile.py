"""One profile of the AWS tools: its credentials, and where it says its S3 is."""

import json
import shlex
from datetime import UTC, datetime
from typing import Final

from valetkey.cli.aws_files import AwsFiles, Section, parse_nested, read_aws_files
from valetkey.cli.credentials import Credentials, Origin
from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.surroundings import Surroundings
from valetkey.sigv4.secret import Secret

_EXPIRY_KEYS: Final = (
    "x_security_token_expires",
    "aws_credential_expiration",
    "expiration",
    "aws_expiration",
)
"""Under these names the tools that fetch temporary credentials note when those end."""

_SIGN_IN_KEYS: Final = ("role_arn", "sso_session", "sso_start_url", "login_session")
"""A profile with one of these needs a service to be asked for credentials first."""


class AwsPlaces:
    """The files of the AWS tools, read when first asked for and never before."""

    def __init__(self, surroundings: Surroundings, *, profile: str | None) -> None:
        self._surroundings = surroundings
        self._files: AwsFiles | None = None
        self.chosen = profile is not None
        """Whether the profile was named by a flag, which puts it before any variable."""
        named = (
            profile or surroundings.variable("AWS_PROFILE") or surroundings.variable("AWS_DEFAULT_PROFILE")
        )
        self.name = named or "default"
        self._must_exist = named is not None

    @property
    def files(self) -> AwsFiles:
        if self._files is None:
            config = self._place("AWS_CONFIG_FILE", "~/.aws/config")
            credentials = self._place("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
            self._files = read_aws_files(
                config=self._surroundings.read_text(self._surroundings.path(config)),
                credentials=self._surroundings.read_text(self._surroundings.path(credentials)),
                config_path=config,
                credentials_path=credentials,
            )
        return self._files

    @property
    def profile(self) -> Section:
        """Return what the profile says, or nothing when there is none of the name."""
        return self.files.profiles.get(self.name, {})

    def credentials(self) -> Credentials | None:
        """Return the profile's credentials, or None when nobody named a profile and there is no default one.

        Raises:
            BadInputError: the named profile does not exist, or is one that must sign in first.
        """
        if self.name not in self.files.profiles:
            if self._must_exist:
                raise BadInputError(
                    f"there is no AWS profile {self.name!r} in ~/.aws/config or ~/.aws/credentials"
                )
            return None
        self._require_plain()
        static = self.files.credentials.get(self.name, {})
        if "aws_access_key_id" in static:
            return read_section(static, place=f"profile {self.name}", origin=Origin.AWS)
        if "credential_process" in self.profile:
            return self._ask_program(self.profile["credential_process"])
        if "aws_access_key_id" in self.profile:
            return read_section(self.profile, place=f"profile {self.name}", origin=Origin.AWS)
        return None

    def endpoint(self) -> str | None:
        """Return the endpoint that variables or the profile give for S3, the more particular one first."""
        variable = self._surroundings.variable
        ignore = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or self.profile.get(
            "ignore_configured_endpoint_urls"
        )
        if ignore is not None and ignore.lower() == "true":
            return None
        given = variable("AWS_ENDPOINT_URL_S3") or variable("AWS_ENDPOINT_URL")
        return given or self._service_endpoint() or self.profile.get("endpoint_url")

    def region(self) -> str | None:
        """Return the region that variables or the profile give."""
        variable = self._surroundings.variable
        return variable("AWS_REGION") or variable("AWS_DEFAULT_REGION") or self.profile.get("region")

    def addressing(self) -> str | None:
        """Return the profile's `s3` `addressing_style`."""
        return parse_nested(self.profile.get("s3", "")).get("addressing_style")

    def ca_bundle(self) -> str | None:
        """Return the file of authorities that the profile gives."""
        return self.profile.get("ca_bundle")

    def _place(self, variable: str, default: str) -> str:
        return self._surroundings.variable(variable) or default

    def _require_plain(self) -> None:
        for key in _SIGN_IN_KEYS:
            if key in self.profile:
                raise BadInputError(
                    f"AWS profile {self.name!r} gets its credentials by {key}, which valetkey does not do: run  "
                    f"aws configure export-credentials --profile {shlex.quote(self.name)} --format env  "
                    "and try again with the variables it prints, without --profile"
                )

    def _service_endpoint(self) -> str | None:
        name = self.profile.get("services")
        if name is None:
            return None
        if name not in self.files.services:
            raise BadInputError(
                f"AWS profile {self.name!r} names services {name!r}, which ~/.aws/config does not have"
            )
        return parse_nested(self.files.services[name].get("s3", "")).get("endpoint_url")

    def _ask_program(self, command: str) -> Credentials:
        """Return what the profile's `credential_process` prints.

        Source: AWS SDKs and Tools Reference Guide, "Process credential provider".
        """
        try:
            words = shlex.split(command)
        except ValueError:
            words = []
        if not words:
            raise BadInputError(f"the credential_process of AWS profile {self.name!r} is no command")
        try:
            answer = json.loads(self._surroundings.run(words))
            access_key, secret_key = answer["AccessKeyId"], answer["SecretAccessKey"]
        except (ValueError, KeyError, TypeError):
            # The answer is not chained or quoted: it is where the secret stands.
            raise CliError(
                f"the credential_process of AWS profile {self.name!r} printed no credentials"
            ) from None
        return Credentials(
            access_key=str(access_key),
            secret_key=Secret(str(secret_key)),
            session_token=answer.get("SessionToken") or None,
            expires_at=parse_instant(str(answer.get("Expiration") or "")),
            origin=Origin.AWS,
        )


def read_section(section: Section, *, place: str, origin: Origin) -> Credentials:
    """Return the credentials of a section in the AWS form.

    Raises:
        BadInputError: one half of the key pair is missing.
    """
    access_key, secret_key = section.get("aws_access_key_id"), section.get("aws_secret_access_key")
    if not access_key or not secret_key:
        missing = "aws_secret_access_key" if access_key else "aws_access_key_id"
        raise BadInputError(f"{place} has no {missing}")
    ends = (parse_instant(section[key]) for key in _EXPIRY_KEYS if key in section)
    return Credentials(
        access_key=access_key,
        secret_key=Secret(secret_key),
        session_token=section.get("aws_security_token") or section.get("aws_session_token") or None,
        expires_at=next((end for end in ends if end is not None), None),
        origin=origin,
    )


def parse_instant(text: str) -> datetime | None:
    """Return the instant that an ISO 8601 text names (UTC when it names no zone), or None when it is none."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
