"""Who a client is, by its token, and how clients are written down."""

from __future__ import annotations

import pytest

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.openai_front.api_client import ApiClient, UnknownToken, check_clients, client_of, token_hash
from aihubmix_video.openai_front.client_file import clients_of

ALICE, BOB = "alice-has-a-long-token", "bob-has-one-of-his-own"
CLIENTS = (ApiClient.of("alice", ALICE), ApiClient.of("bob", BOB))


@pytest.mark.parametrize("header", [f"Bearer {BOB}", f"bearer  {BOB} "])
def test_a_token_is_a_client(header: str):
    """The scheme is written in either case."""
    assert "bob" == client_of(CLIENTS, header).name


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", BOB, f"Basic {BOB}", f"Bearer {BOB}x", f"Bearer {token_hash(BOB)}", "Bearer \udcff"],
)
def test_anything_else_is_nobody(header: str):
    """Neither part of a token nor the hash in the file lets anybody in."""
    with pytest.raises(UnknownToken):
        client_of(CLIENTS, header)


def test_no_token_is_in_what_is_printed():
    """Configurations end up in logs and tracebacks."""
    assert ALICE not in repr(CLIENTS)
    assert token_hash(ALICE) not in repr(CLIENTS)


def test_a_file_names_clients():
    """Caps and rates stand beside the hash."""
    text = f'[alice]\ntoken_sha256 = "{token_hash(ALICE)}"\nmax_videos = 3\nmax_spend = 1.5\nrate = 6\n'

    assert (ApiClient.of("alice", ALICE, max_videos=3, max_spend=1.5, rate=6),) == clients_of(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "none"),
        ("[", "TOML"),
        ("alice = 1", "table"),
        ("[alice]", "token_sha256"),
        (f'[alice]\ntoken_sha256 = "{ALICE}"', "64 hex digits"),
        (f'[alice]\ntoken_sha256 = "{token_hash(ALICE)}"\nmax_video = 1', "max_videos"),
        (f'[alice]\ntoken_sha256 = "{token_hash(ALICE)}"\nmax_videos = -1', "max_videos"),
        (f'[alice]\ntoken_sha256 = "{token_hash(ALICE)}"\nrate = 0', "rate=0"),
        (f'["a b"]\ntoken_sha256 = "{token_hash(ALICE)}"', "letters"),
        (f'[a]\ntoken_sha256 = "{token_hash(ALICE)}"\n[b]\ntoken_sha256 = "{token_hash(ALICE)}"', "same token"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(text: str, said: str):
    """A cap that is misspelt would not be kept."""
    with pytest.raises(ConfigurationError, match=said):
        clients_of(text)


@pytest.mark.parametrize("token", ["short", "with a space in the middle", "é" * 20])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token: str):
    """The client would only find out when it is used."""
    with pytest.raises(ConfigurationError):
        ApiClient.of("alice", token)


def test_two_clients_of_one_name_are_refused():
    """Each would see the other's videos."""
    with pytest.raises(ConfigurationError, match="same name"):
        check_clients((ApiClient.of("alice", ALICE), ApiClient.of("alice", BOB)))
