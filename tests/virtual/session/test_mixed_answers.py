"""A gateway that answers in every shape: all that was bought is saved, all that was refused is told in the vendor's words."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import Video, errors
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sessions import WAN, opened, seen
from tests.pure.protocol.answer_cases import CASES, AnswerCase

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

JOBS = 200
WORLD: dict[str, Any] = {
    "speed": 1,
    "generation": 60.0,
    "content": 2_000,
    "render": False,
}  # Any: each has its own type
LASTING = ("refused: InsufficientBalance", "refused: AuthenticationError")  # they stop the buying, as they must
REFUSED = [
    each
    for each in CASES
    if each.endpoint == "create" and each.means.startswith(("refused", "uncertain")) and each.means not in LASTING
]
HARMLESS = [
    each
    for each in CASES
    if each.endpoint == "poll" and (each.means in {"running", "queued"} or each.means.endswith("asked again"))
]
NOT_YET = [each for each in CASES if each.endpoint == "content" and each.means.endswith("asked again")]


def fault_of(case: AnswerCase, **match: Any) -> Fault:  # noqa: ANN401 - the options of a fault
    """The sandbox's fault that answers as the case says, without any work done."""
    kind = "application/json" if case.raw[:1] in {b"{", b"[", b'"'} else "text/html"
    return Fault.status(case.status, case.raw, headers=case.headers, content_type=kind, route=_route(case), **match)


def _route(case: AnswerCase) -> Any:  # noqa: ANN401 - one of the sandbox's words
    return {"create": "create", "poll": "retrieve", "content": "content"}[case.endpoint]


async def test_a_mixed_run_saves_what_it_bought_and_tells_the_rest_in_the_vendors_words(tmp_path: Path):
    """One of these shapes alone has cost people a video; together none of them may."""
    async with Sandbox(**WORLD) as sandbox, opened(sandbox, deadline=36_000.0) as session:
        sandbox.faults.add(*(fault_of(case, after_processing=False) for case in REFUSED))
        sandbox.faults.add(*(fault_of(case, times=None, probability=0.02) for case in HARMLESS))
        sandbox.faults.add(*(fault_of(case, times=None, probability=0.02) for case in NOT_YET))
        jobs = [session.generate("a cat", to=tmp_path / f"{number}.mp4", **WAN) for number in range(JOBS)]
        ended = await asyncio.gather(*jobs, return_exceptions=True)

        saved = [each for each in ended if isinstance(each, Video)]
        told = [each for each in ended if isinstance(each, errors.VideoError)]
        assert JOBS == len(saved) + len(told)
        assert all(video.verified for video in saved)
        assert len(saved) == sandbox.billed == len({video.id for video in saved})
        assert JOBS - len(REFUSED) == len(saved)
        assert JOBS == seen(sandbox)["create"]
        expected = Counter(each.means.removeprefix("refused: ").partition(":")[0] for each in REFUSED)
        found = Counter(type(error).__name__.replace("SubmitUncertain", "uncertain") for error in told)
        assert expected == found
        texts = " ".join(map(str, told))
        assert [] == [case.name for case in REFUSED if case.says not in texts]
