"""What the user decides about jobs that may have been bought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.cli.ledger_location import jobs_text
from aihubmix_video.errors import ConfigurationError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aihubmix_video.ledger.entry import LedgerEntry

__all__ = ["Decision", "decisions_of", "own"]


@attrs.frozen(kw_only=True)
class Decision:
    """What the user says of one uncertain job; one of the three is set."""

    key: str
    attach: str | None = None
    resubmit: bool = False
    drop: bool = False


def decisions_of(
    uncertain: Sequence[LedgerEntry], attach: Sequence[str] = (), resubmit: Sequence[str] = (), drop: Sequence[str] = ()
) -> tuple[Decision, ...]:
    """Read the options by which a user decides.

    Args:
        uncertain: The jobs that may be decided about.
        attach: Each ``KEY=ID``; or ``ID`` alone where there is one job.
        resubmit: Each a key, or ``all``.
        drop: Likewise.

    Raises:
        ConfigurationError: One does not say of which job it is, or two are of the same.
    """
    decided = [_attached(text, uncertain) for text in attach]
    decided += (Decision(key=key, resubmit=True) for text in resubmit for key in _keys(text, uncertain))
    decided += (Decision(key=key, drop=True) for text in drop for key in _keys(text, uncertain))
    keys = [each.key for each in decided]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise ConfigurationError(f"job {twice} is decided about twice.")
    return tuple(decided)


def _attached(text: str, uncertain: Sequence[LedgerEntry]) -> Decision:
    head, _, rest = text.partition("=")
    if not rest.strip("="):  # no key, though perhaps an id in base64, which ends with =
        if len(uncertain) != 1:
            raise ConfigurationError(f"--attach {shown(text)}: {jobs_text(len(uncertain))} uncertain; give KEY=ID.")
        return Decision(key=uncertain[0].key, attach=text)
    return Decision(key=_key(head, uncertain), attach=rest)


def _keys(text: str, uncertain: Sequence[LedgerEntry]) -> list[str]:
    return [entry.key for entry in uncertain] if text == "all" else [_key(text, uncertain)]


def _key(text: str, uncertain: Sequence[LedgerEntry]) -> str:
    """Find a job by its key, or by the key that its row has of its own."""
    found = [each.key for each in uncertain if text == each.key] or [
        each.key for each in uncertain if text == own(each)
    ]
    if len(found) != 1:
        known = ", ".join(each.key for each in uncertain) or "none"
        raise ConfigurationError(f"{shown(text)} is not the key of one uncertain job; uncertain: {known}.")
    return found[0]


def own(entry: LedgerEntry) -> str | None:
    """Give the key that a job's row has of its own."""
    return entry.target.row_key if entry.target is not None else None
