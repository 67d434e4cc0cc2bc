from __future__ import annotations

from pathlib import Path

import pytest

from aihubmix_video.cli.command_options import SessionOptions
from aihubmix_video.cli.ledger_location import command, uncertain_lines
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.ledger.entry import Destination, LedgerEntry, LedgerState
from aihubmix_video.session.decisions import Decision, decisions_of
from aihubmix_video.types.request import VideoRequest


def entry(key: str, row_key: str | None = None) -> LedgerEntry:
    """Give an uncertain job."""
    request = VideoRequest(model="sora-2", prompt="a \x1b[31mfox")
    return LedgerEntry(
        key=key, request=request, state=LedgerState.UNCERTAIN, target=Destination(text="a.mp4", row_key=row_key)
    )


ONE, TWO = entry("k-1", "fox"), entry("k-2")


def test_a_key_and_an_id_are_attached():
    """Either key is good: the job's, which is listed, or the row's own, which the user wrote."""
    assert (Decision(key="k-2", attach="x=y="),) == decisions_of((ONE, TWO), attach=["k-2=x=y="])
    assert (Decision(key="k-1", attach="x"),) == decisions_of((ONE, TWO), attach=["fox=x"])


@pytest.mark.parametrize("video_id", ["abc", "YWJj=", "YWI=="])
def test_an_id_alone_is_enough_where_one_job_is_uncertain(video_id: str):
    """Ids are opaque; one in base64 may end with the sign that separates a key from an id."""
    assert (Decision(key="k-1", attach=video_id),) == decisions_of((ONE,), attach=[video_id])


def test_all_means_every_uncertain_job():
    """Whoever has looked at an empty console need not copy a hundred keys."""
    assert (Decision(key="k-1", drop=True), Decision(key="k-2", drop=True)) == decisions_of((ONE, TWO), drop=["all"])
    assert (Decision(key="k-2", resubmit=True),) == decisions_of((ONE, TWO), resubmit=["k-2"])


@pytest.mark.parametrize(
    "given",
    [
        {"attach": ["x"]},
        {"attach": ["k-3=x"]},
        {"attach": ["=x"]},
        {"resubmit": ["k-3"]},
        {"drop": ["k-1"], "resubmit": ["all"]},
        {"attach": ["k-1=x", "fox=y"]},
    ],
)
def test_what_can_be_misunderstood_is_refused(given: dict[str, list[str]]):
    """A decision taken for the wrong job costs money, or a video."""
    with pytest.raises(ConfigurationError):
        decisions_of((ONE, TWO), **given)


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
    ) == command(Path("my films"), options.arguments())
    assert "aihubmix-video resume ./-x" == command(Path("-x"))
