"""Where credentials, endpoint and region come from; the AWS places are compared with botocore itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from valetkey import Secret
from valetkey.cli.credentials import Account, Addressing, Credentials, Origin
from valetkey.cli.discovery import AccountFlags, discover_account
from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.surroundings import Surroundings, read_text, run_program

HOME = Path("/people/ada")
CONFIG = "/people/ada/.aws/config"
CREDENTIALS = "/people/ada/.aws/credentials"
DATA_FILE = "/srv/data/credentials"

KEPT = "[default]\naws_access_key_id = VKROOT\naws_secret_access_key = vkroot-secret\n"
TWO_PROFILES = (
    "[default]\naws_access_key_id=AKDEFAULT\naws_secret_access_key=default-secret\n"
    "[work]\naws_access_key_id = AKWORK\naws_secret_access_key = work-secret\naws_session_token = work-token\n"
)
VALETKEY_PAIR = {"VALETKEY_ACCESS_KEY": "VKENV", "VALETKEY_SECRET_KEY": "vkenv-secret"}
AWS_PAIR = {"AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "akenv-secret"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A made-up machine."""

    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    printed: str = ""

    def surroundings(self) -> Surroundings:
        return Surroundings(
            environ=self.environ,
            home=HOME,
            read_text=lambda path: self.files.get(str(path)),
            run=self.run,
        )

    def run(self, words: Sequence[str]) -> str:
        assert list(words) == ["get-keys", "--for", "ada lovelace"]
        return self.printed


def discover(machine: Machine, **flags: str) -> Account:
    converted: dict[str, Any] = dict(flags)
    if "secret_key" in flags:
        converted["secret_key"] = Secret(flags["secret_key"])
    if "secret_key_file" in flags:
        converted["secret_key_file"] = Path(flags["secret_key_file"])
    return discover_account(AccountFlags(**converted), machine.surroundings())


def credentials_of(machine: Machine, **flags: str) -> Credentials:
    return discover(machine, **flags).credentials


@pytest.mark.parametrize(
    ("environ", "files", "flags", "access_key", "secret"),
    [
        pytest.param(
            VALETKEY_PAIR | AWS_PAIR,
            {CREDENTIALS: TWO_PROFILES},
            {"access_key": "FLAG", "secret_key": "flag-secret"},
            "FLAG",
            "flag-secret",
            id="flags come first",
        ),
        pytest.param(
            {},
            {"/run/secret": " file-secret\n"},
            {"access_key": "FLAG", "secret_key_file": "/run/secret"},
            "FLAG",
            "file-secret",
            id="secret in a file",
        ),
        pytest.param(
            {"VALETKEY_SECRET_KEY": "lone-secret"},
            {},
            {"access_key": "FLAG"},
            "FLAG",
            "lone-secret",
            id="secret in the environment",
        ),
        pytest.param(
            VALETKEY_PAIR | {"AWS_SECRET_ACCESS_KEY": "lone-secret"},
            {},
            {"access_key": "FLAG"},
            "FLAG",
            "lone-secret",
            id="secret of another key is not taken",
        ),
        pytest.param(
            VALETKEY_PAIR | AWS_PAIR | {"VALETKEY_DATA": "/srv/data"},
            {DATA_FILE: KEPT, CREDENTIALS: TWO_PROFILES},
            {},
            "VKENV",
            "vkenv-secret",
            id="our variables come before the rest",
        ),
        pytest.param(
            {"VALETKEY_ACCESS_KEY": "VKENV", "VALETKEY_SECRET_KEY_FILE": "~/secret"},
            {"/people/ada/secret": "kept-secret\n"},
            {},
            "VKENV",
            "kept-secret",
            id="our secret in a file",
        ),
        pytest.param(
            AWS_PAIR | {"VALETKEY_DATA": "/srv/data"},
            {DATA_FILE: KEPT, CREDENTIALS: TWO_PROFILES},
            {},
            "VKROOT",
            "vkroot-secret",
            id="the server's own file comes before AWS",
        ),
        pytest.param(
            VALETKEY_PAIR | AWS_PAIR,
            {CREDENTIALS: TWO_PROFILES},
            {"profile": "work"},
            "AKWORK",
            "work-secret",
            id="a profile by flag comes before variables",
        ),
        pytest.param(
            {"VALETKEY_ACCESS_KEY": "", "VALETKEY_SECRET_KEY": "", **AWS_PAIR},
            {},
            {},
            "AKENV",
            "akenv-secret",
            id="an empty variable is none",
        ),
    ],
)
def test_first_place_in_order_wins(
    environ: Mapping[str, str], files: Mapping[str, str], flags: dict[str, str], access_key: str, secret: str
) -> None:
    found = credentials_of(Machine(environ=environ, files=files), **flags)

    assert (found.access_key, found.secret_key.reveal()) == (access_key, secret)


