"""From an answer about a job to a video."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.decode_video import UNEXPLAINED, other_id, read_video
from aihubmix_video.types.video import Status
from tests.pure.protocol.samples import NAMES, sample
from tests.pure.protocol.test_json_reader import JSON

FIELDS = [
    "id",
    "video_id",
    "task_id",
    "model",
    "status",
    "progress",
    "seconds",
    "duration",
    "size",
    "width",
    "height",
    "created",
    "created_at",
    "completed_at",
    "expires_at",
    "error",
    "failure_reason",
    "fail_reason",
    "message",
    "code",
    "data",
]
ODD = JSON | st.floats() | st.sampled_from(["completed", "failed", "97%", "5", 1.7e12, -1, 10**30, "\x00", "\ud800"])
BODIES = st.dictionaries(st.sampled_from(FIELDS), ODD | st.dictionaries(st.sampled_from(FIELDS), ODD))


def body_of(name: str):
    """The body of a sample, as JSON."""
    return json.loads(sample(name).body)


@given(BODIES, st.none() | st.just("job-1"))
def test_any_object_gives_a_sane_video_or_a_malformed_reply(body: dict[str, object], job_id: str | None):
    """Row 82: fields may be missing, extra or of any type; nothing but our error leaves, nothing absurd stays."""
    with contextlib.suppress(MalformedReply):
        video = read_video(body, job_id=job_id)

        assert video.id.isprintable()
        assert (video.error is not None) == (video.status is Status.FAILED)
        assert video.error != ""
        numbers = (video.seconds, video.width, video.height, video.created_at, video.completed_at, video.expires_at)
        assert all(number is None or (math.isfinite(number) and number > 0) for number in numbers)
        assert video.progress is None or 0 <= video.progress <= 100
        assert video.raw is body


def test_the_openai_dialect_is_read():
    """The page's completed Sora answer."""
    video = read_video(body_of("poll-sora-completed"))

    assert (Status.COMPLETED, "sora-2", 100.0) == (video.status, video.model, video.progress)
    assert (8.0, 1280, 720) == (video.seconds, video.width, video.height)
    assert (1772451930.0, 1772452114.0, 1772538330.0) == (video.created_at, video.completed_at, video.expires_at)
    assert video.error is None


def test_the_other_dialect_is_read():
    """The page's Wan answer to a create."""
    video = read_video(body_of("create-wan"))

    assert (Status.IN_PROGRESS, "wan2.6-t2v", None) == (video.status, video.model, video.progress)
    assert (5.0, 1920, 1080, 1772460274.0) == (video.seconds, video.width, video.height, video.created_at)


def test_a_mix_of_both_dialects_is_read():
    """Seedance reports progress beside `duration`; a dialect is no more than a habit."""
    video = read_video({"id": "a", "duration": 5, "size": "864*496", "created": 1772460274, "progress": 12})

    assert (5.0, 864, 496, 12.0) == (video.seconds, video.width, video.height, video.progress)


def test_real_pixels_go_before_the_size_asked_for():
    """Jimeng makes 1088 of an asked 1080, and the file has what the answer says."""
    video = read_video({"id": "a", "size": "1080x1920", "width": 1088, "height": 1928})

    assert (1088, 1928) == (video.width, video.height)


def test_a_job_wrapped_in_data_is_read():
    """The task form of the gateway's code base."""
    video = read_video(body_of("poll-wrapped"))

    assert ("task_7f3a", Status.COMPLETED, 100.0) == (video.id, video.status, video.progress)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("create", "poll"))])
def test_every_sample_of_a_job_is_read(name: str):
    """What was recorded once must be understood for ever."""
    assert read_video(body_of(name), job_id="job-1").raw == body_of(name)


ODD_IDS = [7.0, True, ["a"], {"a": 1}, "  ", "a\x00b", "a\nb", "..", "a" * 2000, "\ufffd", " a"]


