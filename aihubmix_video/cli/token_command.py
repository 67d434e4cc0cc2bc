"""The command ``token``: a token for a client of ``serve --openai``."""

from __future__ import annotations

import os
import secrets
from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import TYPE_CHECKING, Annotated

from aihubmix_video.cli.command_options import WHOLE, OutputOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.errors import ConfigurationError, shown

if TYPE_CHECKING:
    from aihubmix_video.openai_front import ApiClient

__all__ = ["token"]

EXTRA = frozenset({"fastapi", "starlette"})


def token(  # each is an option
    name: str,
    *,
    clients: Path,
    max_videos: Annotated[int | None, WHOLE] = None,
    max_seconds: float | None = None,
    max_spend: float | None = None,
    rate: float | None = None,
    how: OutputOptions = OutputOptions(),
) -> int:
    """Make a token for a client of `serve --openai`, and add the client to a file; the file keeps only the token's hash.

    Args:
        name: Names the client: letters, digits and ._@-
        clients: TOML file of the clients; made if it does not exist.
        max_videos: Videos that it may buy in any 24 hours.
        max_seconds: Seconds of video that it may buy in any 24 hours.
        max_spend: USD by list price that it may spend in any 24 hours.
        rate: Videos that it may create per minute.
        how: What is printed.
    """
    try:
        from aihubmix_video.openai_front import ApiClient, clients_in  # noqa: PLC0415  # needs the extra, and must be able to say so
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise ConfigurationError("`token` needs its extra: pip install 'aihubmix-video[fastapi]'.") from None
    made = secrets.token_urlsafe(32)
    client = ApiClient.of(name, made, max_videos=max_videos, max_seconds=max_seconds, max_spend=max_spend, rate=rate)
    if clients.exists() and any(each.name == name for each in clients_in(clients)):
        raise ConfigurationError(
            f"{shown(str(clients))} has a client {name} already; give another name, or take it out."
        )
    _add(clients, client)
    screen = Screen.of_options(how)
    if screen.json:
        screen.objects([{"name": name, "token": made, "clients": str(clients)}])
    else:
        screen.result(made)
        screen.say(f"This is the token of {name}, and it is told only now. A server takes it after its next start.")
    return ExitCode.DONE


def _add(clients: Path, client: ApiClient) -> None:
    """Append a client to the file, which its owner alone can read when it is made here."""
    given = {
        "max_videos": client.caps.max_videos,
        "max_seconds": client.caps.max_seconds,
        "max_spend": client.caps.max_spend,
        "rate": client.rate,
    }
    limits = "".join(f"{field} = {value}\n" for field, value in given.items() if value is not None)
    table = f'["{client.name}"]\ntoken_sha256 = "{client.token_sha256}"\n{limits}'
    try:
        descriptor = os.open(clients, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(f"\n{table}" if file.tell() else table)
    except OSError as error:
        raise ConfigurationError(f"{shown(str(clients))} cannot be written: {error.strerror}.") from None
