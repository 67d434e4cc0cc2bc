"""What gateways and vendors say, as patterns: the only place where meaning is read out of their prose.

A status alone does not tell a used-up balance from a short-lived limit, or a refused prompt from a wrong parameter.
Each pattern lists wordings that were documented or observed (AIHubMix's HTTP status page and video guide; field
observations, 2026; OpenAI, Google, DashScope, Ark, MiniMax and Kling error references; the gateway's code base and its kin).
All patterns ignore case. A pattern errs to the side of silence, so that the status decides.

Two strengths are told apart. A *strict* pattern is believed whatever the status is. A *loose* one holds words that mean something
only behind a status that already points there, as "quota" behind a 429 does.
"""

from __future__ import annotations

import re

__all__ = [
    "says_auth",
    "says_balance",
    "says_concurrency",
    "says_moderation",
    "says_no_job",
    "says_no_model",
    "says_not_ready",
    "says_rate_limit",
]

LONGEST_PACE_SECONDS = 3600.0
"""A wait of more than this is not a matter of pace; a limit that passes is stated in seconds or minutes."""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_MONEY = r"(?:quota|balance|funds?|credits?|tokens? quota)"
_BALANCE = _any(
    rf"insufficient[ _-](?:\w+[ _-]){{0,3}}{_MONEY}",
    r"insufficient(?:balance|quota|credits?|funds)",
    r"\bbalance\b.{0,40}(?:insufficient|not enough|too low|exhausted|negative|used up|overdue)",
    r"(?:not|n't have) enough (?:\w+ )?(?:balance|quota|credits?|funds)\b",
    r"\b(?:credits?|funds)\b.{0,20}\b(?:not enough|insufficient|exhausted|depleted|used up|run out|ran out|too low)",
    r"(?:quota|balance|credits?|funds)_not_enough",
    r"\b(?:out of|no(?: more| remaining)?|ran out of|run out of) (?:credits?|funds)\b",
    r"token_quota_failed",  # the gateway's code base: pre_consume_token_quota_failed
    r"\bpayment[ _]required\b",
    r"billing[ _](?:hard|soft)[ _]limit",  # OpenAI
    r"\boverdue\b",  # Ark: AccountOverdueError
    r"AccountOverdue",
    r"\barrear",  # DashScope: Arrearage; Kling 1101: account in arrears
    r"account (?:is )?in good standing",  # DashScope's words for it
    r"SetLimitExceeded",  # Ark: a limit the user has set, and the service is paused
    r"(?:service|account)\b.{0,40}\b(?:has been |is |was )(?:paused|suspended)",
    r"\bresource pack\b.{0,20}\b(?:depleted|expired|used up|exhausted|run out)",  # Kling 1102
    r"free (?:tier|allocated quota)\b.{0,40}\b(?:exhausted|exceeded|used up)",  # DashScope
    r"(?:余额|额度|配额|点数|积分|余量|点券|金币|资源包|套餐)\S{0,6}(?:不足|不够|用尽|用完|耗尽|用光|为零|为负|已无)",
    r"(?:余额|额度|积分|点数)\S{0,4}(?:已?欠|已经没有)",
    r"预扣费.{0,4}失败",  # the gateway's code base
    r"欠费",
    r"(?:账户|账号|帐户|帐号|服务)\S{0,6}(?:已暂停|被暂停|已停用|已停服|停机)",
)
# They speak of money, unless a rate is meant: see `_is_pace`.
_SPENT = _any(
    r"\brecharge\b",
    r"\btop[ -]?up\b",
    r"充值",
    r"exceeded (?:your|the) (?:current )?quota",
    r"\bquota\b.{0,20}\b(?:exhausted|depleted|used up|run out)",
    r"\b(?:spend(?:ing)?|billing|usage|budget) limit\b.{0,20}\b(?:reached|exceeded)",
    r"(?:reached|exceeded|hit) (?:your|the|its) (?:\w+ )?(?:spend(?:ing)?|billing|budget) limit",
)
_QUOTA = _any(r"quota", r"balance", r"\bbilling\b", r"余额", r"额度")
_RATE_LIMIT_STRICT = _any(
    r"(?<!frame )(?<!frame-)(?<!frame_)(?<!bit )(?<!sample )\brate[ _-]?limit(?:s|ed|ing|er)?(?![a-z])",
    r"RateLimit(?:Exceeded|Error|Reached)",
    r"too[ _-]?many[ _-]?requests",
    r"requests? (?:are |is )?(?:too (?:fast|frequent)|over[ -]?limit)",
    r"resource[ _](?:has been )?exhausted",  # Google
    r"throttl",  # DashScope, Throttling.RateQuota
    r"请求(?:过于|过|太|太过)(?:频繁|快|多)",
    r"请求(?:频率|速率|次数|数)\S{0,6}(?:过高|超|限制|上限)",
    r"(?:访问|调用|操作|提交)\S{0,4}(?:过于|过|太)(?:频繁|快)",
    r"限流",
    r"速率限制",
)
_RATE_LIMIT = _any(_RATE_LIMIT_STRICT.pattern, r"rate[ _-]?limit")
# Google calls its limits per minute a quota, and says "check quota" and "billing" where it only means "slower".
_QUOTA_PER_TIME = _any(
    r"per[ _-]?(?:second|minute|hour|day)",
    r"(?:Requests|Tokens)Per(?:Second|Minute|Hour|Day)",
    r"\b(?:rpm|qps|tpm|rps|rpd)\b",
    r"每(?:秒|分钟?|小时|天|日)",
)
_CONCURRENCY_STRICT = _any(
    r"concurren\w* (?:\w+ ){0,2}(?:limit|quota|exceed|reach|maximum)",
    r"(?:too many|maximum(?: number of)?|max|limit of|exceed\w*)(?: \w+){0,2} concurren\w*",
    r"\bconcurrency\b.{0,20}(?:exceed|limit|reach|quota|full)(?!.{0,10}support)",
    r"parallel (?:task|job|request|generation|video)s?\b.{0,30}(?:over|limit|exceed|reach|maximum|max)",
    r"too many (?:\w+ )?(?:tasks|jobs|generations)\b",
    r"too many (?:running|active|pending|unfinished|ongoing|queued|in[- ]progress) videos",
    r"(?:maximum|max)(?: allowed)?(?: number of)? (?:running|active|pending|unfinished|ongoing|simultaneous) (?:\w+ )?(?:tasks|jobs|videos|generations)",
    r"(?:tasks|jobs|videos|generations) (?:running |in progress |being processed )?at the same time",
    r"over resource pack limit",  # Kling 1303: more tasks at once than the pack allows
    r"resource pack limit",
    r"^1303\b",
    r"并发\S{0,8}(?:超|上限|限制|过高|过多|已满|不足)",
    r"(?:超|达到|超过|超出)\S{0,6}并发",
    r"并行\S{0,8}(?:超|上限|限制|过多|已满)",
    r"(?:任务|作业)(?:数量?|数目)?\S{0,4}(?:过多|太多|已满|超限)",
    r"(?:任务|作业)(?:数量?|数目)\S{0,6}(?:上限|限制|超)",
    r"(?:任务|作业)\S{0,6}(?:已达|达到|已到)\S{0,4}(?:上限|限制)",
    r"同时(?:进行|运行|生成|处理|提交)\S{0,10}(?:上限|超|过多|最多|限制)",
    r"队列已?满",
    r"queue is (?:currently )?full",
    r"饱和",  # the gateway's code base, of the channels behind it
    r"\bsaturated\b",
    r"负载\S{0,4}(?:过高|已满|超限|过载|较高|过大)",
    r"过载",
)
_CONCURRENCY = _any(
    _CONCURRENCY_STRICT.pattern,
    r"concurren\w* (?:\w+ )?(?:limit|quota|exceed|request|task|job)",
    r"(?<!higher )concurrency",  # "contact support for higher concurrency" comes with every limit
    r"\bparallel\b",
    r"at the same time",
    r"too many (?:running |active |pending |unfinished )?(?:tasks|jobs|videos|generations)",
    r"\boverloaded\b",
    r"\b(?:at|over|exceed\w*) (?:\w+ )?capacity\b",
    r"\b(?:server|service|system|model|channel|upstream)s? (?:is|are) (?:\w+ )?(?:too )?busy\b",
    r"繁忙",
    r"并发",
)
_NO_MODEL = _any(
    r"no[ _](?:valid|available)[ _]channel",
    r"model[ _]not[ _]found",
    r"incorrect model",  # AIHubMix's HTTP status page: "incorrect model ID or no permission"
    r"(?:unknown|invalid|no such|unsupported) model\b(?!['\"`]? (?:param|field|option|version))",
    r"\bmodel\b.{0,80}\bdoes not exist",
    r"无可用渠道",
    r"模型\S{0,20}(?:不存在|未找到)",
)
_AUTH_STRICT = _any(
    r"(?:invalid|incorrect|wrong|expired|missing|disabled|revoked)[ _](?:api|access|auth\w*)[ _-]?(?:key|token)\b",
    r"\b(?:api[ _-]?key|access[ _-]?token)\b.{0,30}(?:invalid|incorrect|not valid|expired|disabled|revoked|missing|required|not (?:been )?provided)",
    r"authentication (?:failed|error|required)|authenticationerror|invalid_api_key|invalid_authentication",
    r"invalid credentials?\b",
    r"retrieve_token_failed",  # the gateway's code base
    r"无效的?(?:令牌|密钥|api ?key|apikey|token)",
    r"(?:令牌|密钥|api ?key|apikey)\S{0,8}(?:无效|已过期|不可用|错误|不存在|已禁用|被禁用)",
    r"未提供(?:令牌|密钥)",
    r"(?:鉴权|认证|身份验证)失败",
)
_AUTH = _any(_AUTH_STRICT.pattern, r"\binvalid token\b", r"\bunauthori[sz]ed\b", r"\b(?:not |un)authenticated\b")
_JOB_NAME = r"(?:task|job|video|generation|operation)(?:[ _-]?ids?)?"
_GAP = r"(?:(?!model|image|file|url|channel|token|key|user|template)[^.;]){0,100}?"
_GONE = r"(?:not[ _-]?(?:be[ _])?found|(?:not|n't|n’t)[ _-]?exists?)"
_NO_JOB = _any(
    rf"\b{_JOB_NAME}(?![ _-]?(?:model|type|url|file))\b{_GAP}(?:\b|_){_GONE}",
    rf"(?:no[ _-]such|unknown|not find|can't find|couldn't find)[ _-](?:the |this |a |any )?{_JOB_NAME}\b(?![ _-]?(?:model|type|url|file))",
    r"invalid[ _-](?:task|job|video|generation|operation)[ _-]ids?\b",
    r"(?:task|job|video|generation|operation)_?not_?(?:exists?|found)",
    r"(?:任务|作业|视频)(?:id|编号)?\S{0,4}(?:不存在|未找到|找不到|没有找到)",
    r"(?:找不到|未找到|没有找到|不存在)(?:该|此|这个|指定的?|对应的?)?(?:任务|作业|视频)",
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
    r"(?:尚未|还未|还没有?|未)(?:生成)?(?:完成|就绪|准备好|结束)",
    r"(?:正在)?(?:生成|处理|排队)中",
)


