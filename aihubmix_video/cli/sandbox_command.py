"""The command ``sandbox``: the local gateway, served to any client."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import Annotated

from aihubmix_video.capabilities import load, plain_models
from aihubmix_video.cli.command_options import WHOLE, OutputOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.runner import SPEED, run_command
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.sandbox.profiles import ProfileName  # noqa: TC001  # cyclopts reads the annotations when the program runs

__all__ = ["sandbox"]


def sandbox(
    *,
    speed: float = SPEED,
    seed: Annotated[int, WHOLE] = 0,
    port: Annotated[int, WHOLE] = 0,
    profile: ProfileName = "page",
    capabilities: Path | None = None,
    how: OutputOptions = OutputOptions(),
) -> int:
    """Serve a gateway on this machine that behaves like AIHubMix, until Ctrl-C: no key, no cost, real MP4 files.

    Args:
        speed: How much faster than the vendors it generates; 60 makes a minute a second. [default: 60]
        seed: Of its random draws. [default: 0]
        port: The port. [default: any free one]
        profile: page answers as documented, so that other clients work as they are; field as was observed. [default: page]
        capabilities: TOML or JSON file with tables of your own models, which it then serves too.
        how: What is printed.
    """
    screen = Screen.of_options(how)
    models = [] if capabilities is None else plain_models(load(capabilities))
    gateway = Sandbox(speed=speed, seed=seed, port=port, profile=profile, models=models)
    run_command(screen, serve_sandbox(gateway, screen))
    return ExitCode.DONE  # a signal is how it is meant to end


async def serve_sandbox(gateway: Sandbox, screen: Screen) -> ExitCode:
    """Serve the gateway until cancelled."""
    async with gateway:
        if screen.json:
            screen.objects([{"url": gateway.url, "api_key": gateway.api_key}])
        else:
            screen.result(f"export AIHUBMIX_BASE_URL={gateway.url}")
            screen.result(f"export AIHUBMIX_API_KEY={gateway.api_key}")
            screen.say(f"\nServing on {gateway.url} with the key {gateway.api_key}, until Ctrl-C.")
            screen.say("Paste the two lines above into another terminal, and run aihubmix-video there.")
        await asyncio.get_running_loop().create_future()
    return ExitCode.DONE
