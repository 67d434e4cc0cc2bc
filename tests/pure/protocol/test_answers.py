"""Every shape of answer that is known, and what it means: the cases are those of `docs/reference/answers.md`."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.download.attempt_result import judge_answer
from aihubmix_video.download.download_errors import error_of
from aihubmix_video.errors import VideoError
from aihubmix_video.protocol.create_result import (
    Bought,
    Busy,
    Refused,
    Unknown,
    create_outcome,
    failure_of,
    may_be_complete,
    read_poll,
)
from aihubmix_video.protocol.decode_video import read_video
from aihubmix_video.protocol.response import Response
from aihubmix_video.protocol.status_words import COMPLETED_WORDS, FAILED_WORDS, QUEUED_WORDS
from aihubmix_video.scheduling.lifecycle import Phase
from aihubmix_video.scheduling.retry import is_final
from aihubmix_video.types.video import Status
from tests.pure.protocol.answer_cases import CASES, AnswerCase
from tests.pure.protocol.samples import answer
from tests.pure.protocol.test_json_reader import JSON

DOCS = Path(__file__).parents[3] / "docs"
OLD = 3600.0  # seconds; long after any grace


def response_of(case: AnswerCase) -> Response:
    """The case as the transport delivers it."""
    return Response(status=case.status, headers=case.headers, body=case.raw)


def create_meaning(response: Response) -> tuple[str, str]:
    """Decide a create's answer, and put the decision and the user's text in words."""
    match create_outcome(response):
        case Bought(video=video, also=also):
            return f"bought as {video.id}" + (f", perhaps {also}" if also else ""), ""
        case Refused(error=error):
            return f"refused: {type(error).__name__}", str(error)
        case Busy(error=error, retry_after=wait):
            limit = "too many jobs at once" if error.limit == "concurrency" else "too many requests"
            return f"busy: {limit}" + (f", wait {wait:g} s" if wait is not None else ""), str(error)
        case Unknown() as unknown:
            return "uncertain: it may have been bought", str(unknown.error())


def fate(error: VideoError, phase: Phase) -> str:
    """What an error does to a job that was bought an hour ago."""
    if is_final(phase, error, 1, OLD):
        return "final"
    return "final when repeated" if is_final(phase, error, 3, OLD) else "asked again"


def poll_meaning(response: Response) -> tuple[str, str]:
    """Likewise of a poll's answer."""
    try:
        video = read_poll(response, job_id="job-1")
    except VideoError as error:
        return f"{type(error).__name__}, {fate(error, Phase.POLLING)}", str(error)
    if video.status is Status.FAILED:
        return "failed", str(failure_of(video))
    status = {Status.IN_PROGRESS: "running"}.get(video.status, video.status.value)
    return status + ("; its content is asked for" if may_be_complete(video) else ""), ""


def content_meaning(response: Response) -> tuple[str, str]:
    """Likewise of an answer to a content request that is not a video."""
    error = error_of(judge_answer(response), video_id="job-1", expired=False, now=0.0)
    return f"{type(error).__name__}, {fate(error, Phase.DOWNLOADING)}", str(error)


MEANINGS = {"create": create_meaning, "poll": poll_meaning, "content": content_meaning}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.endpoint}: {case.name}, {case.status}")
def test_each_shape_means_what_the_page_says(case: AnswerCase):
    """A shape that is misread costs a video, money or half an hour without a word."""
    means, text = MEANINGS[case.endpoint](response_of(case))

    assert case.means == means
    assert case.says in text
    assert "Nothing was bought" not in text or case.endpoint == "create"


def test_the_page_of_answers_is_in_step_with_the_cases():
    """Run ``python docs/answers_page.py`` after changing a case."""
    spec = importlib.util.spec_from_file_location("answers_page", DOCS / "answers_page.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)

    assert program.render() == (DOCS / "reference" / "answers.md").read_text(encoding="utf-8")


NAMES = st.sampled_from(["status", "state", "task_status", "taskStatus"])
WRAPPERS = st.lists(st.sampled_from(["data", "output", "video", "task"]), max_size=2)
NEUTRAL = st.dictionaries(
    st.sampled_from(["id", "code", "message", "progress", "model", "created_at", "url", "usage"]), JSON
)
WORDS = st.sampled_from(
    [
        *((word, Status.COMPLETED) for word in sorted(COMPLETED_WORDS)),
        *((word, Status.FAILED) for word in sorted(FAILED_WORDS)),
        *((word, Status.QUEUED) for word in sorted(QUEUED_WORDS)),
        ("timed_out", Status.FAILED),
        ("not-start", Status.QUEUED),
    ]
)
SPELLINGS = st.sampled_from(
    [str, str.upper, str.title, " {} ".format, "TASK_STATUS_{}".format, "task-status-{}".format, "JOB_STATE_{}".format]
)


@given(JSON)
def test_a_poll_is_never_unreadable_whatever_json_it_is(value: object):
    """The id is known, so that the least that JSON can say is "still running"."""
    video = read_video(value, job_id="job-1")

    assert "job-1" == video.id
    may_be_complete(video)
    if video.status is Status.FAILED:
        assert failure_of(video).message


@given(JSON)
def test_a_poll_of_any_json_is_a_video_or_an_error_that_was_said(value: object):
    """Nothing but a refusal in so many words is raised, and it can be asked again unless it says that there is no job."""
    means, _ = poll_meaning(answer(value))

    assert not means.endswith("final")
    assert "MalformedReply" not in means


@given(WORDS, SPELLINGS, NAMES, WRAPPERS, NEUTRAL, NEUTRAL, st.booleans())
def test_what_is_in_the_closed_sets_is_never_called_unfinished(
    word: tuple[str, Status],
    spelling: object,
    name: str,
    wrappers: list[str],
    inner: dict[str, object],
    outer: dict[str, object],
    in_list: bool,  # noqa: FBT001 - hypothesis fills it in by place
):
    """A finished video that is taken for a running one is waited for until the deadline."""
    said, status = word
    assert callable(spelling)
    body: object = {**inner, name: spelling(said)}
    for wrapper in wrappers:
        body = {**outer, wrapper: [body] if in_list else body}

    assert status is read_poll(answer(body), job_id="job-1").status


@given(
    st.dictionaries(st.sampled_from(["code", "message", "msg", "data", "success", "error", "detail", "status"]), JSON)
)
def test_a_create_without_an_id_never_claims_a_purchase_or_loses_the_answer(body: dict[str, object]):
    """It is refused in so many words, or uncertain with the answer quoted."""
    outcome = create_outcome(answer(body))

    if isinstance(outcome, Unknown):
        assert json.dumps(body)[:16].encode() in outcome.body or not body
    elif isinstance(outcome, Refused | Busy):
        assert "no" == outcome.error.charged


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 410, 418, 451, 500, 501, 502, 503, 520])
@pytest.mark.parametrize(
    "page", ["<html><title>Insufficient balance, invalid token</title></html>", "error code: 1015"]
)
def test_a_page_is_never_a_verdict(status: int, page: str):
    """A content network's page stops no buying, ends no job and refuses no request for good."""
    means, _ = create_meaning(answer(page.encode(), status))
    told, _ = poll_meaning(answer(page.encode(), status))

    assert means in {"refused: GatewayError", "uncertain: it may have been bought"}
    assert "GatewayError, asked again" == told
