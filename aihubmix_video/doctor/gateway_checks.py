"""Verdicts on the gateway, from its answers to requests that buy nothing.

    GET /api/v1/models?type=video       public: tells of reachability, the clock, and drift; cannot tell whether a key is valid
    GET /dashboard/billing/remain       with the key: {"object": "list", "total_usage": USD}, below zero for a key without limit
    GET /v1/videos/…                    of an id that no job has; where there is no balance to ask for, it tells whether the key counts

Source: AIHubMix field observations, 2026; `remain` by several public clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.doctor.finding import Finding, Level
from aihubmix_video.errors import AuthenticationError, MalformedReply, PermissionDenied, VideoError
from aihubmix_video.protocol.error_mapping import refusal
from aihubmix_video.protocol.headers import clock_skew
from aihubmix_video.protocol.json_reader import read_object

if TYPE_CHECKING:
    from aihubmix_video.catalog import Catalog
    from aihubmix_video.protocol.response import Response

__all__ = [
    "BALANCE_PATH",
    "PROBE_ID",
    "balance_of",
    "judge_balance",
    "judge_clock",
    "judge_key",
    "judge_list",
    "judge_reach",
]

BALANCE_PATH = "/dashboard/billing/remain"
PROBE_ID = "aihubmixvideodoctornosuchjob"
SKEW_WARNING, SKEW_PROBLEM = 30.0, 600.0  # seconds; links live for a day, and a skew is allowed for
SLOW_SECONDS = 3.0
LOW_USD = 1.0


def judge_reach(outcome: Response | VideoError, seconds: float) -> Finding:
    """Judge whether the gateway answers at all, and how soon."""
    if isinstance(outcome, VideoError):
        advice = "check the network, the proxy variables, the certificates and the base URL"
        return Finding(check="gateway", level=Level.PROBLEM, text=outcome.message, advice=advice)
    if 300 <= outcome.status < 400:
        return Finding(
            check="gateway", level=Level.PROBLEM, text=refusal(outcome).message, advice="correct the base URL"
        )
    text = f"answered {outcome.status} in {seconds:.1f} s"
    if outcome.status >= 500:
        return Finding(check="gateway", level=Level.PROBLEM, text=text, advice="wait until it has recovered")
    if seconds > SLOW_SECONDS:
        return Finding(check="gateway", level=Level.WARNING, text=text, advice="it is slow; nothing is lost by that")
    return Finding(check="gateway", level=Level.OK, text=text)


def judge_clock(outcome: Response | VideoError, now: float) -> Finding:
    """Judge how far the two clocks are apart; *now* is in Unix seconds."""
    skew = None if isinstance(outcome, VideoError) else clock_skew(outcome.headers, now)
    if skew is None:
        return Finding(check="clock", level=Level.SKIPPED, text="the gateway did not tell the time")
    text = f"the gateway's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    if abs(skew) < SKEW_WARNING:
        return Finding(check="clock", level=Level.OK, text=text)
    level = Level.PROBLEM if abs(skew) >= SKEW_PROBLEM else Level.WARNING
    return Finding(
        check="clock", level=level, text=text, advice="set this machine's clock; certificates depend on it, too"
    )


def judge_key(balance: Response | VideoError, probe: Response | VideoError | None) -> Finding:
    """Judge whether the gateway accepts the key.

    Args:
        balance: The answer about the balance.
        probe: The answer about a job that does not exist; None where it was not asked.
    """
    answers = [each for each in (balance, probe) if each is not None and not isinstance(each, VideoError)]
    refused = next((each for each in map(_refusal_of_key, answers) if each is not None), None)
    if refused is not None:
        advice = "take a valid key from the console; it must be one for this base URL"
        return Finding(check="key", level=Level.PROBLEM, text=refused.message, advice=advice)
    if any(each.ok or each.status in {400, 404} for each in answers):
        return Finding(check="key", level=Level.OK, text="the gateway accepts it")
    return Finding(check="key", level=Level.SKIPPED, text="the gateway did not say whether it accepts the key")


def _refusal_of_key(response: Response) -> VideoError | None:
    if response.ok and _balance_in(response) is not None:
        return None
    error = refusal(response)
    return error if isinstance(error, (AuthenticationError, PermissionDenied)) else None


def balance_of(outcome: Response | VideoError) -> float | None:
    """Return the balance in USD; infinite for a key without limit, None where it was not told."""
    return None if isinstance(outcome, VideoError) or not outcome.ok else _balance_in(outcome)


def _balance_in(response: Response) -> float | None:
    try:
        value = read_object(response.body).get("total_usage")
    except MalformedReply:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float("inf") if value < 0 else float(value)


def judge_balance(outcome: Response | VideoError) -> Finding:
    """Judge what is left to spend."""
    usd = balance_of(outcome)
    if usd is None:
        return Finding(check="balance", level=Level.SKIPPED, text="the gateway did not tell it")
    if usd == float("inf"):
        return Finding(
            check="balance", level=Level.OK, text="the key has no limit of its own; the account's is in the console"
        )
    text = f"${usd:,.2f} left"
    if usd >= LOW_USD:
        return Finding(check="balance", level=Level.OK, text=text)
    level = Level.WARNING if usd > 0 else Level.PROBLEM
    return Finding(check="balance", level=level, text=text, advice="recharge in the console before a batch")


def judge_list(catalog: Catalog | VideoError) -> Finding:
    """Judge the model list against the tables."""
    if isinstance(catalog, VideoError):
        text = f"it cannot be read: {catalog.message}"
        return Finding(check="models", level=Level.WARNING, text=text, advice="the tables here are used as they are")
    drift = catalog.drift()
    if not drift:
        return Finding(check="models", level=Level.OK, text=f"{len(catalog.models)} listed, as in the tables")
    counts = {kind: sum(each.kind is kind for each in drift) for kind in dict.fromkeys(each.kind for each in drift)}
    listed = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    text = f"{len(catalog.models)} listed; differences from the tables: {listed}"
    return Finding(check="models", level=Level.WARNING, text=text, advice="`aihubmix-video models --live` names them")
