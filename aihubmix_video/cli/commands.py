"""The application: its name, its help, and its commands, each from a file of its own."""

from __future__ import annotations

from importlib.metadata import version

from cyclopts import App, Parameter

from aihubmix_video.cli.batch_command import batch
from aihubmix_video.cli.delete_command import delete
from aihubmix_video.cli.demo_command import demo
from aihubmix_video.cli.download_command import download
from aihubmix_video.cli.generate_command import generate
from aihubmix_video.cli.models_command import models
from aihubmix_video.cli.plan_command import plan
from aihubmix_video.cli.resume_command import resume
from aihubmix_video.cli.sandbox_command import sandbox
from aihubmix_video.cli.serve_command import serve
from aihubmix_video.cli.status_command import status

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

for command in (demo, generate, batch, resume, plan, status, download, delete, models, sandbox, serve):
    app.command(command)
