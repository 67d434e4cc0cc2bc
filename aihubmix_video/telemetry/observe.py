"""How a session is observed with OpenTelemetry."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.pricing.list_prices import check_prices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from aihubmix_video.session.session import VideoSession

__all__ = ["observe_session"]


@contextmanager
def observe_session(
    session: VideoSession,
    *,
    prompts: bool = False,
    prices: Mapping[str, float] | None = None,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Iterator[None]:
    """Write traces and metrics of a session's jobs with OpenTelemetry, as long as the context is open.

    Where no SDK is configured when it is entered, nothing is subscribed to, and nothing is done. A failure of an SDK ends the
    telemetry of this session, and touches no job.

    Example:
        ```python
        async with VideoSession() as session:
            with observe_session(session):
                await session.generate("koi pond at dusk", model="sora-2", to="koi.mp4")
        ```

    Args:
        session: The session; it must be open.
        prompts: Whether spans contain the prompts, and the texts of errors, which may quote them.
        prices: USD per second by model, in place of the list prices.
        tracer_provider: None for the one that is configured for the process.
        meter_provider: None for the one that is configured for the process.

    Raises:
        ConfigurationError: The extra ``otel`` is not installed.
        InvalidRequest: A price cannot be meant.
        SessionClosed: The session is not open.
    """
    check_prices(prices or {})
    try:
        from aihubmix_video.telemetry.otel_providers import otel_observer  # noqa: PLC0415  # needs the extra, and must be able to say so
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        raise ConfigurationError("observe_session needs its extra: pip install 'aihubmix-video[otel]'.") from None
    observer = otel_observer(
        session, prompts=prompts, prices=prices, tracer_provider=tracer_provider, meter_provider=meter_provider
    )
    if observer is None:
        yield
        return
    observer.start()
    try:
        yield
    finally:
        observer.stop()
