from __future__ import annotations

import pytest

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


FAILED = LedgerEntry(key="k-9", request=VideoRequest(model="sora-2", prompt="p"), state=LedgerState.FAILED)


def test_a_failed_job_may_be_bought_again_by_its_key_and_by_nothing_else():
    """`session.decide` takes it, so the command must; but "all" means what may have been bought."""
    assert (Decision(key="k-9", resubmit=True),) == decisions_of((ONE,), resubmit=["k-9"], failed=(FAILED,))
    assert (Decision(key="k-1", resubmit=True),) == decisions_of((ONE,), resubmit=["all"], failed=(FAILED,))
    with pytest.raises(ConfigurationError):
        decisions_of((ONE,), drop=["k-9"], failed=(FAILED,))
