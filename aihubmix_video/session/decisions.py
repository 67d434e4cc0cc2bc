"""What the user decides about jobs that may have been bought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import ConfigurationError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aihubmix_video.ledger.entry import LedgerEntry

__all__ = ["Decision", "decisions_of", "row_key_of"]


@attrs.frozen(kw_only=True)
class Decision:
    """The user's decision about one uncertain job; one of the three is set."""

    key: str
    attach: str | None = None
    resubmit: bool = False
    drop: bool = False


def decisions_of(
    uncertain: Sequence[LedgerEntry],
    attach: Sequence[str] = (),
    resubmit: Sequence[str] = (),
    drop: Sequence[str] = (),
    failed: Sequence[LedgerEntry] = (),
) -> tuple[Decision, ...]:
    """Return the decisions that a user's texts stand for.

    Args:
        uncertain: The jobs that may be decided about.
        attach: Each ``KEY=ID``; or ``ID`` alone where there is one job.
        resubmit: Each a key, or ``all``.
        drop: Each a key, or ``all``.
        failed: The jobs that failed; each may be bought again by its key, and ``all`` does not mean them.

    Raises:
        ConfigurationError: A text does not say which job it is about, or two are about the same job.
    """
    decided = [_attached(text, uncertain) for text in attach]
    decided += (Decision(key=key, resubmit=True) for text in resubmit for key in _keys(text, uncertain, failed))
    decided += (Decision(key=key, drop=True) for text in drop for key in _keys(text, uncertain))
    keys = [each.key for each in decided]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise ConfigurationError(f"job {twice} is decided about twice.")
    return tuple(decided)


def _attached(text: str, uncertain: Sequence[LedgerEntry]) -> Decision:
    head, _, rest = text.partition("=")
    if not rest.strip("="):  # no key, though perhaps an id in base64, which ends with =
        if len(uncertain) != 1:
            raise ConfigurationError(f"--attach {shown(text)}: {len(uncertain)} jobs uncertain; give KEY=ID.")
        return Decision(key=uncertain[0].key, attach=text)
    return Decision(key=_key(head, uncertain), attach=rest)


def _keys(text: str, uncertain: Sequence[LedgerEntry], failed: Sequence[LedgerEntry] = ()) -> list[str]:
    return [entry.key for entry in uncertain] if text == "all" else [_key(text, [*uncertain, *failed])]


def _key(text: str, uncertain: Sequence[LedgerEntry]) -> str:
    """Return the key of the job that *text* names: by its key, or by its row's own key."""
    found = [each.key for each in uncertain if text == each.key] or [
        each.key for each in uncertain if text == row_key_of(each)
    ]
    if len(found) != 1:
        known = ", ".join(each.key for each in uncertain) or "none"
        raise ConfigurationError(f"{shown(text)} is not the key of one uncertain job; uncertain: {known}.")
    return found[0]


def row_key_of(entry: LedgerEntry) -> str | None:
    """Return the key of its own that a job's row has."""
    return entry.target.row_key if entry.target is not None else None