BOTO_CASES = [
    pytest.param(AWS_PAIR, {}, None, id="variables"),
    pytest.param(AWS_PAIR | {"AWS_SESSION_TOKEN": "T"}, {}, None, id="variables with token"),
    pytest.param(AWS_PAIR, {CREDENTIALS: TWO_PROFILES}, None, id="variables before the default profile"),
    pytest.param(
        AWS_PAIR | {"AWS_PROFILE": "work"}, {CREDENTIALS: TWO_PROFILES}, None, id="AWS_PROFILE is weaker"
    ),
    pytest.param(AWS_PAIR, {CREDENTIALS: TWO_PROFILES}, "work", id="profile by flag is stronger"),
    pytest.param({"AWS_PROFILE": "work"}, {CREDENTIALS: TWO_PROFILES}, None, id="AWS_PROFILE"),
    pytest.param({}, {CREDENTIALS: TWO_PROFILES}, None, id="default profile"),
    pytest.param(
        {}, {CONFIG: TWO_PROFILES.replace("[work]", "[profile work]")}, "work", id="keys in the config file"
    ),
    pytest.param(
        {},
        {
            CONFIG: "[profile 'big work']\naws_access_key_id = A\naws_secret_access_key = B\nregion = eu-west-3\n"
        },
        "big work",
        id="quoted profile name",
    ),
    pytest.param(
        {},
        {
            CONFIG: "[profile work]\nregion = eu-west-1\naws_access_key_id = OTHER\naws_secret_access_key = X\n",
            CREDENTIALS: TWO_PROFILES,
        },
        "work",
        id="credentials file before config file",
    ),
    pytest.param(
        {"AWS_DEFAULT_REGION": "ap-south-1"},
        {CONFIG: "[default]\nregion = eu-west-1\n", CREDENTIALS: TWO_PROFILES},
        None,
        id="region variable before profile",
    ),
    pytest.param(
        {"AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_S3": "http://s3:2"},
        {CREDENTIALS: TWO_PROFILES},
        None,
        id="endpoint of the service before the general one",
    ),
    pytest.param(
        {"AWS_ENDPOINT_URL": "http://all:1"},
        {CONFIG: "[default]\nendpoint_url = http://file:3\n", CREDENTIALS: TWO_PROFILES},
        None,
        id="endpoint variable before profile",
    ),
    pytest.param(
        {},
        {
            CONFIG: "[default]\nservices = mine\nendpoint_url = http://file:3\n"
            "[services mine]\ns3 =\n  endpoint_url = http://services:4\n  x = y\n",
            CREDENTIALS: TWO_PROFILES,
        },
        None,
        id="services section before endpoint_url",
    ),
    pytest.param(
        {},
        {
            CONFIG: "[default]\nservices = mine\nendpoint_url = http://file:3\n"
            "[services mine]\nsqs =\n  endpoint_url = http://services:4\n",
            CREDENTIALS: TWO_PROFILES,
        },
        None,
        id="services section without s3",
    ),
    pytest.param(
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE", "AWS_ENDPOINT_URL": "http://all:1"},
        {CONFIG: "[default]\nendpoint_url = http://file:3\n", CREDENTIALS: TWO_PROFILES},
        None,
        id="configured endpoints are ignored by variable",
    ),
    pytest.param(
        {"AWS_ENDPOINT_URL": "http://all:1"},
        {CONFIG: "[default]\nignore_configured_endpoint_urls = true\n", CREDENTIALS: TWO_PROFILES},
        None,
        id="configured endpoints are ignored by profile",
    ),
    pytest.param(
        {},
        {CONFIG: "[default]\ns3 =\n    addressing_style = virtual\n", CREDENTIALS: TWO_PROFILES},
        None,
        id="addressing style",
    ),
]


