"""The gateway's behaviour, without sockets, clock or chance: what it answers to which request at which moment.

Times are seconds on the sandbox's clock. ``speed`` shortens generation only: links, rate and error times are not scaled,
so that what the gateway says of itself agrees with the client's own clock.
"""

from __future__ import annotations

from collections import deque
from hmac import compare_digest
from json import loads
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.sandbox.error_bodies import RefusedRequest, gateway, openai
from aihubmix_video.sandbox.gateway_response import GatewayResponse, json_answer
from aihubmix_video.sandbox.ids import routing_token
from aihubmix_video.sandbox.jobs import SandboxJob
from aihubmix_video.sandbox.latency import generation_seconds, queued_share
from aihubmix_video.sandbox.profiles import PROFILES
from aihubmix_video.sandbox.vendors import BY_MODEL, seedance, sora

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aihubmix_video.sandbox.error_bodies import Envelope
    from aihubmix_video.sandbox.profiles import GatewayProfile
    from aihubmix_video.sandbox.vendors.seedance import SeedanceReads
    from aihubmix_video.sandbox.vendors.vendor import Order, Vendor

NEVER = float("inf")
MOST_LISTED = 100
REFUSE, FAIL, FAIL_TEXT, FAIL_NULL, STUCK = "[refuse]", "[fail]", "[fail text]", "[fail null]", "[stuck]"
"""Words in a prompt that ask for an outcome; see `Gateway`."""


@attrs.frozen(kw_only=True)
class Rules:
    """How one gateway is set up; the fields are the options of `Sandbox`, its models by vendor."""

    api_key: str = attrs.field(repr=False)
    speed: float = 1.0
    origin: str = "http://127.0.0.1"
    epoch: float = 0.0
    rate_limit: float | None = None
    link_lifetime: float | None = None
    balance: int | None = None
    generation: float | Callable[[Order], float] | None = None
    seedance_reads: SeedanceReads = "both"
    vendors: Mapping[str, Vendor] = attrs.field(factory=lambda: BY_MODEL)
    profile: GatewayProfile = PROFILES["page"]


@attrs.frozen(kw_only=True)
class Draws:
    """The random numbers one create needs.

    Attributes:
        normal: Standard normal, for the generation time.
        queue: Uniform in [0, 1), for the time spent waiting.
        url: Uniform in [0, 1); one finished job in ten has no url.
        length: Uniform in [0, 1), for a length left to the model.
        bits: 192 random bits, for the vendor's id.
        channel: 1000 to 9999, the upstream account.
    """

    normal: float = 0.0
    queue: float = 0.5
    url: float = 0.5
    length: float = 0.5
    bits: int = 0
    channel: int = 1000


