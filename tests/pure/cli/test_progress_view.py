from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from aihubmix_video.cli.progress_view import ProgressLine, Totals, changes, chosen, drawn, remaining
from aihubmix_video.types.video import Status


def line(key: str = "k-1", **known: object) -> ProgressLine:
    """Make one job's line."""
    return ProgressLine(**{"key": key, "model": "sora-2", "prompt": "a red fox", **known})


def all_of(lines: list[ProgressLine], totals: Totals, *, height: int = 24, width: int = 110) -> list[str]:
    """Draw without a terminal."""
    console = Console(file=StringIO(), width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(drawn(lines, totals, height=height, width=width, model_width=8))
    return captured.get().splitlines()


def text_of(lines: list[ProgressLine], totals: Totals) -> list[str]:
    """Draw without a terminal, and leave out the blank lines."""
    return [each for each in all_of(lines, totals) if each.strip()]


def test_a_running_job_shows_what_is_known_of_it():
    """Key, model, first words, state, percent and time left: what a user looks for while he waits."""
    shown = text_of([line(status=Status.IN_PROGRESS, id="v", progress=40.0, eta=65.0)], Totals(total=2, running=1))[0]

    for part in ("k-1", "sora-2", "a red fox", "generating", "40%", "1:05 left"):
        assert part in shown


def test_a_download_shows_its_bytes():
    """While a file streams, bytes are what moves."""
    downloading = line(status=Status.COMPLETED, bytes_done=1_500_000, bytes_total=6_000_000)

    assert "1.5 MB / 6.0 MB" in text_of([downloading], Totals(total=1, running=1))[0]
    assert 0.25 == downloading.share


def test_the_totals_add_up():
    """Done, failed, running and waiting are all rows there are."""
    totals = Totals(done=3, failed=1, running=4, total=10, elapsed=60.0, eta=90.0)
    shown = text_of([], totals)[-1]

    for part in ("3 of 10 done", "1 failed", "4 running", "2 waiting", "3.0/min", "about 1:30 left"):
        assert part in shown


@given(st.integers(0, 300), st.integers(2, 60))
def test_the_picture_is_never_higher_than_the_terminal(jobs: int, height: int):
    """A picture that scrolls cannot be drawn over, and fills the terminal with copies of itself."""
    shown = all_of([line(f"k-{n}", prompt="x" * 300) for n in range(jobs)], Totals(total=jobs), height=height, width=80)

    assert len(shown) <= min(max(height - 2, 2), 20)
    assert all(len(each) <= 80 for each in shown)


def test_what_moves_is_shown_before_what_waits():
    """In a list cut short the waiting say least."""
    waiting = [line(f"w-{n}") for n in range(10)]
    moving = [line("d", status=Status.COMPLETED), line("g", status=Status.IN_PROGRESS)]
    shown, more = chosen(waiting + moving, 4)

    assert (["w-0", "d", "g"], 9) == ([each.key for each in shown], more)


def test_lines_keep_their_places_while_all_fit():
    """A list whose lines jump about cannot be read."""
    lines = [line("a"), line("b", status=Status.COMPLETED), line("c")]

    assert (lines, 0) == chosen(lines, 3)


def test_the_share_of_a_job_without_progress_is_estimated_from_its_time():
    """Most vendors report none; a bar that never moves says nothing."""
    assert 0.25 == line(status=Status.IN_PROGRESS, age=10.0, eta=30.0).share
    assert None is line(status=Status.QUEUED, age=10.0).share


def test_the_rest_ends_with_the_last_job_when_nothing_waits():
    """All that run, run at once."""
    assert 40.0 == remaining([10.0, 40.0, None], 0, 1.0)
    assert None is remaining([], 0, None)


def test_a_queue_is_worked_off_at_the_pace_seen():
    """Before anything has finished, there is none."""
    assert 100.0 + 20.0 == remaining([10.0, 20.0, 40.0], 50, 0.5)
    assert None is remaining([10.0], 50, None)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (None, {"id": "v"}, ["k-1 sora-2: accepted, id v"]),
        (None, {}, []),
        ({}, {"id": "v", "status": Status.QUEUED}, ["k-1 sora-2: accepted, id v", "k-1 sora-2: queued"]),
        ({"id": "v", "progress": 1.0}, {"id": "v", "progress": 2.0}, []),
        ({"id": "v"}, {"id": "v", "status": Status.COMPLETED}, ["k-1 sora-2: downloading"]),
        ({"id": "v"}, {"id": "v", "note": "the last 2 polls failed: x"}, ["k-1 sora-2: the last 2 polls failed: x"]),
        ({"id": "v", "note": "the last 2 polls failed: x"}, {"id": "v", "note": "the last 3 polls failed: x"}, []),
    ],
)
def test_plain_lines_tell_events_not_progress(
    before: dict[str, object] | None, now: dict[str, object], said: list[str]
):
    """A log of percentages is unreadable; the whole id stands in it, so that a job can be found again."""
    assert said == changes({} if before is None else {"k-1": line(**before)}, [line(**now)])


def test_what_waits_is_shown_with_its_reason():
    """A batch that stands still for two minutes must not look like one that hangs."""
    held = "creates wait until 09:31:07: the gateway asked to wait"
    console = Console(width=100, height=20, force_terminal=False)
    with console.capture() as caught:
        console.print(drawn([line()], Totals(total=3, holds=(held,)), height=20, width=100, model_width=10))
    assert held in caught.get()