@pytest.mark.parametrize("value", ODD_IDS, ids=lambda value: repr(value)[:16])
def test_an_id_that_is_no_usable_string_is_never_made_one(value: object):
    """A paid job polled under the id "7.0" or "['a']" is lost."""
    with pytest.raises(MalformedReply, match="id in the answer"):
        read_video({"id": value, "status": "queued"})


@pytest.mark.parametrize("value", [*ODD_IDS, 7, "", None], ids=lambda value: repr(value)[:16])
def test_an_odd_id_costs_nothing_where_the_id_is_known(value: object):
    """A poll's own id only informs."""
    video = read_video({"id": value, "status": "completed"}, job_id="job-1")

    assert ("job-1", Status.COMPLETED) == (video.id, video.status)


@pytest.mark.parametrize("value", [1, 7, 831920, 10**18, 10**39])
def test_an_integer_is_an_id_by_its_digits(value: int):
    """Gateways with a numbered table answer so; a paid job must not be uncertain for want of two quotation marks."""
    assert str(value) == read_video({"data": {"id": value}}).id


@pytest.mark.parametrize("value", [0, -1, False, 10**400])
def test_an_integer_that_numbers_nothing_is_not_an_id(value: int):
    """Zero and minus one are how languages leave a number empty."""
    with pytest.raises(MalformedReply):
        read_video({"id": value})


@pytest.mark.parametrize("body", [{}, {"id": None}, {"status": "queued"}, {"id": None, "status": "failed"}])
def test_an_answer_without_an_id_is_malformed(body: dict[str, object]):
    """A null is not an id, and above all not the id "None"."""
    with pytest.raises(MalformedReply, match="no id"):
        read_video(body)


def test_the_id_asked_about_stands_in_for_a_missing_one():
    """The page's sample of a failed job repeats no id; the question had it."""
    video = read_video(body_of("poll-failed-page"), job_id="job-1")

    assert ("job-1", Status.FAILED) == (video.id, video.status)


def test_the_id_asked_about_is_kept_when_the_answer_names_another():
    """A gateway that answers with the vendor's own id must not make us poll that."""
    assert "job-1" == read_video({"id": "upstream-9", "status": "queued"}, job_id="job-1").id


@pytest.mark.parametrize("value", [{}, [], None, 7, "text", [[{"id": "a"}]]])
def test_an_answer_about_nothing_is_of_a_running_job_when_the_id_is_known(value: object):
    """It is readable; whatever is in it can be found in `raw`."""
    video = read_video(value, job_id="job-1")

    assert Status.IN_PROGRESS is video.status
    assert value in (video.raw, video.raw.get("answer"))


@pytest.mark.parametrize("key", ["video_id", "task_id", "taskId", "job_id", "generation_id"])
def test_other_names_of_the_id_are_read_where_there_is_no_id(key: str):
    """Clients in the field expect them."""
    assert "a" == read_video({key: "a"}).id


def test_an_odd_second_id_does_not_cost_the_good_one():
    """An id seen is an id kept."""
    assert "a" == read_video({"id": "a", "task_id": 17}).id