def says_balance(words: str, *, loosely: bool = False, wait: float | None = None) -> bool:
    """Whether the account has run out of money.

    Args:
        words: What was said.
        loosely: Take the bare word "quota" or "balance" for it too, unless it is a quota per time or of jobs at once.
        wait: Seconds that the answer asks to wait. A limit that passes within the hour is a pace, unless the words are
            plainly about money.
    """
    if _BALANCE.search(words):
        return True
    pattern = _QUOTA if loosely else _SPENT
    return bool(pattern.search(words)) and not _is_pace(words, wait, loosely=loosely)


def _is_pace(words: str, wait: float | None, *, loosely: bool) -> bool:
    passes = wait is not None and wait <= LONGEST_PACE_SECONDS
    return passes or says_rate_limit(words, loosely=loosely) or bool(_QUOTA_PER_TIME.search(words))


def says_rate_limit(words: str, *, loosely: bool = False) -> bool:
    """Whether requests came too fast, or too many jobs were running."""
    pattern = _RATE_LIMIT if loosely else _RATE_LIMIT_STRICT
    return bool(pattern.search(words)) or says_concurrency(words, loosely=loosely)


def says_concurrency(words: str, *, loosely: bool = False) -> bool:
    """Whether too many jobs were running at once, rather than requests coming too fast."""
    return bool((_CONCURRENCY if loosely else _CONCURRENCY_STRICT).search(words))


def says_auth(words: str, *, loosely: bool = False) -> bool:
    """Whether the key is missing, wrong or expired."""
    return bool((_AUTH if loosely else _AUTH_STRICT).search(words))


def says_no_model(words: str) -> bool:
    """Whether nothing behind the gateway serves the model, or not for this key."""
    return bool(_NO_MODEL.search(words))


def says_no_job(words: str) -> bool:
    """Whether the gateway does not know the job."""
    return bool(_NO_JOB.search(words)) and not _NO_MODEL.search(words)


def says_moderation(words: str) -> bool:
    """Whether moderation refused the prompt, a reference or the finished video."""
    return bool(_MODERATION.search(words))


def says_not_ready(words: str) -> bool:
    """Whether the content is only not there yet."""
    return bool(_NOT_READY.search(words))
