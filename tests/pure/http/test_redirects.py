"""Where a content request may be sent on to."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import DownloadFailed
from aihubmix_video.http.redirects import judge_addresses, next_hop, same_origin

HOME = "https://aihubmix.com/v1/videos/x/content"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://cdn.example/v.mp4?sig=1", "https://cdn.example/v.mp4?sig=1"),
        ("/files/v.mp4", "https://aihubmix.com/files/v.mp4"),
        ("//cdn.example/v.mp4", "https://cdn.example/v.mp4"),
    ],
)
def test_https_is_followed_and_relative_places_are_resolved(location: str, expected: str):
    """RFC 9110, section 10.2.2."""
    assert next_hop(HOME, location, local=False) == expected


@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        "http://cdn.example/v.mp4",
        "ftp://cdn.example/v",
        "file:///etc/passwd",
        "https://u:p@cdn.example/v",
        "https://cdn.example:99999/",
        "https://[bad/",
    ],
)
def test_everything_else_is_refused(location: str | None):
    """A gateway's text must not choose a scheme or smuggle credentials."""
    with pytest.raises(DownloadFailed):
        next_hop(HOME, location, local=False)


def test_plain_http_is_followed_only_by_a_local_gateway():
    """The sandbox has no certificate; the real gateway must not lead away from TLS."""
    assert next_hop("http://127.0.0.1:1/a", "/b", local=True) == "http://127.0.0.1:1/b"
    with pytest.raises(DownloadFailed):
        next_hop(HOME, "http://127.0.0.1/b", local=False)


def test_an_origin_is_scheme_host_and_port():
    """The key goes to its own origin and nowhere else."""
    assert same_origin(HOME, "https://aihubmix.com:443/other")
    for other in ("http://aihubmix.com/", "https://aihubmix.com:444/", "https://aihubmix.com.evil.test/", "https://x/"):
        assert not same_origin(HOME, other)


NEVER = [
    *("169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::a9fe:a9fe"),
    *("100.100.100.200", "fd00:ec2::254"),
]
PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "100.64.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1"),
    *("64:ff9b:1::808:808", "2002:808:808::", "2001:0:808:808::", "ff02::1", "224.0.0.1", "0.0.0.0", "240.0.0.1"),  # noqa: S104  # judged only
]


def bracketed(address: str) -> str:
    """Write an address as a URL's host."""
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize("address", [*NEVER, *PRIVATE])
def test_a_redirect_to_a_private_address_is_refused(address: str):
    """It would let the gateway have read what only the user's machine can reach."""
    with pytest.raises(DownloadFailed):
        next_hop(HOME, f"https://{bracketed(address)}/v.mp4", local=False)
    assert judge_addresses("cdn.example", ["8.8.8.8", address], local=False) is not None


@pytest.mark.parametrize(
    "host", ["0x7f.1", "2130706433", "127.1", "127.0.0.1.", "0177.0.0.1", "①②⑦.1", "%31%32%37.0.0.1"]
)
def test_a_redirect_to_an_odd_spelling_is_refused(host: str):
    """Readers differ in what they take it for."""
    with pytest.raises(DownloadFailed):
        next_hop(HOME, f"https://{host}/", local=False)


@pytest.mark.parametrize("address", NEVER)
def test_a_link_local_address_is_refused_even_beside_a_local_gateway(address: str):
    """The metadata service of a cloud answers every process on the machine, and gives it credentials."""
    with pytest.raises(DownloadFailed, match="never contacted"):
        next_hop("http://127.0.0.1:1/a", f"http://{bracketed(address)}/", local=True)
    assert "never contacted" in (judge_addresses("cdn.example", [address], local=True) or "")


@pytest.mark.parametrize("address", PRIVATE)
def test_a_local_gateway_may_redirect_to_other_private_addresses(address: str):
    """A test gateway keeps its videos where it likes."""
    target = f"http://{bracketed(address)}:9000/v.mp4"

    assert target == next_hop("http://127.0.0.1:1/a", target, local=True)
    assert judge_addresses("cdn.example", [address], local=True) is None


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_address_is_followed(address: str):
    """The last two are how networks without IPv4 reach it."""
    target = f"https://{bracketed(address)}/v.mp4"

    assert target == next_hop(HOME, target, local=False)
    assert judge_addresses("cdn.example", [address], local=False) is None


@given(st.text())
def test_any_location_is_judged_without_other_errors(location: str):
    """It is the server's text."""
    with suppress(DownloadFailed):
        assert next_hop(HOME, location, local=False).startswith("https://")
