"""When a create without an idempotency key is the one before, sent again."""

from __future__ import annotations

import pytest

from aihubmix_video.openai_front.retry_rule import MARKED_SECONDS, is_marked, is_same_create, made_name
from aihubmix_video.types.job_info import JobInfo, JobState
from aihubmix_video.types.video import Status


def job(state: JobState, charged: str = "yes") -> JobInfo:
    """Make a job that was created at 1000."""
    return JobInfo(key="k-1", state=state, status=Status.QUEUED, created_at=1000.0, charged=charged)  # type: ignore[arg-type]  # as given


CASES = [
    (JobState.RUNNING, "yes", 119.9, False, True),
    (JobState.RUNNING, "yes", 120.0, False, False),
    (JobState.RUNNING, "yes", 601.0, True, True),
    (JobState.RUNNING, "yes", MARKED_SECONDS, True, False),
    (JobState.WAITING, "no", 1.0, False, True),
    (JobState.SAVED, "yes", 1.0, False, True),
    (JobState.FAILED, "no", 1.0, True, False),
    (JobState.FAILED, "yes", 1.0, False, True),
    (JobState.FAILED, "unknown", 1.0, False, True),
    (JobState.DROPPED, "yes", 1.0, True, False),
    (JobState.UNCERTAIN, "unknown", 1e9, False, True),
]


@pytest.mark.parametrize(("state", "charged", "age", "marked", "same"), CASES)
def test_a_retry_is_told_by_age_mark_and_what_became_of_the_first(
    state: JobState,
    charged: str,
    age: float,
    marked: bool,  # noqa: FBT001  # cases of a table
    same: bool,  # noqa: FBT001  # as above
):
    """Too seldom costs a second video; too often withholds one that is wanted."""
    assert same == is_same_create(job(state, charged), 1000.0 + age, window=120.0, marked=marked)


@pytest.mark.parametrize(
    ("count", "marked"),
    [
        (None, False),
        ("", False),
        ("0", False),
        ("1", True),
        ("2", True),
        ("-1", False),
        ("x", False),
        ("²", False),
        ("9" * 5000, False),
    ],
)
def test_only_a_count_above_zero_marks_a_retry(count: str | None, marked: bool):  # noqa: FBT001  # as above
    """The header is a stranger's: whatever it holds must not raise."""
    assert marked == is_marked(count)


def test_no_client_can_choose_a_made_name():
    """Headers are Latin-1, so a name that is not cannot be anybody's idempotency key; the ledger takes up to 255 characters."""
    name = made_name("f" * 64, 12)

    assert name.isprintable()
    assert len(name) < 255
    with pytest.raises(UnicodeEncodeError):
        name.encode("latin-1")