@pytest.mark.parametrize(("environ", "files", "profile"), BOTO_CASES)
def test_aws_places_are_read_as_botocore_reads_them(
    environ: Mapping[str, str],
    files: Mapping[str, str],
    profile: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flags = {} if profile is None else {"profile": profile}
    ours = discover(Machine(environ=environ, files=files), **flags)

    clear_environment(monkeypatch)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for variable, place in (("AWS_CONFIG_FILE", CONFIG), ("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS)):
        path = tmp_path / Path(place).name
        path.write_text(files.get(place, ""))
        monkeypatch.setenv(variable, str(path))
    session = botocore.session.Session(profile=profile)
    theirs = session.get_credentials()
    assert theirs is not None
    client: Any = session.create_client(
        "s3", region_name=session.get_config_variable("region") or "us-east-1"
    )

    assert ours.credentials.access_key == theirs.access_key
    assert ours.credentials.secret_key.reveal() == theirs.secret_key
    assert ours.credentials.session_token == theirs.token
    assert ours.region == client.meta.region_name
    assert (ours.endpoint or "AWS") == (
        "AWS" if "amazonaws" in client.meta.endpoint_url else client.meta.endpoint_url
    )
    assert ours.addressing.value == ((client.meta.config.s3 or {}).get("addressing_style") or "auto")
    client.close()


def clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("AWS_", "VALETKEY_")):
            monkeypatch.delenv(name)


LOCAL = "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("environ", "files", "flags", "endpoint", "region"),
    [
        pytest.param(VALETKEY_PAIR, {}, {}, LOCAL, "us-east-1", id="ours, nothing said"),
        pytest.param(AWS_PAIR, {}, {}, None, "us-east-1", id="AWS, nothing said"),
        pytest.param(
            {}, {}, {"access_key": "A", "secret_key": "B"}, None, "us-east-1", id="flags, nothing said"
        ),
        pytest.param(
            VALETKEY_PAIR | {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"},
            {CONFIG: "[default]\nregion = eu-west-3\ns3 =\n  addressing_style = virtual\n"},
            {},
            LOCAL,
            "us-east-1",
            id="a region for AWS says nothing about ours",
        ),
        pytest.param(
            VALETKEY_PAIR | {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_S3": "http://a:1"},
            {},
            {},
            "http://a:1",
            "eu-west-1",
            id="an AWS setting that names our endpoint names our region",
        ),
        pytest.param(
            AWS_PAIR | {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"},
            {},
            {},
            None,
            "eu-west-1",
            id="AWS_REGION before AWS_DEFAULT_REGION",
        ),
        pytest.param(
            AWS_PAIR
            | {
                "VALETKEY_ENDPOINT": "http://v:1",
                "AWS_ENDPOINT_URL_S3": "http://a:1",
                "VALETKEY_REGION": "r-1",
            },
            {},
            {},
            "http://v:1",
            "r-1",
            id="our variables before AWS's",
        ),
        pytest.param(
            VALETKEY_PAIR | {"VALETKEY_ENDPOINT": "http://v:1", "VALETKEY_REGION": "r-1"},
            {},
            {"endpoint": "http://f:1", "region": "r-2"},
            "http://f:1",
            "r-2",
            id="flags before all",
        ),
        pytest.param(
            VALETKEY_PAIR | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_ENDPOINT_URL": "http://a:1"},
            {},
            {},
            LOCAL,
            "us-east-1",
            id="ignored AWS endpoint",
        ),
    ],
)
def test_endpoint_and_region(
    environ: Mapping[str, str],
    files: Mapping[str, str],
    flags: dict[str, str],
    endpoint: str | None,
    region: str,
) -> None:
    account = discover(Machine(environ=environ, files=files), **flags)

    assert (account.endpoint, account.region) == (endpoint, region)
    assert account.addressing is Addressing.AUTO


@pytest.mark.parametrize(
    ("machine", "flags", "words"),
    [
        pytest.param(Machine(), {}, "no credentials found", id="nothing anywhere"),
        pytest.param(
            Machine(environ={"VALETKEY_ACCESS_KEY": "A"}),
            {},
            "VALETKEY_SECRET_KEY is not",
            id="half of our pair",
        ),
        pytest.param(
            Machine(environ={"VALETKEY_SECRET_KEY": "A"}), {}, "VALETKEY_ACCESS_KEY is not", id="other half"
        ),
        pytest.param(
            Machine(environ={"AWS_ACCESS_KEY_ID": "A"}),
            {},
            "AWS_SECRET_ACCESS_KEY is not",
            id="half of AWS's",
        ),
        pytest.param(
            Machine(environ=AWS_PAIR | {"VALETKEY_DATA": "/srv/none"}),
            {},
            "no server has left",
            id="no server yet",
        ),
        pytest.param(
            Machine(
                environ={"VALETKEY_DATA": "/srv/data"}, files={DATA_FILE: "[default]\naws_access_key_id=A\n"}
            ),
            {},
            "has no aws_secret_access_key",
            id="half a file",
        ),
        pytest.param(Machine(), {"profile": "nobody"}, "no AWS profile 'nobody'", id="unknown profile"),
        pytest.param(
            Machine(environ={"AWS_PROFILE": "nobody"}),
            {},
            "no AWS profile 'nobody'",
            id="unknown AWS_PROFILE",
        ),
        pytest.param(
            Machine(files={CONFIG: "[profile x]\nregion = r\n"}),
            {"profile": "x"},
            "holds no credentials",
            id="bare",
        ),
        pytest.param(
            Machine(files={CONFIG: "[profile x]\nsso_session = s\n"}),
            {"profile": "x"},
            "aws configure export-credentials --profile x --format env",
            id="single sign-on",
        ),
        pytest.param(
            Machine(files={CONFIG: "[profile x y]\nrole_arn = s\n[profile 'x y']\nrole_arn = a\n"}),
            {"profile": "x y"},
            "--profile 'x y' --format env",
            id="role",
        ),
        pytest.param(
            Machine(files={CONFIG: "[default]\nservices = s\n", CREDENTIALS: TWO_PROFILES}),
            {},
            "services 's'",
            id="missing services section",
        ),
        pytest.param(
            Machine(files={CONFIG: "[default]\ns3 =\n  addressing_style = odd\n", CREDENTIALS: TWO_PROFILES}),
            {},
            "auto, path or virtual",
            id="unknown addressing style",
        ),
        pytest.param(Machine(), {"access_key": "A"}, "needs its secret", id="flag without secret"),
        pytest.param(Machine(), {"secret_key": "A"}, "without --access-key", id="secret without flag"),
        pytest.param(
            Machine(),
            {"access_key": "A", "secret_key_file": "/none"},
            "no secret key file",
            id="no secret file",
        ),
        pytest.param(
            Machine(files={"/f": " \n"}),
            {"access_key": "A", "secret_key_file": "/f"},
            "is empty",
            id="empty secret file",
        ),
        pytest.param(
            Machine(),
            {"access_key": "A", "secret_key": "B", "secret_key_file": "/f"},
            "not both",
            id="two secrets",
        ),
        pytest.param(
            Machine(),
            {"access_key": "A", "secret_key": "B", "profile": "p"},
            "not both",
            id="key and profile",
        ),
    ],
)
def test_what_is_missing_is_said(machine: Machine, flags: dict[str, str], words: str) -> None:
    with pytest.raises(BadInputError) as raised:
        discover(machine, **flags)

    assert words in str(raised.value)


def test_broken_file_is_named_and_never_quoted() -> None:
    machine = Machine(files={CREDENTIALS: "[default]\naws_secret_access_key hunter2\n"})

    with pytest.raises(BadInputError) as raised:
        discover(machine)

    assert "~/.aws/credentials is not a valid INI file (line 2)" in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_files_may_stand_elsewhere() -> None:
    machine = Machine(
        environ={"AWS_SHARED_CREDENTIALS_FILE": "~/keys", "AWS_CONFIG_FILE": "/etc/aws"},
        files={"/people/ada/keys": TWO_PROFILES, "/etc/aws": "[default]\nregion = eu-west-9\n"},
    )

    assert discover(machine).region == "eu-west-9"


END = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-11-23T22:00:00Z", END, id="UTC"),
        pytest.param("2026-11-24T00:00:00+02:00", END, id="with a zone"),
        pytest.param("2026-11-23 22:00:00", END, id="without a zone"),
        pytest.param("some day", None, id="no instant"),
    ],
)
def test_end_of_credentials_is_read_wherever_it_stands(text: str, expected: datetime | None) -> None:
    variables = Machine(environ=AWS_PAIR | {"AWS_CREDENTIAL_EXPIRATION": text})
    assert credentials_of(variables).expires_at == expected
    for key in ("x_security_token_expires", "aws_credential_expiration", "expiration"):
        assert (
            credentials_of(
                Machine(files={CREDENTIALS: f"{TWO_PROFILES}{key} = {text}\n"}), profile="work"
            ).expires_at
            == expected
        )
    answer = {
        "Version": 1,
        "AccessKeyId": "A",
        "SecretAccessKey": "B",
        "SessionToken": "T",
        "Expiration": text,
    }
    assert credentials_of(with_process(json.dumps(answer))).expires_at == expected


def with_process(printed: str) -> Machine:
    return Machine(
        files={CONFIG: "[default]\ncredential_process = get-keys --for 'ada lovelace'\n"}, printed=printed
    )


def test_credential_process_is_asked() -> None:
    printed = json.dumps({"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "B"})

    found = credentials_of(with_process(printed))

    assert found == Credentials(access_key="A", secret_key=Secret("B"), origin=Origin.AWS)


@pytest.mark.parametrize("printed", ["", "no JSON hunter2", "[]", "{}", '{"AccessKeyId": "hunter2"}', '"x"'])
def test_credential_process_that_prints_no_credentials_is_not_quoted(printed: str) -> None:
    with pytest.raises(CliError, match="printed no credentials") as raised:
        discover(with_process(printed))

    assert "hunter2" not in str(raised.value)


def test_session_token_by_flag_makes_the_end_unknown() -> None:
    machine = Machine(
        environ=AWS_PAIR | {"AWS_SESSION_TOKEN": "T", "AWS_CREDENTIAL_EXPIRATION": "2026-11-23T22:00Z"}
    )

    found = credentials_of(machine, session_token="U")

    assert (found.session_token, found.expires_at) == ("U", None)


def test_aws_files_are_not_read_when_nothing_is_asked_of_them() -> None:
    machine = Machine(environ=VALETKEY_PAIR | {"VALETKEY_ENDPOINT": LOCAL}, files={CONFIG: "not an INI file"})

    assert discover(machine).endpoint == LOCAL


def test_nothing_secret_is_shown() -> None:
    machine = Machine(environ=AWS_PAIR | {"AWS_SESSION_TOKEN": "hunter2-token"})

    shown = repr(discover(machine))

    assert "akenv-secret" not in shown
    assert "hunter2" not in shown


def test_real_files_and_programs(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("ä")
    (tmp_path / "bytes").write_bytes(b"\xff")

    assert read_text(tmp_path / "text") == "ä"
    assert read_text(tmp_path / "none") is None
    assert read_text(tmp_path) is None
    with pytest.raises(BadInputError, match="not UTF-8"):
        read_text(tmp_path / "bytes")
    assert run_program(["printf", "hello"]) == "hello"
    with pytest.raises(CliError, match="exit code 1"):
        run_program(["false"])
    with pytest.raises(CliError, match="cannot run"):
        run_program([str(tmp_path / "none")])


@pytest.mark.parametrize(
    ("environ", "bundle"),
    [
        pytest.param(AWS_PAIR, "/etc/profile.pem", id="the profile's"),
        pytest.param(AWS_PAIR | {"AWS_CA_BUNDLE": "/etc/env.pem"}, "/etc/env.pem", id="the variable's first"),
        pytest.param(VALETKEY_PAIR, None, id="a profile for AWS says nothing about ours"),
        pytest.param(VALETKEY_PAIR | {"AWS_CA_BUNDLE": "~/ca.pem"}, "/people/ada/ca.pem", id="for ours too"),
    ],
)
def test_the_authorities_are_those_of_the_aws_tools(environ: Mapping[str, str], bundle: str | None) -> None:
    files = {CONFIG: "[default]\nca_bundle = /etc/profile.pem\n"}
    found = discover(Machine(environ=environ, files=files)).ca_bundle
    assert found == (None if bundle is None else Path(bundle))
