"""What a card says."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.web.cards import Card, address, summary

FOLDER = PurePosixPath("/videos/of mine")
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in {".", ".."}
)


@given(NAMES)
def test_an_address_leads_back_to_the_file(name: str):
    """Signs that mean something in an address would lead elsewhere: ``#``, ``?``, ``%``, or a scheme before a colon."""
    base = "file:///videos/of%20mine/index.html"
    found = urlsplit(urljoin(base, address(FOLDER / "sub" / name, FOLDER)))

    assert ("file", "", "") == (found.scheme, found.query, found.fragment)
    assert f"/videos/of mine/sub/{name}" == unquote(found.path)


def test_a_name_like_a_scheme_stays_a_file():
    """``javascript:alert(1).mp4`` is a legal name of a file."""
    assert "./javascript%3Aalert%281%29.mp4" == address(FOLDER / "javascript:alert(1).mp4", FOLDER)


def test_a_file_elsewhere_is_reached_upwards():
    """A row's own ``output`` and a ledger's folder may differ."""
    assert "./../other/a.mp4" == address(PurePosixPath("/videos/other/a.mp4"), FOLDER)


def test_a_name_that_is_no_text_has_an_address():
    """File names are bytes."""
    assert "./%FF.mp4" == address(FOLDER / "\udcff.mp4", FOLDER)


def test_a_card_has_the_names_of_a_job_over_http():
    """One set of scripts draws both."""
    card = Card(
        key="k", index=3, state="failed", pixels=(1280, 720), bytes=7, error_type="JobFailed", error="no", price=0.4
    )

    assert {
        "key": "k",
        "index": 3,
        "state": "failed",
        "size": "1280x720",
        "bytes_total": 7,
        "error": {"type": "JobFailed", "message": "no"},
        "charged": "no",
        "price": 0.4,
    } == card.plain()


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ([], "0 videos"),
        ([Card(key="a", index=0, state="saved", seconds=4)], "1 video · 4 seconds"),
        (
            [
                *(Card(key=str(number), index=number, state="saved", seconds=2.5) for number in range(2)),
                Card(key="c", index=2, state="failed", seconds=8),
                Card(key="d", index=3, state="uncertain"),
                Card(key="e", index=4, state="unfinished"),
            ],
            "2 videos · 5 seconds · 1 failed · 1 uncertain · 1 not finished",
        ),
    ],
)
def test_a_batch_is_summed_up(cards: list[Card], words: str):
    """Seconds of what is there; what is not there is not left unsaid."""
    assert words == summary(cards)
