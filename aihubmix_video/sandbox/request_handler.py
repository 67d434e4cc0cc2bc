"""One request at the gateway, from its headers to the reply that is to be sent. No sockets, clock or chance.

The server asks in this order: `arrive` when headers are there, `struck` once before and once after the body is read,
`answer`, and, once a film is at hand, `reply`, which also writes the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import attrs

from aihubmix_video.sandbox.account_endpoints import balance_answer, catalog_answer, models_answer
from aihubmix_video.sandbox.canned_responses import NOTHING
from aihubmix_video.sandbox.fault_script import Seen
from aihubmix_video.sandbox.gateway import Draws, Gateway, misdirected, read_json, unrouted
from aihubmix_video.sandbox.gateway_response import GatewayResponse
from aihubmix_video.sandbox.http_format import RenderedResponse, Validators, serve
from aihubmix_video.sandbox.multipart_form import boundary_of, read_form
from aihubmix_video.sandbox.request_log import LoggedRequest
from aihubmix_video.sandbox.routing import PUBLIC, RouteMatch, is_known, locate, serves_host
from aihubmix_video.sandbox.video.films import film
from aihubmix_video.sandbox.video.media import Media

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Mapping

    from aihubmix_video.sandbox.fault_script import FaultScript, Strike
    from aihubmix_video.sandbox.jobs import SandboxJob
    from aihubmix_video.sandbox.video.films import Clip

CACHED_PATHS = 100_000


@attrs.define(eq=False)
class Visit:
    """One request under way.

    Attributes:
        at: When its headers arrived, in seconds on the event loop's clock.
        now: The same on the sandbox's clock.
        request_id: The 31 digits that mark it.
        target: Its endpoint; None when there is none.
        reused: Whether its connection carried a request before.
    """

    at: float
    now: float
    request_id: str
    method: str
    path: str
    headers: Mapping[str, str]
    target: RouteMatch | None
    reused: bool
    model: str | None = None
    json: Mapping[str, object] | None = None
    authorized: bool = True
    strike: Strike | None = None


@attrs.define(eq=False)
class RequestHandler:
    """Takes requests one at a time and decides what each is answered.

    Attributes:
        gateway: The gateway behind it.
        faults: What is to go wrong.
        log: What arrived, in order of decision.
        size: Bytes of every film, or None for films as rendered.
        resumable: Whether films come with validators and in ranges.
        keep_headers: Whether the log keeps headers.
    """

    gateway: Gateway
    faults: FaultScript
    log: deque[LoggedRequest]
    size: int | None = None
    resumable: bool = True
    keep_headers: bool = False
    billed: int = 0
    _targets: dict[tuple[str, str], RouteMatch] = attrs.field(factory=dict)

    def arrive(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        at: float,
        now: float,
        request_id: str,
        reused: bool,
    ) -> Visit:
        """Begin a visit."""
        target = self._targets.get((method, path))
        if target is None:
            target = locate(method, path)
            if target is not None and len(self._targets) < CACHED_PATHS:
                self._targets[method, path] = target
        return Visit(at, now, request_id, method, path, headers, target, reused)

    def struck(self, visit: Visit, *, unread: bool, draw: float) -> Strike | None:
        """Return the fault that strikes here, if any."""
        target = visit.target
        route, video_id = (None, None) if target is None else (target.route, target.video_id)
        seen = Seen(route, video_id, visit.model, visit.reused, unread)
        visit.strike = self.faults.find(seen, now=visit.now, draw=draw)
        return visit.strike

    def read(self, visit: Visit, body: bytes) -> None:
        """Take in the request's body, and find out which model it is about."""
        target = visit.target
        if target is None:
            return
        if target.route == "create":
            boundary = boundary_of(visit.headers.get("Content-Type")) if self.gateway.rules.profile.multipart else None
            visit.json = read_json(body) if boundary is None else read_form(body, boundary)
            model = (visit.json or {}).get("model")
            visit.model = model if isinstance(model, str) else None
        elif target.video_id is not None:
            job = self.gateway.jobs.get(target.video_id)
            visit.model = None if job is None else job.order.model

    def answer(self, visit: Visit, draws: Draws | None) -> GatewayResponse:
        """Let the gateway do its work, unless a fault forestalls it. Only creates need *draws*."""
        if visit.strike is not None and visit.strike.fault.forestalls:
            return GatewayResponse(200)
        host = visit.headers.get("Host")
        if not serves_host(host):
            return misdirected(host or "", request_id=visit.request_id)
        target = visit.target
        if target is None:
            return unrouted(visit.method, visit.path, known_path=is_known(visit.path), request_id=visit.request_id)
        gateway = self.gateway
        key = visit.headers.get("Authorization")
        public = target.route in PUBLIC
        refused = None if public else gateway.authorize(key, request_id=visit.request_id)
        visit.authorized = refused is None
        refused = refused or gateway.admit(now=visit.now, model=visit.model, request_id=visit.request_id)
        return refused or self._endpoint(visit, target, draws or Draws())

    def _endpoint(self, visit: Visit, target: RouteMatch, draws: Draws) -> GatewayResponse:
        gateway, video_id = self.gateway, target.video_id
        if target.route == "create":
            return gateway.create(visit.json, now=visit.now, draws=draws, request_id=visit.request_id)
        if video_id is None:
            return self._listing(visit, target)
        if target.route == "retrieve":
            return gateway.retrieve(video_id, now=visit.now, request_id=visit.request_id)
        if target.route == "content":
            return gateway.content(video_id, now=visit.now, request_id=visit.request_id)
        return gateway.delete(video_id, now=visit.now, request_id=visit.request_id)

    def _listing(self, visit: Visit, target: RouteMatch) -> GatewayResponse:
        gateway, path = self.gateway, urlsplit(visit.path)
        query = dict(parse_qsl(path.query))
        if target.route == "list":
            return gateway.list_jobs(query, now=visit.now, request_id=visit.request_id)
        if target.route == "models":
            return models_answer(gateway.rules.vendors)
        if target.route == "catalog":
            return catalog_answer(gateway.rules.vendors, filter(None, query.get("type", "").split(",")))
        return balance_answer(path.path.rpartition("/")[2], len(gateway.jobs), gateway.rules.balance)

    def reply(
        self, visit: Visit, answer: GatewayResponse, source: Clip | bytes | None = None
    ) -> RenderedResponse | None:
        """Return the reply to send and log it; None where a fault leaves nothing to say. *source* is the film's."""
        reply = self._unlogged(visit, answer, source)
        self.note(visit, answer, None if reply is None else reply.status)
        return reply

    def note(self, visit: Visit, answer: GatewayResponse | None, status: int | None) -> None:
        """Log a visit."""
        job = None if answer is None else answer.job
        route, video_id = (None, None) if visit.target is None else (visit.target.route, visit.target.video_id)
        if job is not None:
            self.billed += 1
        self.log.append(
            LoggedRequest(
                visit.at,
                visit.method,
                visit.path,
                route,
                video_id if job is None else job.id,
                visit.model,
                status,
                visit.json,
                job is not None,
                visit.authorized,
                None if visit.strike is None else visit.strike.fault.name,
                self._kept(visit.headers),
            )
        )

    def film(self, job: SandboxJob, source: Clip | bytes, version: str = "") -> Media:
        """Return the bytes of a job's film."""
        return Media((source,)) if isinstance(source, bytes) else film(source, job.id + version, size=self.size)

    def _unlogged(self, visit: Visit, answer: GatewayResponse, source: Clip | bytes | None) -> RenderedResponse | None:
        strike = visit.strike
        canned = None if strike is None else strike.fault.answer
        if canned is NOTHING:
            return None
        if canned is not None:
            reply = RenderedResponse(canned.status, canned.headers, Media((canned.body,)))
        elif answer.film is not None and source is not None:
            reply = self._film_reply(visit, answer.film, answer.content_type, source)
        else:
            reply = RenderedResponse(
                answer.status, (("Content-Type", answer.content_type), *answer.headers), Media((answer.body,))
            )
        return reply if strike is None else strike.edit(reply)

    def _film_reply(self, visit: Visit, job: SandboxJob, content_type: str, source: Clip | bytes) -> RenderedResponse:
        version, tag = _version(visit.strike)
        media = self.film(job, source, version)
        etag = f'"{job.number:x}-{media.length:x}{tag}"'
        validators = Validators(etag=etag, modified=job.epoch + job.ends)
        quirk = None if visit.strike is None else visit.strike.fault.quirk
        return serve(media, content_type, visit.headers, validators if self.resumable else None, quirk)

    def _kept(self, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        if not self.keep_headers:
            return ()
        return tuple((name, value) for name, value in headers.items() if name.lower() != "authorization")


def _version(strike: Strike | None) -> tuple[str, str]:
    """Return which version of a film a fault serves, and what its ETag ends in."""
    if strike is None:
        return "", ""
    second = bool(strike.number % 2)
    if strike.fault.flip_etag:
        return "", "-b" if second else ""
    how = strike.fault.other_film
    if how is None or (how == "flip" and not second):
        return "", ""
    return "other", "" if how == "same_etag" else "-other"
