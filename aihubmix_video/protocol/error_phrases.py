"""What gateways and vendors say, as patterns: the only place where meaning is read out of their prose.

A status alone does not tell a used-up balance from a short-lived limit, or a refused prompt from a wrong parameter.
Each pattern lists wordings that were documented or observed (AIHubMix's HTTP status page and video guide; field
observations, 2026; OpenAI, Google, DashScope, Ark and Kling error references). Words of one letter case only: all
patterns ignore it. A pattern errs to the side of silence, so that the status decides.
"""

from __future__ import annotations

import re

__all__ = [
    "says_balance",
    "says_concurrency",
    "says_moderation",
    "says_no_model",
    "says_not_ready",
    "says_rate_limit",
]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_BALANCE = _any(
    r"insufficient[ _](?:user[ _]|token[ _]|account[ _])?(?:quota|balance|funds?|credits?)",
    r"\bbalance\b.{0,40}(?:insufficient|not enough|too low|exhausted|negative|used up)",
    r"not enough (?:balance|quota|credits?|funds)",
    r"token_quota_failed",  # the gateway's code base: pre_consume_token_quota_failed
    r"\brecharge\b",
    r"余额不足",
    r"额度不足",
)
_QUOTA = _any(r"quota", r"balance", r"\bbilling\b", r"余额", r"额度")
_RATE_LIMIT = _any(
    r"rate[ _-]?limit",
    r"too[ _]many[ _]requests",
    r"throttl",  # DashScope, Throttling.RateQuota
)
# Google calls its limits per minute a quota, and says "check quota" and "billing" where it only means "slower".
_QUOTA_PER_TIME = _any(
    r"per[ _-]?(?:second|minute|hour|day)", r"\b(?:rpm|qps|tpm|rps)\b", r"resource[ _](?:has been )?exhausted"
)
_CONCURRENCY = _any(
    r"concurren\w* (?:\w+ )?(?:limit|quota|exceed|request|task|job)",
    r"(?<!higher )concurrency",  # "contact support for higher concurrency" comes with every limit
    r"\bparallel\b",
    r"at the same time",
    r"too many (?:running |active |pending |unfinished )?(?:tasks|jobs|videos|generations)",
    r"resource pack limit",  # Kling 1303: more tasks at once than the pack allows
    r"^1303\b",
)
_NO_MODEL = _any(
    r"no[ _](?:valid|available)[ _]channel",
    r"model[ _]not[ _]found",
    r"incorrect model",  # AIHubMix's HTTP status page: "incorrect model ID or no permission"
    r"(?:unknown|invalid|no such|unsupported) model\b(?!['\"`]? (?:param|field|option|version))",
    r"\bmodel\b.{0,80}\bdoes not exist",
    r"无可用渠道",
)
_MODERATION = _any(
    r"moderation",
    r"(?:content|usage|safety|community)[ _-](?:polic|guideline|filter|violat|security|audit)",
    r"safety[ _](?:system|check|setting|reason)",
    r"(?<!case )(?<!case-)(?<!time-)\bsensitive\b(?! to\b)",  # Ark: "may contain sensitive information"
    r"SensitiveContent",
    r"data[ _]?inspection[ _]?failed",  # DashScope
    r"IPInfringement",  # DashScope
    r"copyright",
    r"(?:inappropriate|prohibited|harmful|unsafe|explicit|violent|nsfw) content",
    r"real[ _-]person",  # Ark refuses pictures of real people
    r"responsible ai",  # Google
    r"risk[ _-]control",  # Kling
    r"敏感",
    r"违规",
    r"审核",
)
_NOT_READY = _any(
    r"not[ _](?:yet[ _])?(?:ready|completed?|finished|available yet)",  # OpenAI 404, the task form's 400, /ai/v1's 409
    r"still (?:being )?(?:process|generat|running|in progress)",
    r"current status: ?(?:queued|pending|submitted|in_progress|processing|running)",
)


def says_balance(words: str, *, loosely: bool = False) -> bool:
    """Whether the account has run out of money.

    Args:
        words: What was said.
        loosely: Take the bare word "quota" or "balance" for it too, unless it is a quota per time or of jobs at once.
    """
    if _BALANCE.search(words):
        return True
    passing = says_rate_limit(words) or _QUOTA_PER_TIME.search(words)
    return loosely and bool(_QUOTA.search(words)) and not passing


def says_rate_limit(words: str) -> bool:
    """Whether requests came too fast, or too many jobs were running."""
    return bool(_RATE_LIMIT.search(words) or _CONCURRENCY.search(words))


def says_concurrency(words: str) -> bool:
    """Whether too many jobs were running at once, rather than requests coming too fast."""
    return bool(_CONCURRENCY.search(words))


def says_no_model(words: str) -> bool:
    """Whether nothing behind the gateway serves the model, or not for this key."""
    return bool(_NO_MODEL.search(words))


def says_moderation(words: str) -> bool:
    """Whether moderation refused the prompt, a reference or the finished video."""
    return bool(_MODERATION.search(words))


def says_not_ready(words: str) -> bool:
    """Whether the content is only not there yet."""
    return bool(_NOT_READY.search(words))