@attrs.define
class Gateway:
    """All jobs of one gateway, and its four endpoints.

    A prompt that contains ``[refuse]`` is refused by moderation at create; ``[fail]``, ``[fail text]`` and ``[fail null]``
    make a job fail, with the vendor's error object, a bare string or null; ``[stuck]`` never ends.

    Attributes:
        rules: Its set-up.
        jobs: Every job accepted so far by id; those deleted stay, marked.
    """

    rules: Rules
    jobs: dict[str, SandboxJob] = attrs.field(factory=dict)
    _arrivals: deque[float] = attrs.field(factory=deque)

    def authorize(self, header: str | None, *, request_id: str) -> GatewayResponse | None:
        """Refuse a missing or wrong key; None when the key is right."""
        if not header:
            return _error(401, "no key provided", "", request_id)
        expected = f"Bearer {self.rules.api_key}"
        if compare_digest(header.encode("utf-8", "surrogateescape"), expected.encode()):
            return None
        return _error(401, "Invalid token", "", request_id)

    def admit(self, *, now: float, model: str | None, request_id: str) -> GatewayResponse | None:
        """Refuse what exceeds the rate limit; None when there is room in the last second."""
        limit = self.rules.rate_limit
        if limit is None:
            return None
        arrivals = self._arrivals
        window = max(1.0, 1.0 / limit)
        while arrivals and arrivals[0] <= now - window:
            arrivals.popleft()
        if len(arrivals) >= limit * window:
            named = f"The {model} model " if model else ""
            return _error(429, f"{named}Too many requests; please try again later.", "", request_id)
        arrivals.append(now)
        return None

    def create(
        self, body: Mapping[str, object] | None, *, now: float, draws: Draws, request_id: str
    ) -> GatewayResponse:
        """Answer ``POST /v1/videos``. *body* is the JSON object sent, None when it was none."""
        if body is None:
            return _refused(
                RefusedRequest("request body must be a valid json object", "invalid_request"), gateway, request_id
            )
        model = body.get("model")
        if not isinstance(model, str) or not model:
            return _refused(RefusedRequest("model is required", "model_missing", "model"), gateway, request_id)
        vendor = self.rules.vendors.get(model)
        if vendor is None:
            text = f"no_valid_channel_error: incorrect model ID or no permission for {model[:80]}"
            return _error(500, text, "no_valid_channel_error", request_id)
        return self._order(vendor, body, now=now, draws=draws, request_id=request_id)

    def retrieve(self, video_id: str, *, now: float, request_id: str) -> GatewayResponse:
        """Answer ``GET /v1/videos/{id}``."""
        job = self._find(video_id)
        return _unknown(request_id) if job is None else GatewayResponse(200, job.describe(now))

    def content(self, video_id: str, *, now: float, request_id: str) -> GatewayResponse:
        """Answer ``GET /v1/videos/{id}/content``; the film itself is the server's to send."""
        job = self._find(video_id)
        if job is None:
            return _unknown(request_id)
        is_openai = job.vendor.dialect == "openai"
        status = job.status(now)
        if status != "completed":
            words = (
                "Video is not ready yet; its status is" if is_openai else "Task is not completed yet, current status:"
            )
            refusal = RefusedRequest(f"{words} {status}", "", status=404 if is_openai else 400)
            return _refused(refusal, openai, request_id)
        if now >= job.expires and is_openai:
            return _refused(
                RefusedRequest("The video has expired and was removed.", "not_found", status=404), openai, request_id
            )
        if now >= job.expires:
            return _error(410, "the video has expired and was removed", "artifact_expired", request_id)
        return GatewayResponse(200, content_type=self._content_type(job), film=job)

    def delete(self, video_id: str, *, now: float, request_id: str) -> GatewayResponse:  # noqa: ARG002  # every endpoint takes now
        """Answer ``DELETE /v1/videos/{id}``."""
        job = self._find(video_id)
        if job is None:
            return _unknown(request_id)
        if not job.vendor.deletes:
            refusal = RefusedRequest(f"{job.order.model} tasks cannot be deleted", "not_supported", status=501)
            return _refused(refusal, gateway, request_id)
        job.deleted = True
        return json_answer(200, {"id": job.id, "object": "video.deleted", "deleted": True})

    def list_jobs(self, query: Mapping[str, str], *, now: float, request_id: str) -> GatewayResponse:
        """Answer ``GET /v1/videos``: a page of jobs, the newest first, in OpenAI's form."""
        jobs = [job for job in self.jobs.values() if not job.deleted]
        if query.get("order", "desc") == "desc":
            jobs.reverse()
        limit = query.get("limit", "20")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MOST_LISTED):
            refusal = RefusedRequest(f"limit must be between 1 and {MOST_LISTED}", "invalid_value", "limit")
            return _refused(refusal, openai, request_id)
        if (after := query.get("after")) is not None:
            place = next((number for number, job in enumerate(jobs) if job.id == after), len(jobs))
            jobs = jobs[place + 1 :]
        page = jobs[: int(limit)]
        ends = {"first_id": page[0].id if page else None, "last_id": page[-1].id if page else None}
        told = [loads(job.describe(now)) for job in page]
        return json_answer(200, {"object": "list", "data": told, **ends, "has_more": len(page) < len(jobs)})

    def _content_type(self, job: SandboxJob) -> str:
        return job.vendor.content_type if self.rules.profile.odd_content_types else "video/mp4"

    def _find(self, video_id: str) -> SandboxJob | None:
        job = self.jobs.get(video_id)
        return None if job is None or job.deleted else job

    def _order(
        self, vendor: Vendor, body: Mapping[str, object], *, now: float, draws: Draws, request_id: str
    ) -> GatewayResponse:
        try:
            order = vendor.read(self._readable(vendor, body))
        except RefusedRequest as refusal:
            return _refused(refusal, vendor.envelope, request_id)
        if REFUSE in order.prompt:
            return _refused(vendor.moderation, vendor.envelope, request_id)
        if self.rules.balance is not None and len(self.jobs) >= self.rules.balance:
            text = "Your account balance is insufficient. Please recharge and try again."
            return _error(403, text, "insufficient_user_quota", request_id)
        if order.seconds == -1:
            order = attrs.evolve(order, seconds=4 + int(12 * draws.length))
        job = self._accept(vendor, order, now, draws)
        self.jobs[job.id] = job
        return GatewayResponse(200, job.describe(now, just_created=True), job=job)

    def _readable(self, vendor: Vendor, body: Mapping[str, object]) -> Mapping[str, object]:
        """Return the fields that count, with Sora's reference as its vendor takes it, where the profile takes more forms."""
        merged = _merged(vendor, body, self.rules.seedance_reads)
        reference = merged.get("input_reference")
        if not self.rules.profile.sora_references or vendor.envelope is not openai or reference is None:
            return merged
        return {**merged, "input_reference": sora.reference_of(reference)}

    def _accept(self, vendor: Vendor, order: Order, now: float, draws: Draws) -> SandboxJob:
        rules = self.rules
        upstream = vendor.make_id(order.model, draws.bits, int(rules.epoch + now))
        token = routing_token(order.model, upstream, draws.channel)
        takes = self._generation(vendor, order, draws.normal) / rules.speed
        lifetime = vendor.lifetime if rules.link_lifetime is None else rules.link_lifetime
        failure = _failure(vendor, order.prompt)
        waits = vendor.queues or rules.profile.any_family_waits
        no_url = rules.profile.missing_urls and draws.url < 0.1
        return SandboxJob(
            id=token,
            number=len(self.jobs),
            order=order,
            vendor=vendor,
            created=now,
            starts=now if takes == NEVER or not waits else now + takes * queued_share(vendor.queues, draws.queue),
            ends=now + takes,
            expires=now + lifetime,
            epoch=rules.epoch,
            fails=failure is not None,
            error=None if failure is None else failure[0],
            waiting_word="queued" if vendor.queues or draws.queue < 0.1 else "processing",
            url=None if no_url else f"{rules.origin}/v1/videos/{token}/content",
        )

    def _generation(self, vendor: Vendor, order: Order, normal: float) -> float:
        fixed = self.rules.generation
        if STUCK in order.prompt:
            return NEVER
        if fixed is None:
            return generation_seconds(vendor.models[order.model], order.seconds, order.width, order.height, normal)
        return fixed(order) if callable(fixed) else fixed


