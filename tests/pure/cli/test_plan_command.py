from __future__ import annotations

from pathlib import Path

import pytest

from aihubmix_video.cli.command_options import CapOptions
from aihubmix_video.cli.plan_command import Plan, plan_objects, plan_of, plan_table
from aihubmix_video.cli.price_file import prices_in
from aihubmix_video.cli.text_format import usd_text
from aihubmix_video.errors import ConfigurationError
from tests.pure.cli.test_open_batch_file import rows
from tests.pure.cli.test_result_tables import text_of

SEEDANCE = "doubao-seedance-2-0-260128"


def plan(prices: dict[str, float] | None = None) -> Plan:
    """Add up two good rows, of which one chooses its own length, and two bad ones."""
    return plan_of(rows(), "known", prices)


def test_a_plan_adds_up_the_good_rows_and_names_the_bad():
    """All problems at once, and what the rest asks for."""
    found = plan()

    assert (2, 2, 8) == (found.total.videos, found.bad_count, found.total.seconds)
    assert 1 == found.loads[SEEDANCE].open_ended


def test_a_plan_as_json_names_file_line_and_field():
    """Editors and scripts jump to the place."""
    problems = [each for each in plan_objects(plan()) if each["kind"] == "problem"]

    assert [("x.jsonl", 2, "seconds"), ("x.jsonl", 3, "secconds")] == [
        (each["file"], each["line"], each["field"]) for each in problems
    ]


def test_what_is_known_of_the_price_is_added_up_and_the_rest_is_counted():
    """A sum that left rows out silently would be taken for the whole."""
    sora, seedance, total = (each for each in plan_objects(plan()) if each["kind"] != "problem")

    assert (0.8, 0) == (sora["usd"], sora["unpriced"])
    assert (None, 1) == (seedance["usd"], seedance["unpriced"])
    assert (0.8, 1, 2) == (total["usd"], total["unpriced"], total["bad_rows"])
    drawn = text_of(plan_table(plan()), 140)
    assert "$0.80" in drawn
    assert "1 without a known price" in drawn


def test_the_users_own_prices_count_in_a_plan():
    """They know their discounts."""
    assert 1.6 == pytest.approx(plan({"sora-2": 0.2}).total.usd)


def test_prices_are_read_from_json(tmp_path: Path):
    """With a byte order mark or without, as editors write it."""
    (tmp_path / "p.json").write_bytes(b'\xef\xbb\xbf{"wan2.6-t2v": 0.05, "sora-2": 0}')

    assert {"wan2.6-t2v": 0.05, "sora-2": 0} == prices_in(tmp_path / "p.json")
    assert {"prices": {"wan2.6-t2v": 0.05, "sora-2": 0}, "max_videos": 0, "moderation_retries": 2} == CapOptions(
        prices=tmp_path / "p.json", max_videos=0, moderation_retries=2
    ).given()
    assert {} == CapOptions().given()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "must be JSON"),
        (b"[0.1]", "must be a JSON object"),
        (b'{"a": -1}', "prices[a]=-1"),
        (b'{"a": "1"}', "from 0 up"),
        (b'{"a": NaN}', "is not a number"),
        (b'{"a": 1, "a": 2}', "given twice"),
        (b'{"a": 1,\n"b" 2}', ":2:"),
        (b"\xff\xfe", "UTF-8"),
        (b" " * ((1 << 20) + 1), "larger than"),
        (None, "cannot be read"),
    ],
)
def test_prices_that_cannot_be_meant_are_refused(
    data: bytes | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A cap kept by a mistyped price would be none; the message names the file."""
    monkeypatch.chdir(tmp_path)
    if data is not None:
        Path("p.json").write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        prices_in(Path("p.json"))
    assert said in str(caught.value)
    assert "p.json" in str(caught.value)


def test_money_is_written_to_the_cent():
    """Less than a cent to four places, or it would look like nothing."""
    assert ["", "$0.00", "$0.0040", "$0.80", "$1,234.50"] == [usd_text(x) for x in (None, 0.0, 0.004, 0.8, 1234.5)]
