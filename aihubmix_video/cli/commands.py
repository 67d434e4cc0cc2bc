"""The application: its name, its help, and its commands, each from a file of its own that is loaded when it runs."""

from __future__ import annotations

from importlib.metadata import version

from cyclopts import App, Parameter

__all__ = ["app"]

app = App(
    name="aihubmix-video",
    help="Generate video through AIHubMix: every paid job ends as one whole, verified file.",
    help_epilogue=(
        "Exit codes: 0 done, 1 some jobs failed, 2 usage, 65 bad rows, 66 no ledger, 75 unfinished or uncertain, "
        "77 key refused, 130 or 143 interrupted."
    ),
    version=lambda: version("aihubmix-video"),
    default_parameter=Parameter(negative=(), show_env_var=False, show_default=False),
    help_format="plaintext",
)

COMMANDS = {
    "demo": "Make eight videos of different models on this machine: no key, no network, no cost.",
    "generate": "Buy one video, wait for it, and save it.",
    "batch": "Buy and save the videos that the rows of a file ask for, each as soon as it is finished.",
    "resume": "Resume everything unfinished in a ledger: what was bought is fetched, what was never sent is bought.",
    "plan": (
        "Check a batch file: every problem at once, and the videos, seconds and money it asks for. Sends nothing."
    ),
    "status": "Ask the gateway how jobs stand.",
    "download": "Wait for jobs bought earlier, and save their videos.",
    "delete": "Delete jobs at the gateway. Kling has no delete.",
    "doctor": (
        "Check everything that a purchase needs: the key, the gateway, the ledger, the disk. Nothing is bought."
    ),
    "models": "Show what each model takes and gives.",
    "worker": (
        "Work for a Temporal server until Ctrl-C: buy, follow and save the videos of batches that were started there."
    ),
    "cancel": "Let a batch on a Temporal server buy nothing more; what was bought is collected.",
    "sandbox": (
        "Serve a gateway on this machine that behaves like AIHubMix, until Ctrl-C: no key, no cost, real MP4 files."
    ),
    "serve": "Serve a page on which videos are ordered, followed and played, until Ctrl-C.",
    "token": (
        "Make a token for a client of `serve --openai`, and add the client to a file; the file keeps only the token's hash."
    ),
}
"""Each command, and the first paragraph of its docstring, so that the list of commands can be shown without loading them."""

for command, summary in COMMANDS.items():
    app.command(f"aihubmix_video.cli.{command}_command:{command}", name=command, help=summary)
