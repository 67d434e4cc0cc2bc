"""Who is let in."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from aihubmix_video.web.access import COOKIE, OPEN, AccessPolicy, token_problem

TOKEN = "correct-horse-battery"
HOME = {"host": "localhost:8000"}
OPEN_DOOR = AccessPolicy.of("127.0.0.1", None)
GUARDED = AccessPolicy.of("0.0.0.0", TOKEN)  # noqa: S104  # judged only


def cookie(door: AccessPolicy) -> str:
    """Give the header by which a browser shows that it signed in."""
    jar: SimpleCookie = SimpleCookie({COOKIE: door.cookie})
    return f"theme=dark; {jar.output(header='').strip()}"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"]
)
def test_the_names_of_this_machine_are_let_in(host: str):
    """With a port or without one."""
    assert "pass" == OPEN_DOOR.judge("GET", "/", {"host": host})


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "", "localhost.evil.example", "localhost:x", "::1", "10.0.0.1"]
)
def test_other_names_are_not(host: str):
    """A name of an attacker's may lead to this machine (DNS rebinding); his page would then be of the same origin."""
    assert "wrong host" == OPEN_DOOR.judge("GET", "/videos/", {"host": host})
    assert "wrong host" == OPEN_DOOR.judge("GET", "/login", {"host": host})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://localhost:8000"},
        {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {},  # curl
    ],
)
def test_our_own_page_and_programs_may_order(headers: dict[str, str]):
    """Browsers say where a request that changes something comes from; programs are run by whoever may."""
    assert "pass" == OPEN_DOOR.judge("POST", "/videos/", HOME | headers)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "whatever"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:8001"},  # another program's page on this machine
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_pages_may_not(method: str, headers: dict[str, str]):
    """They can send a request from the browser of somebody who may order, without reading the answer."""
    assert "foreign" == OPEN_DOOR.judge(method, "/videos/", HOME | headers)


def test_a_request_without_a_host_cannot_name_its_own_origin():
    """Two empty names are no sign of anything."""
    assert "foreign" == GUARDED.judge("POST", "/videos/", {"origin": "http://"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": f"{COOKIE}={TOKEN}"},
        {"cookie": '=;;"\x01'},
    ],
)
def test_whoever_does_not_know_the_token_sees_only_the_door(headers: dict[str, str]):
    """The cookie is not the token itself, so neither is good for the other's purpose."""
    for path in ("/", "/videos/", "/config.json", "/board.js", "/login/../videos/"):
        assert "no token" == GUARDED.judge("GET", path, {"host": "studio.example", **headers})
    for path in OPEN:
        assert "pass" == GUARDED.judge("GET", path, {"host": "studio.example", **headers})


@pytest.mark.parametrize(
    "headers",
    [{"authorization": f"Bearer {TOKEN}"}, {"authorization": f"bearer  {TOKEN}"}, {"cookie": cookie(GUARDED)}],
)
def test_the_token_opens_under_any_name(headers: dict[str, str]):
    """Behind a proxy the server has names that it does not know."""
    assert "pass" == GUARDED.judge("GET", "/videos/", {"host": "studio.example", **headers})


def test_a_cookie_is_of_one_token():
    """Another token ends what the one before had opened."""
    other = AccessPolicy.of("0.0.0.0", TOKEN[::-1])  # noqa: S104  # judged only

    assert "no token" == other.judge("GET", "/", {"cookie": cookie(GUARDED)})


@pytest.mark.parametrize(
    ("token", "opens"), [(TOKEN, True), ("", False), (None, False), (["a"], False), ("\ud800", False), ("é", False)]
)
def test_only_the_token_opens(token: object, opens: bool):  # noqa: FBT001
    """Whatever came as JSON."""
    assert opens == GUARDED.opens_to(token)
    assert not OPEN_DOOR.opens_to(token)


def test_a_token_is_not_shown():
    """Tracebacks and logs show values."""
    assert TOKEN not in repr(GUARDED)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "::1"])
def test_a_server_on_this_machine_has_only_its_names(host: str):
    """Otherwise DNS rebinding would reach it; see `references.addresses` for what is loopback."""
    assert "wrong host" == AccessPolicy.of(host, None).judge("GET", "/", {"host": "evil.example"})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "localhost.", "127.1", "2130706433", "::127.0.0.1", ""])  # noqa: S104
def test_any_other_server_is_reached_under_any_name(host: str):
    """It needs a token instead, and so does one whose address is not understood."""
    assert AccessPolicy.of(host, TOKEN).hosts is None


@pytest.mark.parametrize(
    ("token", "said"),
    [("short", "has 5 characters"), ("a" * 15, "has 15"), ("ä" * 20, "ASCII"), ("a " * 10, "spaces"), (TOKEN, None)],
)
def test_a_token_must_be_hard_to_guess(token: str, said: str | None):
    """Nothing slows down who tries them all."""
    found = token_problem(token)

    assert found is None if said is None else said in (found or "")
