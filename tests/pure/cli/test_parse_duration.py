from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.cli.parse_duration import UNITS, seconds_in


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("5min", 300.0),
        ("5m", 300.0),
        ("1h30", 5400.0),
        ("1h30m", 5400.0),
        ("1h 30min", 5400.0),
        ("2m5", 125.0),
        ("1.5h", 5400.0),
        ("500ms", 0.5),
        ("1d", 86400.0),
        ("0", 0.0),
        ("90S", 90.0),
    ],
)
def test_the_usual_ways_of_writing_a_time_are_read(text: str, seconds: float):
    """A number is seconds; a last number without a unit counts the next smaller one, as people say "one thirty"."""
    assert seconds == seconds_in(text)


@pytest.mark.parametrize(
    "text", ["", "s", "5x", "-1", "1e3", "nan", "inf", "5 apples", "30m1h", "1h2h", "5ms3", "\u0665", "1:30"]
)
def test_anything_else_is_refused_with_the_units(text: str):
    """A time-out misread by a factor of 60 costs money, so nothing is guessed."""
    with pytest.raises(ValueError, match="or with units") as caught:
        seconds_in(text)

    assert UNITS in str(caught.value)


@given(st.integers(0, 10_000), st.integers(0, 59), st.integers(0, 59))
def test_hours_minutes_and_seconds_add_up(hours: int, minutes: int, seconds: int):
    """Whatever the parts, each counts its own unit."""
    assert hours * 3600 + minutes * 60 + seconds == seconds_in(f"{hours}h{minutes}m{seconds}s")


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str):
    """Nothing but a ValueError comes out, which the command line shows as a usage error."""
    with suppress(ValueError):
        assert seconds_in(text) >= 0
