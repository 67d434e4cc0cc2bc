from __future__ import annotations

from pathlib import Path

from aihubmix_video.cli.command_options import SessionOptions
from aihubmix_video.cli.ledger_location import resume_command_for, uncertain_lines
from tests.pure.session.test_decisions import ONE, TWO


def test_the_list_of_uncertain_jobs_says_what_to_do_and_is_harmless():
    """Each job has its line, each decision its command; a prompt must not steer the terminal."""
    lines = list(uncertain_lines((ONE, TWO), "aihubmix-video resume out"))

    assert lines[0].startswith("2 jobs may have been bought")
    assert ["k-1", "k-2"] == [line.split()[0] for line in lines[1:3]]
    assert ["--attach", "--resubmit", "--drop"] == [line.split()[3] for line in lines[-3:]]
    assert "\x1b" not in "".join(lines)
    assert [] == list(uncertain_lines((), ""))


def test_the_command_that_goes_on_is_one_a_shell_takes():
    """It is pasted: names with blanks are quoted, and the gateway and the pace are those of the run that ended."""
    options = SessionOptions(rate=2.5, poll_interval=1800.0, base_url="http://127.0.0.1:1", max_in_flight=10)
    assert (
        "aihubmix-video resume 'my films' --rate 2.5 --poll-interval 1800 --max-in-flight 10 --base-url http://127.0.0.1:1"
    ) == resume_command_for(Path("my films"), options.arguments())
    assert "aihubmix-video resume ./-x" == resume_command_for(Path("-x"))
