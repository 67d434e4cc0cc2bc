"""Where a job stands in the scheduler, and what may happen to it there.

Theory of operation. A job is born WAITING (to be bought), RUNNING (bought elsewhere, known by its id) or READY (finished,
its file is wanted). Handing out an action moves it to the matching phase in which exactly one request is under way
(SUBMITTING, POLLING, DOWNLOADING), so no job is ever handed out twice; the request's outcome moves it on. The terminal
phases have no way out:

    DONE       finished, and saved if its file was wanted
    FAILED     the outcome is final: refused, failed at the vendor, not found, expired, not to be downloaded
    UNCERTAIN  the create left and its outcome is unknown; never sent again
    STALLED    not finished within its deadline; it lives on at the gateway
    DROPPED    given back to the user, who no longer waits for it

Everything else is looked up in `NEXT`; a pair that is not there is a bug of ours and raises.
"""

from __future__ import annotations

from enum import IntEnum, auto

__all__ = ["IN_HAND", "NEXT", "TERMINAL", "IllegalTransition", "Phase", "Signal", "advance"]


class Phase(IntEnum):
    """Where a job stands; an integer, since each poll looks several up."""

    WAITING = auto()
    SUBMITTING = auto()
    RUNNING = auto()
    POLLING = auto()
    READY = auto()
    DOWNLOADING = auto()
    DONE = auto()
    FAILED = auto()
    UNCERTAIN = auto()
    STALLED = auto()
    DROPPED = auto()


class Signal(IntEnum):
    """What happened to a job."""

    HANDED_OUT = auto()
    BOUGHT = auto()
    LOST = auto()
    RUNNING = auto()
    COMPLETED = auto()
    """Finished at the vendor, and its file is wanted."""
    SATISFIED = auto()
    """Nothing is left to do."""
    TROUBLE = auto()
    """It did not work this time; the same again later."""
    ENDED = auto()
    """It did not work, for good."""
    OVERDUE = auto()
    WITHDRAWN = auto()


TERMINAL = frozenset({Phase.DONE, Phase.FAILED, Phase.UNCERTAIN, Phase.STALLED, Phase.DROPPED})
IN_HAND = frozenset({Phase.SUBMITTING, Phase.POLLING, Phase.DOWNLOADING})

NEXT: dict[tuple[Phase, Signal], Phase] = {
    (Phase.WAITING, Signal.HANDED_OUT): Phase.SUBMITTING,
    (Phase.WAITING, Signal.WITHDRAWN): Phase.DROPPED,
    (Phase.SUBMITTING, Signal.BOUGHT): Phase.RUNNING,
    (Phase.SUBMITTING, Signal.LOST): Phase.UNCERTAIN,
    (Phase.SUBMITTING, Signal.TROUBLE): Phase.WAITING,
    (Phase.SUBMITTING, Signal.ENDED): Phase.FAILED,
    (Phase.RUNNING, Signal.HANDED_OUT): Phase.POLLING,
    (Phase.RUNNING, Signal.OVERDUE): Phase.STALLED,
    (Phase.RUNNING, Signal.WITHDRAWN): Phase.DROPPED,
    (Phase.POLLING, Signal.RUNNING): Phase.RUNNING,
    (Phase.POLLING, Signal.COMPLETED): Phase.READY,
    (Phase.POLLING, Signal.SATISFIED): Phase.DONE,
    (Phase.POLLING, Signal.TROUBLE): Phase.RUNNING,
    (Phase.POLLING, Signal.ENDED): Phase.FAILED,
    (Phase.POLLING, Signal.OVERDUE): Phase.STALLED,
    (Phase.POLLING, Signal.WITHDRAWN): Phase.DROPPED,
    (Phase.READY, Signal.HANDED_OUT): Phase.DOWNLOADING,
    (Phase.READY, Signal.WITHDRAWN): Phase.DROPPED,
    (Phase.DOWNLOADING, Signal.SATISFIED): Phase.DONE,
    (Phase.DOWNLOADING, Signal.TROUBLE): Phase.READY,
    (Phase.DOWNLOADING, Signal.ENDED): Phase.FAILED,
    (Phase.DOWNLOADING, Signal.WITHDRAWN): Phase.DROPPED,
}
"""A job being submitted cannot be withdrawn: its create may be under way, and its id must be learnt."""


class IllegalTransition(AssertionError):
    """The scheduler was told something that cannot have happened: a bug."""


def advance(phase: Phase, signal: Signal) -> Phase:
    """Look up where *signal* leads from *phase*.

    Raises:
        IllegalTransition: The pair is not in the table; nothing has changed.
    """
    try:
        return NEXT[phase, signal]
    except KeyError:
        raise IllegalTransition(f"{signal.name} while {phase.name}") from None
