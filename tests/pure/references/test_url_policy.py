"""Which reference URLs a server passes on, judged by their text alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video import VideoRequest
from aihubmix_video.references.url_policy import UrlPolicy

PRIVATE_V4 = st.sampled_from(["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.169.254", "100.64.0.1"])


def asked(url: str, **fields: object) -> VideoRequest:
    """Ask for a video with a reference."""
    return VideoRequest(model="wan2.6-i2v", prompt="a cat", input_reference=url, **fields)


def refused(policy: UrlPolicy, url: str) -> bool:
    """Say whether a policy refuses a URL."""
    return bool(policy.problems(asked(url)))


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str):
    """Strangers write it, so nothing may be raised."""
    UrlPolicy().problems(asked(f"http://{text}/"))
    UrlPolicy(private=True).problems(asked(f"http://{text}/"))
    UrlPolicy().problems(asked(text))


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


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0xa9fea9fe", "metadata.google.internal"])
def test_a_link_local_host_is_refused_on_a_closed_network_too(host: str):
    """The vendor's fetcher, or our own proxy, may run where that address gives out credentials."""
    assert refused(UrlPolicy(private=True), f"http://{host}/latest/meta-data")


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
