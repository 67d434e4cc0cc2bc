"""Which reference URLs a server passes on, judged by their text alone."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video import VideoRequest
from aihubmix_video.references.url_policy import UrlPolicy, is_public_host

PRIVATE_V4 = st.sampled_from(["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.169.254", "100.64.0.1"])
V4 = st.integers(0, 2**32 - 1).map(IPv4Address)


def asked(url: str, **fields: object) -> VideoRequest:
    """Ask for a video with a reference."""
    return VideoRequest(model="wan2.6-i2v", prompt="a cat", input_reference=url, **fields)


def refused(policy: UrlPolicy, url: str) -> bool:
    """Say whether a policy refuses a URL."""
    return bool(policy.problems(asked(url)))


NOT_PUBLIC = """
127.0.0.1 0.0.0.0 127.0.0.1. 10.0.0.1 192.168.1.1 172.31.255.255 169.254.169.254 100.100.100.200 224.0.0.1
255.255.255.255 240.0.0.1 198.18.0.1 192.0.2.1
127.1 0177.0.0.1 0x7f.0.0.1 2130706433 017700000001 0x7f000001 0 0x 2852039166 134744072 010.8.8.8 8.8.8.08 a.0x7f
256.1.1.1 1.2.3.4.5 1.2.3
::1 :: ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 2002:7f00:1:: fe80::1 fc00::1
fd00::1 fe80::1%eth0 ff02::1 2001:db8::1 2001:0:7f00:1:: 1::2::3
localhost localhost. LOCALHOST a.localhost printer.local metadata.google.internal router.lan db.corp
1.0.0.127.in-addr.arpa intranet a..b -a.com a-.com ex%61mple.com 127.0.0.1%2e ex\u00e4mple.com \uff11\uff12\uff17.0.0.1
"""
PUBLIC = """
example.com EXAMPLE.com. cdn.example.co.uk xn--exmple-cua.com 8.8.8.8 2606:4700:4700::1111 ::ffff:8.8.8.8
64:ff9b::808:808 a_b.example.com 3com.example 1.example
"""


@pytest.mark.parametrize("host", ["", *NOT_PUBLIC.split()])
def test_what_is_not_public_is_refused_in_every_spelling(host: str):
    """promises.md, 5, row 42; and what nobody can be sure about is not public."""
    assert not is_public_host(host)


@pytest.mark.parametrize("host", PUBLIC.split())
def test_what_is_public_is_let_pass(host: str):
    """A wall around everything would only be switched off."""
    assert is_public_host(host)


@given(V4, st.lists(st.sampled_from(["{0}", "0x{0:x}", "0{0:o}"]), min_size=4, max_size=4), st.integers(1, 4))
def test_an_address_passes_in_its_plain_spelling_only(address: IPv4Address, written: list[str], parts: int):
    """C libraries read ``127.1`` and ``0x7f.0.0.01``, so somebody's fetcher may."""
    octets = list(address.packed)
    numbers = [*octets[: parts - 1], int.from_bytes(octets[parts - 1 :])]
    text = ".".join(form.format(number) for form, number in zip(written, numbers, strict=False))

    assert not is_public_host(text) or text == str(address)


@given(V4, st.sampled_from(["::ffff:{}", "64:ff9b::{}", "::{}"]))
def test_an_address_within_an_address_counts(address: IPv4Address, written: str):
    """Mapped, translated or in the old compatible form. ``::`` and ``::1`` are refused as what they are."""
    assert is_public_host(str(address)) == is_public_host(written.format(address))


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_no_private_address_passes_as_ipv6(address: IPv6Address):
    """What Python calls private is never let pass."""
    if address.is_private or address.is_loopback or address.is_link_local:
        assert not is_public_host(str(address))


@given(st.text(max_size=40))
def test_any_text_is_judged(host: str):
    """Strangers write it, so nothing may be raised."""
    assert is_public_host(host) in {True, False}
    UrlPolicy().problems(asked(f"http://{host}/"))
    UrlPolicy().problems(asked(host))


@given(
    PRIVATE_V4,
    st.sampled_from(
        ["http://{}/a.png", "HTTPS://{}:8080/", "https://a.b@{}/", " http://{}#.example.com", "http:\\\\{}"]
    ),
)
def test_a_private_host_is_found_in_any_url(host: str, url: str):
    """Ports, credentials, fragments and odd slashes hide nothing."""
    assert refused(UrlPolicy(), url.format(host))


def test_schemes_are_those_allowed():
    """And what has none is no URL, and is judged as text elsewhere."""
    only = UrlPolicy(schemes=frozenset({"https"}))

    assert not refused(only, "https://example.com/a.png")
    assert [True] * 5 == [
        refused(only, url)
        for url in (
            "http://example.com/a.png",
            "data:image/png;base64,AAAA",
            "ftp://example.com/a",
            "file:///a",
            "gopher:a",
        )
    ]
    assert not refused(UrlPolicy(), "data:image/png;base64,AAAA")
    assert not refused(only, "iVBORw0KGgo=")


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        ("example.com", True),
        ("EXAMPLE.COM.", True),
        ("a.example.com", False),
        ("a.cdn.example", True),
        ("a.b.cdn.example", True),
        ("cdn.example", False),
        ("xcdn.example", False),
        ("evil.test", False),
    ],
)
def test_hosts_are_those_allowed(host: str, passes: bool):  # noqa: FBT001 - a parameter of the test
    """Whole labels only, or ``evilexample.com`` would pass for ``example.com``."""
    assert passes != refused(UrlPolicy(hosts=("example.com", "*.cdn.example")), f"https://{host}/a.png")


def test_a_closed_network_can_be_opened():
    """There the private hosts are the ones that are meant; but which of them still counts."""
    assert not refused(UrlPolicy(private=True), "http://10.0.0.1/a.png")
    assert refused(UrlPolicy(private=True, hosts=("media.lan",)), "http://10.0.0.1/a.png")
    assert not refused(UrlPolicy(private=True, hosts=("media.lan",)), "http://media.lan/a.png")
    assert refused(UrlPolicy(hosts=("media.lan",)), "http://media.lan/a.png")


def test_every_reference_is_found_wherever_it_stands():
    """Deep in lists and objects of the vendors' making, and in what is passed on unchecked."""
    local = "http://localhost/a"
    request = VideoRequest(
        model="x",
        prompt="see http://localhost/ for more",
        image=local,
        image_tail=local,
        image_list=[local, "https://example.com/b"],
        video_list=[{"video_url": local, "refer_type": "base"}],
        content=[{"type": "image_url", "image_url": {"url": local}}, {"deep": [[{"x": local}]]}],
        extra_body={"callback": local},
    )

    assert [
        *("image", "image_tail", "image_list[0]", "video_list[0].video_url", "content[0].image_url.url"),
        *("content[1].deep[0][0].x", "extra_body.callback"),
    ] == [problem.field for problem in UrlPolicy().problems(request)]
