"""The session's options: every bad one is named before anything is sent, and the key is never shown."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.settings import Secret, Settings, settings_from

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-canary-1234567890"
OPTIONS = {
    "rate": 10.0,
    "burst": 1,
    "poll_interval": 15.0,
    "max_in_flight": 1000,
    "max_downloads": 8,
    "deadline": 1800.0,
    "validate": "known",
}


def settings(
    key: str | None = KEY, url: str | None = None, env: dict[str, str] | None = None, **changed: object
) -> Settings:
    """Judge options as a session does, in an environment of the test's own."""
    return settings_from(api_key=key, base_url=url, trust_env=False, environ=env or {}, **{**OPTIONS, **changed})


@pytest.mark.parametrize(
    "key",
    [
        "",
        "   ",
        "'sk-canary'",
        '"sk-canary"',
        "Bearer sk-canary",
        "sk canary",
        "sk-canary\n\nx",
        "sk-cänary",
        "sk-canary\uff11",
        "AIHUBMIX_API_KEY",
        "$AIHUBMIX_API_KEY",
        "<your key>",
    ],
)
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(key: str):
    """Pasted quotes, prefixes and fullwidth letters are the usual mistakes; messages end up in screenshots."""
    with pytest.raises(ConfigurationError) as caught:
        settings(key)
    assert "canary" not in str(caught.value)
    assert "api_key" in str(caught.value)


def test_a_line_break_at_the_keys_end_is_taken_off():
    """It is what `cat key.txt` and editors leave."""
    assert settings(KEY + "\r\n").api_key.reveal() == KEY


def test_the_key_is_found_in_the_environment():
    """The documented variable; a missing one is named."""
    assert settings(None, env={"AIHUBMIX_API_KEY": KEY}).api_key.reveal() == KEY
    with pytest.raises(ConfigurationError, match="AIHUBMIX_API_KEY"):
        settings(None)


def test_a_secret_is_in_no_repr_and_no_pickle():
    """Settings are shown in tracebacks with locals, and sessions get pickled by mistake."""
    made = settings()
    assert KEY not in repr(made) + str(made.api_key) + f"{made.api_key}" + repr([made.api_key])
    with pytest.raises(TypeError):
        pickle.dumps(made.api_key)
    with pytest.raises(TypeError):
        copy.copy(made.api_key)
    assert isinstance(made.api_key, Secret)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "https://aihubmix.com"),
        ("https://aihubmix.com/", "https://aihubmix.com"),
        ("https://aihubmix.com/v1", "https://aihubmix.com"),
        ("https://aihubmix.com/v1/", "https://aihubmix.com"),
        ("https://AIHubMix.com", "https://aihubmix.com"),
        ("https://proxy.example/video/v1", "https://proxy.example/video"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1/v1", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_base_url_is_brought_to_one_form(given: str | None, expected: str):
    """The page and other clients give it with and without /v1."""
    assert settings(url=given).base_url == expected


@pytest.mark.parametrize(
    "url",
    [
        "aihubmix.com",
        "ftp://aihubmix.com",
        "http://aihubmix.com",
        "http://127.evil.test",
        "https://",
        "https://a b.com",
        "https://key@aihubmix.com",
        "https://u:p@aihubmix.com",
        "https://a.com?x=1",
        "https://a.com#x",
        "https://a.com:0",
        "https://a.com:99999",
        "https://ünïcode.example",
        "https://a.com\n",
        "http://10.0.0.1",
    ],
)
def test_a_base_url_that_would_leak_or_mislead_is_refused(url: str):
    """Plain http to anywhere else would show the key; credentials in a URL would be shown by everything."""
    with pytest.raises(ConfigurationError, match="base_url"):
        settings(url=url)


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("rate", [0, -1, float("nan"), float("inf"), "10/s", 1e9, True, None]),
        ("burst", [0, -1, 1.5, 10**6, "1"]),
        ("poll_interval", [0, -1, float("nan"), "15s"]),
        ("max_in_flight", [0, 10**9, 1.0]),
        ("max_downloads", [0, 10**6]),
        ("deadline", [0, -1, float("inf"), "5min"]),
        ("validate", ["yes", None, True]),
    ],
)
def test_an_option_out_of_range_is_named_with_what_is_allowed(option: str, values: list[object]):
    """Row by row what users try; the message must be enough to mend it."""
    for value in values:
        with pytest.raises(ConfigurationError, match=option):
            settings(**{option: value})


def test_a_certificate_file_that_is_missing_is_named(tmp_path: Path):
    """The TLS library would silently trust nobody, and every connection would fail for no visible reason."""
    with pytest.raises(ConfigurationError, match=r"SSL_CERT_FILE.*gone\.pem"):
        settings(env={"SSL_CERT_FILE": str(tmp_path / "gone.pem")})


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "[fe80::1]", "[fe80::1%25eth0]", "metadata.google.internal", "169.254.169.254."),
        *("0xa9fea9fe", "2852039166", "169.254.43518", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]"),
        *("[2002:a9fe:a9fe::]", "[fd00:ec2::254]", "100.100.100.200"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_link_local_base_url_is_refused(scheme: str, host: str):
    """The metadata service of a cloud is no gateway: it would be given the key, and whoever sets the variable its answers."""
    with pytest.raises(
        ConfigurationError, match=r"base_url.*never contacted; give the gateway's URL, such as https://"
    ):
        settings(url=f"{scheme}://{host}/")


@pytest.mark.parametrize("host", ["localhost.", "2130706433", "0x7f.1", "127.1", "[::127.0.0.1]", "[64:ff9b::7f00:1]"])
def test_plain_http_needs_a_plain_loopback_host(host: str):
    """Another reader, such as a proxy, may take an odd spelling for another machine; the key would be shown to it."""
    with pytest.raises(ConfigurationError, match="base_url"):
        settings(url=f"http://{host}:8080")
