"""The contract with users: what can be imported, how it is called, and what is raised."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

import aihubmix_video
from aihubmix_video import (
    BatchItem,
    Job,
    JobEvent,
    SessionStats,
    Status,
    Video,
    VideoRequest,
    VideoSession,
    errors,
    sandbox,
)
from aihubmix_video.errors import VideoError
from aihubmix_video.types.request import VideoParams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REQUIRED = inspect.Parameter.empty

SESSION = {
    "base_url": None,
    "rate": 10.0,
    "rate_limit": None,
    "fallback_share": 0.1,
    "burst": 1,
    "poll_interval": 15.0,
    "max_in_flight": 1000,
    "max_downloads": 8,
    "deadline": 1800.0,
    "ledger": None,
    "validate": "known",
    "capabilities": None,
    "trust_env": True,
    "new_key": False,
    "object_storage": None,
}

TREE = {
    "InvalidRequest": ("VideoError", "ValueError"),
    "BudgetExceeded": ("InvalidRequest",),
    "ConfigurationError": ("VideoError", "ValueError"),
    "AuthenticationError": ("VideoError",),
    "PermissionDenied": ("VideoError",),
    "InsufficientBalance": ("VideoError",),
    "RequestRefused": ("VideoError",),
    "RateLimited": ("VideoError",),
    "ModelUnavailable": ("VideoError",),
    "GatewayError": ("VideoError",),
    "ConnectionFailed": ("VideoError",),
    "MalformedReply": ("VideoError",),
    "SubmitUncertain": ("VideoError",),
    "JobFailed": ("VideoError",),
    "ContentRefused": ("JobFailed",),
    "JobNotFound": ("VideoError",),
    "JobExpired": ("VideoError",),
    "WaitTimeout": ("VideoError",),
    "DownloadFailed": ("VideoError",),
    "LedgerError": ("VideoError",),
    "LedgerInUse": ("LedgerError",),
    "SessionClosed": ("VideoError",),
}


def parameters(function: Callable[..., object]) -> dict[str, object]:
    """Give the keyword parameters and their defaults."""
    signature = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in signature if each.kind is inspect.Parameter.KEYWORD_ONLY}


def raised() -> Iterator[VideoError]:
    """Make one error of each kind, knowing all there is to know."""
    known: Any = {  # Any: each has its own type
        "job_id": "an-id",
        "job_key": "a-key",
        "request_id": "a-request",
        "status_code": 418,
        "retryable": True,
        "charged": "unknown",
    }
    for name in TREE:
        kind = getattr(errors, name)
        if issubclass(kind, errors.InvalidRequest):
            yield kind([errors.Problem.of("size", "1x1", "is too small", nearest="2x2")], **known)
        else:
            yield kind("something happened", **known)
    yield errors.VideoError("something happened", **known)
    yield errors.RateLimited("too fast", retry_after=3.0, **known)
    yield errors.SubmitUncertain("lost", body=b"<html>", **known)
    yield errors.ContentRefused("no", stage="output", **known)


def test_the_package_exports_what_was_promised_and_no_more():
    """A name once exported is hard to take back."""
    promised = {
        *("VideoSession", "VideoRequest", "Job", "Video", "Status", "BatchItem", "JobEvent"),
        *("JobInfo", "JobPage", "JobRegistry", "JobState"),
        *("Capability", "Catalog", "find_capability", "list_capabilities", "errors"),
        *("SessionStats", "VideoWarning"),
    }
    assert promised == set(aihubmix_video.__all__)
    assert sorted(aihubmix_video.__all__) == list(aihubmix_video.__all__)
    assert set() == promised - set(dir(aihubmix_video))


@pytest.mark.parametrize("name", sorted({*aihubmix_video.__all__} - {"errors"}))
def test_every_public_name_is_documented(name: str):
    """Editors show these, and nothing else of our documentation; inherited texts would be of something else."""
    value = getattr(aihubmix_video, name)
    assert (value.__doc__ or "").strip()
    assert value.__module__.startswith("aihubmix_video")
    if not inspect.isclass(value):
        return
    for member, found in vars(value).items():
        if not member.startswith("_") and (inspect.isroutine(found) or isinstance(found, property)):
            assert (found.__doc__ or "").strip(), f"{name}.{member}"


def test_the_session_is_made_and_used_as_promised():
    """Parameters and defaults are part of the contract; of the options, only the key may be given by position."""
    assert SESSION == parameters(VideoSession)
    assert ["api_key", *SESSION] == list(inspect.signature(VideoSession).parameters)
    common = {"model": None, "to": None, "overwrite": False}
    assert common == parameters(VideoSession.generate)
    assert common | {"idempotency_key": None, "owner": None} == parameters(VideoSession.submit)
    for method in (VideoSession.generate, VideoSession.submit):
        assert inspect.iscoroutinefunction(method)
    assert ["self", "prompt", "model", "to", "overwrite", "params"] == list(
        inspect.signature(VideoSession.generate).parameters
    )
    caps = dict.fromkeys(("max_videos", "max_seconds", "max_spend", "prices"))
    assert {"to": REQUIRED, "overwrite": False, **caps, "moderation_retries": 0, "keep_buying": False} == parameters(
        VideoSession.batch
    )
    assert ["self"] == list(inspect.signature(VideoSession.resume).parameters)
    assert ["self", "video_id"] == list(inspect.signature(VideoSession.job).parameters)
    for sync in (VideoSession.batch, VideoSession.resume, VideoSession.job, VideoSession.stats):
        assert not inspect.iscoroutinefunction(sync)
    assert inspect.iscoroutinefunction(VideoSession.aclose)


def test_jobs_and_videos_have_what_was_promised():
    """Handles are small: what is not listed is not there to depend on."""
    assert {
        *("id", "key", "status", "progress", "eta", "eta_range", "request", "snapshot"),
        *("events", "save", "delete", "detach"),
    } == {name for name in vars(Job) if not name.startswith("_")}
    assert hasattr(Job, "__await__")
    assert inspect.iscoroutinefunction(Video.save)
    assert {"overwrite": False} == parameters(Video.save) == parameters(Job.save)


FIELDS: list[tuple[type[attrs.AttrsInstance], str]] = [
    (
        Video,
        """id model status seconds width height progress created_at completed_at expires_at error path bytes_written
        sha256 verified unverified object_url raw""",
    ),
    (JobEvent, "job status progress eta bytes_done bytes_total at eta_range note"),
    (BatchItem, "index key request video path error charged earlier"),
    (
        VideoRequest,
        """model prompt seconds size input_reference aspect_ratio resolution ratio mode negative_prompt cfg_scale sound
        generate_audio watermark seed image image_tail image_list video_list content extra_body""",
    ),
]


@pytest.mark.parametrize(("kind", "names"), FIELDS, ids=[kind.__name__ for kind, _ in FIELDS])
def test_values_are_frozen_and_have_the_promised_fields(kind: type[attrs.AttrsInstance], names: str):
    """They are read by name, and shared between tasks."""
    fields = attrs.fields(kind)
    assert names.split() == [field.name for field in fields if not field.name.startswith("_")]
    assert all(field.kw_only for field in fields)
    assert kind.__setattr__ is not object.__setattr__
    for name in names.split():
        assert name in (kind.__doc__ or "") or kind is Video, name


def test_keyword_arguments_keep_in_step_with_the_request():
    """`generate(seconds=5)` and `VideoRequest(seconds=5)` are typed apart, and must not drift apart."""
    fields = {field.name for field in attrs.fields(VideoRequest)}
    assert fields - {"model", "prompt"} | {"duration"} == set(VideoParams.__annotations__)
    assert frozenset() == VideoParams.__required_keys__
    of_request = inspect.get_annotations(VideoRequest)
    of_params = inspect.get_annotations(VideoParams)
    for name in fields - {"model", "prompt"}:
        typed = of_params[name]
        typed = typed.__forward_arg__ if hasattr(typed, "__forward_arg__") else typed
        assert of_request[name] == typed, name


def test_statistics_and_statuses_are_what_they_say():
    """Dashboards are written against them."""
    assert {"in_flight", "queued", "polls_sent", "rate", "cooling_until"} <= {
        field.name for field in attrs.fields(SessionStats)
    }
    assert ["pending", "queued", "in_progress", "completed", "failed", "uncertain"] == [str(each) for each in Status]


# Errors.


def test_the_tree_of_errors_is_the_one_drawn():
    """Users write `except` by it."""
    found = {
        name: tuple(base.__name__ for base in kind.__bases__)
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, VideoError) and kind is not VideoError
    }
    assert TREE == found
    assert (Exception,) == VideoError.__bases__
    assert {*TREE, "VideoError", "Problem", "Charged"} == set(errors.__all__)
    drawn = errors.__doc__ or ""
    for name in TREE:
        assert f"─ {name} " in drawn


@pytest.mark.parametrize("error", list(raised()), ids=lambda error: type(error).__name__)
def test_every_error_knows_its_job_and_survives_pickling(error: VideoError):
    """Workers send errors to each other, and logs need to tell which job it was."""
    assert (error.__class__.__doc__ or "").strip()
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - our own
        assert type(error) is type(again)
        assert str(error) == str(again)
        assert vars(error) == vars(again)
        assert ("an-id", "a-key", "a-request", 418, True, "unknown") == (
            again.job_id,
            again.job_key,
            again.request_id,
            again.status_code,
            again.retryable,
            again.charged,
        )


@pytest.mark.parametrize("name", sorted(TREE))
def test_every_error_says_what_to_do_next(name: str):
    """A message that leaves its reader helpless is half a message."""
    kind = getattr(errors, name)
    error = (
        kind.of("size", "1x1", "is too small")
        if issubclass(kind, errors.InvalidRequest)
        else kind("something happened")
    )
    if kind is not errors.LedgerInUse:  # which says it where it is raised, as it names the file
        assert str(error)[-1] in ".?"
        assert len(str(error)) > len(error.message) + 10
    assert "\n" not in str(error)
    assert error.charged in {"yes", "no", "unknown"}
    assert isinstance(error.retryable, bool)


# Old names, for one release.


@pytest.mark.parametrize("name", ["Job", "Logged"])
def test_renamed_names_of_the_sandbox_still_work_and_warn(name: str):
    """Tests of other projects import them."""
    with pytest.warns(DeprecationWarning, match="is now called"):
        assert getattr(sandbox, name) in {sandbox.SandboxJob, sandbox.LoggedRequest}


def test_an_event_and_the_statistics_have_the_words_used_elsewhere():
    """`job` and `queued` stand in the contract; `key` and `waiting` are what the rest of the library says."""
    event = JobEvent(job="k", status=Status.QUEUED, at=0.0)
    assert ("k", "k") == (event.key, event.job)
    counts = dict.fromkeys((field.name for field in attrs.fields(SessionStats)), 0)
    stats = SessionStats(**{**counts, "queued": 3, "cooling_until": None})
    assert (3, 3) == (stats.waiting, stats.queued)


def test_every_public_name_is_loaded_from_where_type_checkers_are_told():
    """Names are loaded when they are first used; a second list of them must not drift from the first."""
    tree = ast.parse(Path(aihubmix_video.__file__).read_text("utf-8"))
    guard = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        alias.name: (node.module or "").removeprefix("aihubmix_video.")
        for node in guard.body
        if isinstance(node, ast.ImportFrom) and node.module != "aihubmix_video"
        for alias in node.names
    }

    assert told == aihubmix_video._MODULE_OF
    assert {*told, "errors"} == {*aihubmix_video.__all__}
    assert {*aihubmix_video.__all__} <= {*dir(aihubmix_video)}


def test_a_misspelt_name_is_an_attribute_error():
    """As with any module; an import of it names the package."""
    with pytest.raises(AttributeError, match="'aihubmix_video' has no attribute 'VideoSesion'"):
        _ = aihubmix_video.VideoSesion  # type: ignore[attr-defined]
