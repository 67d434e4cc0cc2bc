"""The command line, `aihubmix-video` (extra ``cli``).

main, commands              from arguments to an exit code; the application and its list of commands
NAME_command                one command each, with what only it needs
command_options             what may be given on the command line
runner, run_summary         what commands that need a gateway share; their results, added up
batch_run, batch_plan       a run over a batch file; what the file asks for, added up
open_batch_file, price_file, output_paths, parse_duration   what options name: files, folders, lengths of time
ledger_location             a command's ledger, and the command that resumes it
console, progress_view      what is printed where; the live picture
result_lines, table_format, text_format   results, tables and text as they are printed
exit_codes, signals         which result leads to which exit code; Ctrl-C and SIGTERM
board_server                the server behind ``serve`` (extra ``fastapi``)
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

EXTRA = frozenset({"cyclopts", "rich"})


def main() -> None:
    """Run the program on this process's arguments, and exit with its exit code."""
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
    """Replace standard streams that were closed, whose numbers files and sockets would get."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False, encoding="utf-8"))  # noqa: SIM115 - for good
