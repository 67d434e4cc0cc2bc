from __future__ import annotations

from aihubmix_video.cli.plan_command import plan_objects, plan_table
from tests.pure.cli.test_batch_plan import plan
from tests.pure.cli.test_models_command import text_of


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
