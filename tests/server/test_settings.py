"""Settings: flags over environment over file, and a sentence for everything that will not do."""

from pathlib import Path

import pytest

from valetkey.server.settings import SettingsError, load_settings, unknown_variables


def test_the_defaults_are_the_documented_ones() -> None:
    settings = load_settings({}, {})
    assert str(settings.listen) == "127.0.0.1:9000"
    assert settings.region == "us-east-1"
    assert settings.workers == 1
    assert settings.access_key is None


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "valetkey.toml"
    file.write_text('region = "file"\nworkers = 3\nlisten = "127.0.0.1:1"\n')
    settings = load_settings(
        {"config": str(file), "region": "flag"}, {"VALETKEY_REGION": "env", "VALETKEY_WORKERS": "2"}
    )
    assert (settings.region, settings.workers, str(settings.listen)) == ("flag", 2, "127.0.0.1:1")


def test_lists_are_split_at_spaces_and_commas() -> None:
    settings = load_settings({}, {"VALETKEY_PUBLIC_URLS": "https://a.example, http://b.example:8080/s3/"})
    assert [(url.host, url.path_prefix) for url in settings.public_urls] == [
        ("a.example", ""),
        ("b.example:8080", "/s3"),
    ]


@pytest.mark.parametrize(
    ("flags", "environ", "part"),
    [
        ({"listen": "nowhere"}, {}, "HOST:PORT"),
        ({"listen": "127.0.0.1:0"}, {}, "HOST:PORT"),
        ({"listen": "127.0.0.1:70000"}, {}, "HOST:PORT"),
        ({"listen": "unix:/" + "x" * 107}, {}, "at most 107 bytes"),
        ({"listen": "unix:"}, {}, "a path after unix:"),
        ({}, {"VALETKEY_SOCKET_MODE": "6600"}, "octal"),
        ({"trusted_proxies": ["10.0.0.1/8"]}, {}, "host bits"),
        ({"trusted_proxies": ["proxy.example"]}, {}, "CIDR"),
        ({"tls_certificate": "cert.pem"}, {}, "go together"),
        ({"workers": "0"}, {}, "from 1 to 256"),
        ({"workers": "many"}, {}, "whole number"),
        ({"region": "eu/west"}, {}, "region name"),
        ({"public_urls": ["ftp://x"]}, {}, "expected a URL"),
        ({"domains": ["a b"]}, {}, "domain name"),
        ({"colour": "red"}, {}, "Unknown flag: colour"),
        ({}, {"VALETKEY_ACCESS_KEY": "AKIDONLY"}, "go together"),
        ({}, {"VALETKEY_ACCESS_KEY": "AKID", "VALETKEY_SECRET_KEY": "s" * 257}, "1 to 256"),
        ({}, {"VALETKEY_CONFIG": "missing.toml"}, "cannot be read"),
        ({}, {"VALETKEY_STRICT": "perhaps"}, "true or false"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_value_is_a_sentence(flags: dict[str, object], environ: dict[str, str], part: str) -> None:
    with pytest.raises(SettingsError, match=part):
        load_settings(flags, environ)


def test_a_refused_secret_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {"VALETKEY_ACCESS_KEY": "AKID", "VALETKEY_SECRET_KEY": "hunter2" * 40})
    assert "hunter2" not in str(caught.value)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a long enough secret\n")
    settings = load_settings({}, {"VALETKEY_ACCESS_KEY": "AKID", "VALETKEY_SECRET_KEY_FILE": str(file)})
    assert settings.secret_key is not None
    assert settings.secret_key.reveal() == "a long enough secret"
    assert "long enough" not in repr(settings)


def test_an_unknown_name_in_the_file_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "valetkey.toml"
    file.write_text("regoin = 'x'\n")
    with pytest.raises(SettingsError, match="regoin"):
        load_settings({"config": str(file)}, {})


def test_a_misspelt_variable_is_found() -> None:
    environ = {
        "VALETKEY_REGOIN": "x",
        "VALETKEY_ENDPOINT": "http://x",
        "VALETKEY_SECRET_KEY_FILE": "f",
        "HOME": "h",
    }
    assert unknown_variables(environ) == ["VALETKEY_REGOIN"]
