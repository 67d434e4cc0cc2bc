"""Traces and metrics of a session, for OpenTelemetry and for Prometheus; the session knows nothing of either.

`observe_session` subscribes to the two ports that a session has, `JobRegistry.observe` and `JobRegistry.observe_requests`.
What they tell is reduced to measurements by pure functions (`job_record`), which the sinks write: `otel_spans`,
`otel_metrics` (extra ``otel``) and `prometheus_metrics` (extra ``fastapi``).
"""

from aihubmix_video.telemetry.observe import observe_session

__all__ = ["observe_session"]