def read_json(body: bytes) -> Mapping[str, object] | None:
    """Read a request's JSON object; None for anything else."""
    try:
        value = loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def unrouted(method: str, path: str, *, known_path: bool, request_id: str) -> GatewayResponse:
    """Answer a request to no endpoint."""
    if known_path:
        return _error(405, f"method {method} is not allowed", "method_not_allowed", request_id)
    refusal = RefusedRequest(f"Invalid URL ({method} {path[:200]})", "not_found", status=404)
    return _refused(refusal, openai, request_id)


def misdirected(host: str, *, request_id: str) -> GatewayResponse:
    """Refuse a request that was meant for another host, such as a web page's by DNS rebinding."""
    return _error(403, f"the sandbox serves loopback only, not {host[:80]!r}", "forbidden_host", request_id)


def _merged(vendor: Vendor, body: Mapping[str, object], reads: SeedanceReads) -> Mapping[str, object]:
    extra = body.get("extra_body")
    if vendor is seedance.VENDOR and (extra is None or isinstance(extra, dict)):
        return seedance.merged(body, extra or {}, reads)
    if extra is None:
        return {name: value for name, value in body.items() if name != "extra_body"}
    if not isinstance(extra, dict):
        raise RefusedRequest("extra_body must be an object", "invalid_parameter", "extra_body")
    if vendor.extra_body:
        return body
    return {**extra, **{name: value for name, value in body.items() if name != "extra_body"}}


def _failure(vendor: Vendor, prompt: str) -> tuple[Mapping[str, str] | str | None] | None:
    """Return the ``error`` a job is to fail with, in a tuple as it may be null; None for a job that succeeds."""
    if FAIL in prompt:
        return (vendor.failure,)
    if FAIL_TEXT in prompt:
        return (vendor.failure["message"],)
    return (None,) if FAIL_NULL in prompt else None


def _refused(
    refusal: RefusedRequest, envelope: Callable[[RefusedRequest, str], Envelope], request_id: str
) -> GatewayResponse:
    return json_answer(refusal.status, envelope(refusal, request_id))


def _error(status: int, message: str, code: str, request_id: str) -> GatewayResponse:
    return json_answer(status, gateway(RefusedRequest(message, code, status=status), request_id))


def _unknown(request_id: str) -> GatewayResponse:
    return _error(404, "Task not found", "", request_id)