@pytest.mark.parametrize(
    ("body", "other"),
    [
        ({"id": "a"}, None),
        ({"id": "a", "task_id": "a"}, None),
        ({"id": "a", "task_id": "b"}, "b"),
        ({"id": "a", "data": {"id": "c"}}, "c"),
        ({"id": "a", "data": {"task_id": 5, "id": ""}}, "5"),
        ({"id": "a", "data": {"task_id": ["b"], "id": ""}}, None),
    ],
)
def test_a_second_different_id_is_found(body: dict[str, object], other: str | None):
    """S4: both are kept, the first is used."""
    assert other == other_id(body, "a")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *((word, Status.COMPLETED) for word in ("completed", "succeeded", "success", "succeed", "done", "finished")),
        *((word, Status.FAILED) for word in ("failed", "failure", "error", "cancelled", "canceled", "expired")),
        *((word, Status.COMPLETED) for word in ("complete", "Succeeded", "TASK_STATUS_SUCCEED", "已完成")),
        *(
            (word, Status.FAILED)
            for word in ("timed_out", "TimedOut", "timeout", "rejected", "JOB_STATE_FAILED", "Timed Out")
        ),
        *(
            (word, Status.QUEUED)
            for word in ("queued", "pending", "submitted", "NOT_START", "waiting", "preparing", "in-queue")
        ),
        *((word, Status.IN_PROGRESS) for word in ("in_progress", "processing", "running", "unknown", "", "complete!")),
        ("SUCCESS", Status.COMPLETED),
        (" Failed ", Status.FAILED),
        (None, Status.IN_PROGRESS),
        (3, Status.IN_PROGRESS),
        (["failed"], Status.IN_PROGRESS),
    ],
)
def test_statuses_are_closed_sets_and_everything_else_is_running(word: object, status: Status):
    """L3: a new word must neither lose a paid job nor end it."""
    assert status is read_video({"id": "a", "status": word}).status


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("progress", "97%", 97.0),
        ("progress", "97", 97.0),
        ("progress", "almost", None),
        ("progress", 101, None),
        ("progress", -1, None),
        ("progress", math.nan, None),
        ("progress", True, None),
        ("seconds", "8", 8.0),
        ("seconds", "8s", None),
        ("seconds", -1, None),
        ("seconds", 0, None),
        ("seconds", 10**400, None),
        ("width", None, None),
        ("width", "1280", 1280),
        ("width", 1280.5, None),
        ("width", 0, None),
        ("model", 7, None),
        ("model", "", None),
        ("model", "sora\x1b[31m-2", "sora-2"),
        ("created_at", 1_772_451_930, 1_772_451_930.0),
        ("created_at", 1_772_451_930_000, 1_772_451_930.0),
        ("created_at", "1772451930", 1_772_451_930.0),
        ("created_at", "2026-03-02", None),
        ("expires_at", 0, None),
        ("expires_at", 10**14, None),
        ("expires_at", math.inf, None),
        ("expires_at", [1], None),
    ],
)
def test_a_field_is_read_for_what_it_is_worth(field: str, value: object, read: object):
    """Row 82, T3: the plain meaning where there is one, else None; never an exception."""
    assert read == getattr(read_video({"id": "a", field: value}), field)


@pytest.mark.parametrize("size", ["720p", "16:9", "1280", "0x0", 1280, None, "99999x99999"])
def test_a_size_that_is_no_pixels_is_none(size: object):
    """Jimeng echoes ratios, Veo labels."""
    video = read_video({"id": "a", "size": size})

    assert (None, None) == (video.width, video.height)


def test_an_expiry_before_the_creation_is_ignored():
    """T3: believing it would give up a paid video."""
    assert read_video({"id": "a", "created_at": 1_772_451_930, "expires_at": 1_772_451_930}).expires_at is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("poll-failed-page", "Video generation failed due to content policy violation"),
        ("poll-failed-code", "The upstream model timed out (internal_error)"),
        (
            "poll-failed-string",
            "generation failed: reference image unreachable (tid: 2026053101460281782277174636336)",
        ),
        ("poll-failed-null", UNEXPLAINED),
        (
            "poll-failed-reason",
            (
                "The request failed because the output video may contain sensitive information. "
                "Request id: 0217801234abcdef"
            ),
        ),
        ("poll-failed-message", "frames could not be rendered"),
    ],
)
def test_a_failed_job_says_why_in_the_vendors_words(name: str, reason: str):
    """Row 81: every shape seen, and a sentence where there is none."""
    assert reason == read_video(body_of(name), job_id="job-1").error


@pytest.mark.parametrize("error", [None, "", {}, [], "None", {"message": None}, {"message": ""}, 0, False])
def test_a_failure_without_a_reason_has_a_sentence(error: object):
    """Row 81: never "None" and never nothing."""
    assert UNEXPLAINED == read_video({"id": "a", "status": "failed", "error": error}).error


def test_an_error_beside_a_running_job_is_not_its_failure():
    """Only the status ends a job."""
    assert read_video({"id": "a", "status": "in_progress", "error": {"message": "hiccup"}}).error is None
