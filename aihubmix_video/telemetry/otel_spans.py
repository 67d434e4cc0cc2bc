"""Writes one span per job with OpenTelemetry's tracing API: its creates and downloads are children, its polls a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from aihubmix_video.telemetry.attributes import (
    COMMON,
    PREFIX,
    AttributeValue,
    error_type,
    prompt_attributes,
    request_attributes,
    server_attributes,
    span_name,
)

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from aihubmix_video.errors import VideoError
    from aihubmix_video.telemetry.job_record import JobRecord, JobSighting
    from aihubmix_video.types.events import RequestEnd

__all__ = ["OtelSpans"]

NANOSECONDS: Final = 1_000_000_000


class OtelSpans:
    """The spans of one session's jobs.

    Args:
        tracer: Makes them.
        base_url: The gateway.
        prompts: Whether prompts are told, and what the gateway says of them.
    """

    def __init__(self, tracer: Tracer, base_url: str, *, prompts: bool) -> None:
        self._tracer = tracer
        self._server = server_attributes(base_url)
        self._prompts = prompts
        self._spans: dict[str, Span] = {}

    def begin(self, record: JobRecord) -> None:
        """Begin a job's span, as a child of the span in which the job was taken on."""
        first = record.first
        told: dict[str, AttributeValue] = {
            **COMMON,
            **self._server,
            **request_attributes(first.request),
            f"{PREFIX}job.key": first.key,
            f"{PREFIX}job.resumed": record.resumed,
        }
        if self._prompts:
            told |= prompt_attributes(first.request)
        request = first.request
        self._spans[first.key] = self._tracer.start_span(
            span_name(None if request is None else request.model),
            kind=SpanKind.CLIENT,
            attributes=told,
            start_time=_nanoseconds(first.at),
        )

    def change(self, before: JobSighting, record: JobRecord) -> None:
        """Add an event where the job was accepted, or its video found finished."""
        now, span = record.last, self._spans[record.first.key]
        if now.video_id is not None and before.video_id is None:
            span.add_event("accepted", timestamp=_nanoseconds(now.at))
        if now.completed and not before.completed:
            span.add_event("completed", timestamp=_nanoseconds(now.at))

    def end_request(self, record: JobRecord, end: RequestEnd) -> None:
        """Add the span of a create or a download; polls are only counted."""
        if end.request == "poll":
            return
        parent = set_span_in_context(self._spans[record.first.key])
        span = self._tracer.start_span(
            f"{end.request} video",
            context=parent,
            kind=SpanKind.CLIENT,
            attributes=dict(self._server),
            start_time=_nanoseconds(end.began),
        )
        self._fail(span, end.error)
        span.end(_nanoseconds(end.ended))

    def end(self, record: JobRecord, at: float) -> None:
        """End a job's span."""
        span = self._spans.pop(record.first.key)
        span.set_attributes(record.summary())
        self._fail(span, record.last.error)
        span.end(_nanoseconds(at))

    def _fail(self, span: Span, error: VideoError | None) -> None:
        if error is None:
            return
        named = error_type(error) or ""
        span.set_attribute("error.type", named)
        if error.status_code is not None:
            span.set_attribute("http.response.status_code", error.status_code)
        if error.request_id is not None:
            span.set_attribute(f"{PREFIX}request.id", error.request_id)
        # What the gateway says may quote the prompt.
        span.set_status(Status(StatusCode.ERROR, error.message if self._prompts else named))


def _nanoseconds(seconds: float) -> int:
    return int(seconds * NANOSECONDS)
