from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from aihubmix_video import errors
from aihubmix_video.errors import DownloadFailed, RequestRefused, SubmitUncertain
from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.ledger.entry import Destination, LedgerEntry, LedgerState
from aihubmix_video.types.events import BatchItem
from aihubmix_video.types.job_info import JobInfo, JobState
from aihubmix_video.types.request import VideoRequest
from aihubmix_video.types.video import Status, Video

REQUEST = VideoRequest(model="sora-2", prompt="a cat", seconds=8, size="1280x720")
PATH = Path("/videos/cat.mp4")
SAVED = RowResult(
    index=3,
    key="k-4",
    request=REQUEST,
    video=Video(id="v1", status=Status.COMPLETED, bytes_written=1_234_567, sha256="ab" * 32, path=PATH),
    path=PATH,
    charged="yes",
    took=12.3,
)


def test_the_id_comes_from_the_error_where_there_is_no_video():
    """A download that failed must not hide the id that it can be fetched by."""
    outcome = RowResult(index=0, error=DownloadFailed("cut", job_id="v9"), charged="yes")

    assert "v9" == outcome.id


def test_a_batch_item_is_taken_over_whole():
    """Nothing that the session knows is lost on the way to the user; the row's own key comes first."""
    item = BatchItem(index=5, key="s-1", request=REQUEST, video=SAVED.video, path=PATH, charged="yes")
    outcome = RowResult.of(item, key="mine", took=1.0)

    assert (5, "mine", PATH, "v1", "yes") == (outcome.index, outcome.key, outcome.path, outcome.id, outcome.charged)
    assert "s-1" == RowResult.of(item).key


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, "saved"),
        (SubmitUncertain("lost"), "uncertain"),
        (DownloadFailed("cut", job_id="v"), "unfinished"),
        (errors.SessionClosed("closed", charged="yes"), "unfinished"),
        (RequestRefused("no"), "failed"),
    ],
)
def test_a_result_has_the_state_that_its_error_means(error: errors.VideoError | None, state: str):
    """A card that says failed makes its reader buy again; it must say so only of what is over."""
    assert state == RowResult(index=0, error=error).state


def entry(state: LedgerState, **known: object) -> LedgerEntry:
    """Make a ledger's entry of the row `cats`."""
    return LedgerEntry(
        key="k-1", request=REQUEST, index=4, state=state, target=Destination(text="a.mp4", row_key="cats"), **known
    )


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (LedgerState.INTENDED, "unfinished"),
        (LedgerState.SENDING, "uncertain"),
        (LedgerState.BOUGHT, "unfinished"),
        (LedgerState.COMPLETED, "unfinished"),
        (LedgerState.SAVED, "saved"),
        (LedgerState.DONE, "saved"),
        (LedgerState.FAILED, "failed"),
        (LedgerState.UNCERTAIN, "uncertain"),
        (LedgerState.DROPPED, "failed"),
    ],
)
def test_an_entry_of_a_ledger_shows_how_its_job_stands(state: LedgerState, shown: str):
    """Every state that a stopped run can leave behind; the row keeps its own name and place."""
    result = RowResult.of_entry(entry(state))

    assert (shown, "cats", "k-1", 4) == (result.state, result.key, result.job_key, result.index)
    assert (shown in {"failed", "uncertain"}) == (result.error is not None)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (JobState.WAITING, "unfinished"),
        (JobState.RUNNING, "unfinished"),
        (JobState.SAVING, "unfinished"),
        (JobState.SAVED, "saved"),
        (JobState.DONE, "saved"),
        (JobState.FAILED, "failed"),
        (JobState.UNCERTAIN, "uncertain"),
        (JobState.DROPPED, "failed"),
    ],
)
def test_a_job_of_a_registry_shows_how_it_stands(state: JobState, shown: str):
    """An application lists its jobs at any moment; none that still runs may look finished."""
    error = {JobState.FAILED: RequestRefused("no"), JobState.UNCERTAIN: SubmitUncertain("lost")}.get(state)
    job = JobInfo(key="k", id="v", request=REQUEST, state=state, status=Status.IN_PROGRESS, error=error)

    assert (shown, "k", "v", 7) == tuple(
        getattr(RowResult.of_job(job, 7), name) for name in ("state", "job_key", "id", "index")
    )


def test_what_a_waiting_job_was_given_up_on_for_now_is_not_its_end():
    """The registry keeps the last error of a job that will be tried again."""
    job = JobInfo(key="k", state=JobState.WAITING, status=Status.PENDING, error=errors.ConnectionFailed("down"))

    assert ("unfinished", None) == (RowResult.of_job(job).state, RowResult.of_job(job).error)


def test_a_saved_job_of_a_registry_tells_its_file():
    """The size and the hash of a file prove later that it is still the one that came."""
    job = JobInfo(
        key="k", id="v", request=REQUEST, state=JobState.SAVED, status=Status.COMPLETED, path=PATH, bytes_done=9,
        sha256="ab", charged="yes",
    )  # fmt: skip
    result = RowResult.of_any(job)

    assert (PATH, 9, "ab", "yes", True) == (result.path, result.bytes, result.sha256, result.charged, result.earlier)
    assert attrs.evolve(result, index=3) == RowResult.of_any(attrs.evolve(result, index=3), index=8)
