"""Subscribes to a session's two ports, and passes on to the sinks what it hears; no failure of theirs reaches a job."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

from aihubmix_video.errors import SessionClosed
from aihubmix_video.pricing.list_prices import list_price
from aihubmix_video.session.job_views import charged_of_job, state_of
from aihubmix_video.telemetry.cooldowns import CooldownCount
from aihubmix_video.telemetry.job_record import JobRecord, JobSighting
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aihubmix_video.session.session import VideoSession
    from aihubmix_video.session.tracked_job import TrackedJob
    from aihubmix_video.telemetry.instruments import Measurement
    from aihubmix_video.types.events import RequestEnd

__all__ = ["MeasurementSink", "SessionObserver", "SpanSink"]

log = logging.getLogger("aihubmix_video.telemetry")


class MeasurementSink(Protocol):
    """Writes measurements."""

    def measure(self, measurement: Measurement) -> None:
        """Write one."""

    def set_gauges(self, rate: float, cooldowns: CooldownCount) -> None:
        """Keep the rate in force, and what tells for how long requests are held."""


class SpanSink(Protocol):
    """Writes spans."""

    def begin(self, record: JobRecord) -> None:
        """Begin a job's span, in the context of whoever took the job on."""

    def change(self, before: JobSighting, record: JobRecord) -> None:
        """Note how a job changed."""

    def end_request(self, record: JobRecord, end: RequestEnd) -> None:
        """Note that a request ended."""

    def end(self, record: JobRecord, at: float) -> None:
        """End a job's span."""


class SessionObserver:
    """Keeps one record per job that is followed.

    Args:
        session: The session; it must be open.
        meters: Where measurements go.
        spans: Where spans go; None for nowhere.
        prices: USD per second by model, in place of the list prices.
    """

    def __init__(
        self,
        session: VideoSession,
        meters: Sequence[MeasurementSink],
        spans: SpanSink | None = None,
        prices: Mapping[str, float] | None = None,
    ) -> None:
        self._session = session
        self._meters = meters
        self._spans = spans
        self._prices = prices
        self._records: dict[str, JobRecord] = {}
        self._cooldowns = CooldownCount()
        self._unsubscribe: list[Callable[[], None]] = []

    def start(self) -> None:
        """Subscribe; jobs that are followed already are taken as seen for the first time."""
        registry = self._session.registry
        for tracked in registry.following():
            self._job_changed(tracked)
        self.refresh()
        self._unsubscribe += [registry.observe(self._job_changed), registry.observe_requests(self._request_ended)]

    def stop(self) -> None:
        """Unsubscribe, and end what is still open; jobs go on."""
        while self._unsubscribe:
            self._unsubscribe.pop()()
        now = time.time()
        try:
            for record in self._records.values():
                self._measure(record.stop())
                if self._spans is not None:
                    self._spans.end(record, now)
        except Exception as exc:  # noqa: BLE001  # whatever a sink raises, closing goes on
            _report(exc)
        self._records.clear()

    # What happens.

    def _job_changed(self, tracked: TrackedJob) -> None:
        try:
            self._see(sighting_of(tracked))
        except Exception as exc:  # noqa: BLE001  # whatever a sink raises, the job must not suffer
            self._give_up(exc)

    def _request_ended(self, end: RequestEnd) -> None:
        try:
            self._take(end)
        except Exception as exc:  # noqa: BLE001  # as above
            self._give_up(exc)

    def _see(self, now: JobSighting) -> None:
        record = self._records.get(now.key)
        if record is None:
            price = None if now.request is None else list_price(now.request, self._prices)
            record = self._records[now.key] = JobRecord.of(now, price)
            self._measure(record.begin())
            if self._spans is not None:
                self._spans.begin(record)
        else:
            before = record.last
            self._measure(record.see(now))
            if self._spans is not None:
                self._spans.change(before, record)
        if now.over:
            del self._records[now.key]
            if self._spans is not None:
                self._spans.end(record, now.at)

    def _take(self, end: RequestEnd) -> None:
        if not isinstance(end.error, SessionClosed):  # else it was called back
            self.refresh()
        record = self._records.get(end.job)
        if record is None:
            return
        self._measure(record.end_request(end))
        if self._spans is not None:
            self._spans.end_request(record, end)

    def refresh(self) -> None:
        """Look at the rate in force, and at the requests that are held."""
        if not self._meters:
            return
        try:
            stats = self._session.stats()
        except SessionClosed:  # it is being closed
            return
        self._measure(self._cooldowns.see(stats, time.time()))
        for meter in self._meters:
            meter.set_gauges(stats.rate, self._cooldowns)

    def _measure(self, measurements: Iterable[Measurement]) -> None:
        for measurement in measurements:
            for meter in self._meters:
                meter.measure(measurement)

    def _give_up(self, exc: Exception) -> None:
        while self._unsubscribe:
            self._unsubscribe.pop()()
        self._records.clear()
        _report(exc)


def sighting_of(tracked: TrackedJob) -> JobSighting:
    """Return how a job stands."""
    error = tracked.error
    return JobSighting(
        key=tracked.key,
        at=time.time(),
        state=state_of(tracked),
        over=tracked.over,
        request=tracked.request,
        video_id=tracked.video_id,
        completed=tracked.status is Status.COMPLETED,
        video=tracked.video,
        bytes_done=tracked.bytes_done,
        charged=charged_of_job(tracked),
        error=None if isinstance(error, SessionClosed) else error,
    )


def _report(exc: Exception) -> None:
    log.warning("telemetry failed (%s) and is off for this session; its jobs are not affected", type(exc).__name__)
