"""The edge of the contract run: buys what was chosen, one family after the other, and records what the gateway answers.

Purchases go through the session, so through its ledger: a run that is killed leaves jobs that `resume` brings home. What is
recorded beside them are GETs, and one delete of each job whose file is saved.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.catalog.model_list import LIST_PATH
from aihubmix_video.doctor.gateway_checks import BALANCE_PATH, PROBE_ID, balance_of
from aihubmix_video.doctor.orders import pixels_of
from aihubmix_video.doctor.transcript import Exchange, SavedVideo, Transcript, exchange_of
from aihubmix_video.errors import RequestRefused, VideoError
from aihubmix_video.pricing.list_prices import seconds_of
from aihubmix_video.protocol.video_ids import id_segment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aihubmix_video.doctor.orders import ContractOrder
    from aihubmix_video.doctor.transcript import Kind
    from aihubmix_video.protocol.response import Response
    from aihubmix_video.session.session import VideoSession
    from aihubmix_video.types.video import Video

__all__ = ["ContractRun"]

FIRST_BYTES = 4096
KINDS: dict[str, Kind] = {"POST": "create", "GET": "poll", "DELETE": "delete"}
MOST_EXCHANGES = 2000


class ContractRun:
    """One run against the real gateway, or the sandbox.

    Args:
        session: Open, with a ledger.
        folder: Where the videos are saved.
        tell: Called with what happens.
    """

    def __init__(self, session: VideoSession, folder: Path, tell: Callable[[str], None]) -> None:
        self._session = session
        self._folder = folder
        self._tell = tell
        self._exchanges: list[Exchange] = []
        self._saved: list[SavedVideo] = []
        self._model = ""

    async def run(self, orders: tuple[ContractOrder, ...]) -> Transcript:
        """Ask what costs nothing, buy the orders in turn, and return the transcript; a refused order is evidence too."""
        began = time.time()
        before = await self._balance()
        await self._probe("model list", LIST_PATH, with_key=False)
        await self._probe("model ids", "/v1/models", with_key=False)
        await self._probe("unknown id", f"/v1/videos/{PROBE_ID}")
        await self._probe("unknown id without key", f"/v1/videos/{PROBE_ID}", with_key=False)
        with self._session.gateway.watching(self._watched):
            for number, order in enumerate(orders):
                self._model = order.request.model
                try:
                    await self._buy(number, order)
                except VideoError as error:
                    self._tell(f"{self._model}: {error}")
        after = await self._balance()
        told = before is not None and after is not None and before != float("inf")
        return Transcript(
            gateway=self._session.base_url,
            began=began,
            exchanges=tuple(self._exchanges),
            saved=tuple(self._saved),
            billed=round(before - after, 6) if told and before is not None and after is not None else None,
        )

    async def _balance(self) -> float | None:
        try:
            return balance_of(await self._session.gateway.get(BALANCE_PATH))
        except VideoError:
            return None

    def _watched(self, method: str, body: bytes | None, response: Response) -> None:
        self._note(exchange_of(KINDS[method], response, model=self._model, sent=body))

    def _note(self, exchange: Exchange) -> None:
        if len(self._exchanges) < MOST_EXCHANGES and not (exchange.kind == "poll" and exchange in self._exchanges[-3:]):
            self._exchanges.append(exchange)

    async def _probe(self, kind: Kind, path: str, *, with_key: bool = True, content: bool = False) -> None:
        headers = {"Range": f"bytes=0-{FIRST_BYTES - 1}"} if content else None
        most = FIRST_BYTES if content else None
        try:
            response = await self._session.gateway.get(path, with_key=with_key, headers=headers, most=most)
        except VideoError as error:
            self._tell(f"{kind}: {error}")
            return
        self._note(exchange_of(kind, response, model=self._model, cut=content and response.ok))

    async def _buy(self, number: int, order: ContractOrder) -> None:
        name = self._folder / f"doctor-{int(time.time())}-{number}.mp4"
        job = await self._session.submit(order.request, to=name)
        self._tell(f"{self._model}: accepted")
        content = f"/v1/videos/{id_segment(job.id or '')}/content"
        await self._probe("early content", content, content=True)
        video = await job
        self._tell(f"{self._model}: saved to {video.path}")
        self._saved.append(_saved(order, video))
        await self._probe("content", content, content=True)
        await self._probe("content without key", content, with_key=False, content=True)
        try:
            await self._session.videos.delete(video.id)
        except RequestRefused:
            return  # as documented for Kling; the answer is recorded
        await self._probe("after delete", f"/v1/videos/{id_segment(video.id)}")


def _saved(order: ContractOrder, video: Video) -> SavedVideo:
    pixels = (video.width, video.height) if video.width is not None and video.height is not None else None
    saved = SavedVideo(
        model=order.request.model,
        verified=bool(video.verified),
        size=video.bytes_written or 0,
        asked_seconds=seconds_of(order.request),
        seconds=video.seconds,
        asked_pixels=pixels_of(order.request),
        price=order.price,
    )
    return saved if pixels is None else attrs.evolve(saved, pixels=pixels)
