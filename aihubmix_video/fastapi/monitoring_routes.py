"""Two routes for those who operate a server: whether it works, and its metrics."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, params
from starlette.responses import JSONResponse, Response

from aihubmix_video.errors import LedgerError
from aihubmix_video.fastapi.app_state import AppState, get_service
from aihubmix_video.fastapi.slash_route import EitherSlashRoute
from aihubmix_video.telemetry.prometheus_metrics import CONTENT_TYPE

__all__ = ["monitoring_router"]

NEVER_STORED = {"Cache-Control": "no-store"}


def monitoring_router(
    *, health: str = "/healthz", metrics: str = "/metrics", dependencies: Sequence[params.Depends] = ()
) -> APIRouter:
    """Make a router that answers whether the server can take jobs, and with the session's metrics for Prometheus.

    Args:
        health: Path that is answered with 200, or with 503 while nothing can be bought as the ledger cannot be written. It
            tells nothing else, and needs no authentication.
        metrics: Path of the metrics, which tell models and money.
        dependencies: For the metrics; this is where authentication belongs.
    """
    router = APIRouter(route_class=EitherSlashRoute, tags=["monitoring"])
    router.add_api_route(health, _health, methods=["GET", "HEAD"], response_class=Response, summary="Whether it works")
    router.add_api_route(
        metrics, _metrics, response_class=Response, dependencies=list(dependencies), summary="Metrics for Prometheus"
    )
    return router


async def _health(service: Annotated[AppState, Depends(get_service)]) -> Response:
    try:
        await service.registry.check_buying()
    except LedgerError:
        return JSONResponse({"status": "the ledger cannot be written"}, 503, NEVER_STORED)
    return JSONResponse({"status": "ok"}, 200, NEVER_STORED)


async def _metrics(service: Annotated[AppState, Depends(get_service)]) -> Response:
    return Response(service.metrics.render(), headers={"Content-Type": CONTENT_TYPE, **NEVER_STORED})
