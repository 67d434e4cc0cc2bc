"""The command line, `aihubmix-video` (extra ``cli``).

exits, durations, words   small decisions: exit codes, lengths of time, units
outcome    what came of one video, as JSON and as lines
board, tables, models   what is drawn, as values that rich prints
options    what may be given on the command line
plans, pricefile   what a file asks for and costs
rowsfile   a batch file: its rows judged before anything is sent, and where their videos go
screen     who sees what: live on a terminal, plain lines otherwise
signals, loops   Ctrl-C and SIGTERM, and the event loop that is used
ledgers, changes, decisions   a ledger beside a command: what is left, what the file asks anew, what the user decides
gallery, posters   the page of a batch, and its pictures
outputs    where videos go
tally, sidecar   what came of a command's work, and what is kept of a video
runs, batches, resuming, demo, serving   what the commands do
app        the commands themselves
program    from arguments to an exit code
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

EXTRA = frozenset({"cyclopts", "rich"})


def main() -> None:
    """Run the program on this process's arguments, and leave with its exit code."""
    _open_streams()
    try:
        from aihubmix_video.cli.main import run  # noqa: PLC0415  # needs the extra, and must be able to say so
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        sys.stderr.write("error: the command line needs its extra: pip install 'aihubmix-video[cli]'\n")
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))


def _open_streams() -> None:
    """Put something in the place of standard streams that were closed; files and sockets would get their numbers otherwise."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False, encoding="utf-8"))  # noqa: SIM115 - for good
