"""Where a content request may be sent on to."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import DownloadFailed
from aihubmix_video.http.redirects import is_public, next_hop, same_origin

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


def test_private_addresses_are_told_from_public_ones():
    """A redirect into the user's own network would let the gateway read what only the user can."""
    assert is_public("8.8.8.8")
    assert is_public("2606:4700::1111")
    for private in (
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "fe80::1%eth0",
        "::ffff:127.0.0.1",
        "100.64.0.1",
        "x",
    ):
        assert not is_public(private)


@given(st.text())
def test_any_location_is_judged_without_other_errors(location: str):
    """It is the server's text."""
    with suppress(DownloadFailed):
        assert next_hop(HOME, location, local=False).startswith("https://")
