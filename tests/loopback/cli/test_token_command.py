"""Tokens for the clients of ``serve --openai``, made by the program in a process."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

import pytest

from aihubmix_video.openai_front import ApiClient, clients_in
from tests.loopback.cli.test_commands import run


async def test_a_token_is_printed_and_its_client_written_down(tmp_path: Path):
    """The token itself is told once and kept nowhere; the next client is added beside the first."""
    alice = await run("token", "alice", "--clients", "c.toml", "--max-videos", "3", "--rate", "1.5", folder=tmp_path)
    bob = await run("token", "bob.b@x", "--clients", "c.toml", "--max-spend", "2.5", "--json", folder=tmp_path)
    file = tmp_path / "c.toml"
    told = alice.out.strip(), json.loads(bob.out)["token"]

    expected = ApiClient.of("alice", told[0], max_videos=3, rate=1.5), ApiClient.of("bob.b@x", told[1], max_spend=2.5)
    assert expected == clients_in(file)
    assert 0o600 == file.stat().st_mode & 0o777
    assert not [token for token in told if token in file.read_text("utf-8")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("alice", "--clients", "c.toml"), "already"),
        (("a b", "--clients", "c.toml"), "letters"),
        (("bob", "--clients", "c.toml", "--max-videos", "-1"), "max_videos"),
        (("bob", "--clients", "c.toml", "--rate", "0"), "rate"),
        (("bob", "--clients", "none/c.toml"), "cannot be written"),
        (("bob", "--clients", "bad.toml"), "TOML"),
    ],
)
async def test_what_cannot_be_a_client_leaves_the_file_as_it_is(tmp_path: Path, arguments: tuple[str, ...], said: str):
    """A file that no longer can be read keeps the next server from starting."""
    await run("token", "alice", "--clients", "c.toml", folder=tmp_path)
    (tmp_path / "bad.toml").write_text("[", "utf-8")
    before = (tmp_path / "c.toml").read_text("utf-8")

    ended = await run("token", *arguments, folder=tmp_path)

    assert 2 == ended.code
    assert said in ended.err
    assert before == (tmp_path / "c.toml").read_text("utf-8")
