"""What telemetry remembers of one job, and what is to be measured when something happens to it. Pure.

Theory of operation. A `JobRecord` is made at the first sight of a job, changed by each `JobSighting` and each `RequestEnd`,
and thrown away at the job's end. Each change yields the measurements that follow from it, and notes on the record what the
job's span tells at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.telemetry.attributes import OPERATION, PREFIX, PROVIDER, error_type
from aihubmix_video.telemetry.instruments import MODEL, REQUEST, STATE, Measurement
from aihubmix_video.types.job_info import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aihubmix_video.errors import Charged, VideoError
    from aihubmix_video.telemetry.attributes import AttributeValue
    from aihubmix_video.types.events import RequestEnd
    from aihubmix_video.types.request import VideoRequest
    from aihubmix_video.types.video import Video

__all__ = ["LEFT", "JobRecord", "JobSighting"]

LEFT: Final = "left"
"""The state in which a job ends that is not finished, but is not followed any more in this session."""


@attrs.frozen(kw_only=True)
class JobSighting:
    """How a job stands at one moment.

    Attributes:
        key: The session's own key.
        at: Unix seconds.
        state: As users see it.
        over: Whether nothing changes it any more in this session.
        request: What was asked for, if that is known.
        video_id: The gateway's id, once it is known.
        completed: Whether the gateway says that the video is finished.
        video: As last described, where that is kept.
        bytes_done: Bytes of its file on disk.
        charged: Whether money was spent on it.
        error: What it ended with.
    """

    key: str
    at: float
    state: JobState
    over: bool = False
    request: VideoRequest | None = None
    video_id: str | None = None
    completed: bool = False
    video: Video | None = None
    bytes_done: int = 0
    charged: Charged = "no"
    error: VideoError | None = None

    @property
    def state_word(self) -> str:
        """The state, or "left"."""
        return LEFT if self.over and not self.state.ended else self.state.value


@attrs.define(kw_only=True)
class JobRecord:
    """One job.

    Attributes:
        first: The first sight of it.
        last: The last sight of it.
        price: Its list price in USD, if known.
        creates: Creates that ended; also `polls`, `bad_polls` and `downloads`.
        running_at: When a poll last found it unfinished, in Unix seconds.
        notice: Seconds until its completion was noticed, where the gateway dates it.
        notice_limit: Seconds between the last poll that found it running and the one that found it finished.
    """

    first: JobSighting
    last: JobSighting
    price: float | None = None
    creates: int = 0
    polls: int = 0
    bad_polls: int = 0
    downloads: int = 0
    running_at: float | None = None
    notice: float | None = None
    notice_limit: float | None = None

    @classmethod
    def of(cls, sighting: JobSighting, price: float | None = None) -> JobRecord:
        """Return the record of a job that is seen for the first time."""
        return cls(first=sighting, last=sighting, price=price)

    @property
    def resumed(self) -> bool:
        """Whether the job had been bought before it was first seen."""
        return self.first.video_id is not None

    def begin(self) -> Iterator[Measurement]:
        """Return what the first sight of a job measures."""
        if not self.first.over:
            yield _active(1, self.first.state)

    def see(self, now: JobSighting) -> Iterator[Measurement]:
        """Take in how the job stands now."""
        before, self.last = self.last, now
        if now.over or now.state is not before.state:
            yield _active(-1, before.state)
            if not now.over:
                yield _active(1, now.state)
        if (grown := now.bytes_done - before.bytes_done) != 0:  # fewer than before if the file was begun again
            yield Measurement("aihubmix.video.downloaded", grown if grown > 0 else now.bytes_done)
        if now.completed and not before.completed:
            yield from self._noticed(now)
        if not self.resumed and self.price is not None and before.video_id is None:
            if now.video_id is not None:
                yield self._cost("yes")
            elif now.over and now.charged == "unknown":
                yield self._cost("unknown")
        if now.over:
            yield from self._ended(now)

    def end_request(self, end: RequestEnd) -> Iterator[Measurement]:
        """Take in that a request about the job ended."""
        bad = end.error is not None
        match end.request:
            case "create":
                self.creates += 1
            case "poll":
                self.polls += 1
                self.bad_polls += bad
                if not bad and not self.last.completed:
                    self.running_at = end.ended
            case "download":
                self.downloads += 1
        yield Measurement("aihubmix.video.requests", 1, {REQUEST: end.request} | _failed(end.error))

    def stop(self) -> Iterator[Measurement]:
        """Return what is measured when nobody looks at the job any more, although it goes on."""
        if not self.last.over:
            yield _active(-1, self.last.state)

    def _noticed(self, now: JobSighting) -> Iterator[Measurement]:
        if self.running_at is not None:
            self.notice_limit = max(now.at - self.running_at, 0.0)
            yield Measurement("aihubmix.video.notice.limit", self.notice_limit, self._model)
        dated = now.video.completed_at if now.video is not None else None
        if dated is not None and not (
            self.resumed and self.running_at is None
        ):  # else it may have waited for us for days
            limit = self.notice_limit if self.notice_limit is not None else now.at - self.first.at
            self.notice = min(max(now.at - dated, 0.0), limit)  # the gateway's clock is not ours
            yield Measurement("aihubmix.video.notice.duration", self.notice, self._model)

    def _ended(self, now: JobSighting) -> Iterator[Measurement]:
        failed = _failed(now.error)
        yield Measurement("aihubmix.video.jobs.ended", 1, {STATE: now.state_word} | self._model | failed)
        yield Measurement("aihubmix.video.polls", self.polls, self._model)
        operation = {"gen_ai.operation.name": OPERATION, "gen_ai.provider.name": PROVIDER}
        seconds = max(now.at - self.first.at, 0.0)
        yield Measurement("gen_ai.client.operation.duration", seconds, operation | self._model | failed)

    def _cost(self, charged: Charged) -> Measurement:
        return Measurement("aihubmix.video.cost", self.price or 0.0, self._model | {f"{PREFIX}charged": charged})

    @property
    def _model(self) -> dict[str, AttributeValue]:
        request = self.first.request
        return {} if request is None else {MODEL: request.model}

    def summary(self) -> Mapping[str, AttributeValue]:
        """Return what the job's span tells at its end."""
        last, video = self.last, self.last.video
        told: dict[str, AttributeValue | None] = {
            "gen_ai.response.id": last.video_id,
            STATE: last.state_word,
            f"{PREFIX}charged": last.charged,
            f"{PREFIX}cost": self.price if last.charged != "no" else None,
            f"{PREFIX}creates": self.creates,
            f"{PREFIX}polls": self.polls,
            f"{PREFIX}polls.failed": self.bad_polls,
            f"{PREFIX}downloads": self.downloads,
            f"{PREFIX}notice.duration": self.notice,
            f"{PREFIX}notice.limit": self.notice_limit,
            "error.type": error_type(last.error),
        }
        if video is not None and last.state is JobState.SAVED:
            told |= {
                f"{PREFIX}file.size": video.bytes_written,
                f"{PREFIX}file.sha256": video.sha256,
                f"{PREFIX}file.verified": video.verified,
            }
        return {name: value for name, value in told.items() if value is not None}


def _active(change: int, state: JobState) -> Measurement:
    return Measurement("aihubmix.video.jobs.active", change, {STATE: state.value})


def _failed(error: VideoError | None) -> dict[str, AttributeValue]:
    named = error_type(error)
    return {} if named is None else {"error.type": named}
