"""The table of phases: every pair is named or refused, and what is over stays over."""

from __future__ import annotations

from itertools import product

import pytest

from aihubmix_video.scheduling.lifecycle import IN_HAND, NEXT, TERMINAL, IllegalTransition, Phase, Signal, advance

ILLEGAL = sorted(set(product(Phase, Signal)) - set(NEXT), key=lambda pair: (pair[0].value, pair[1].value))


def label(pair: tuple[Phase, Signal]) -> str:
    """Name a test after its pair."""
    return f"{pair[0].name}-{pair[1].name}"


@pytest.mark.parametrize("pair", NEXT, ids=label)
def test_a_named_pair_leads_where_the_table_says(pair: tuple[Phase, Signal]):
    """The table is the only place where phases change."""
    assert NEXT[pair] is advance(*pair)


@pytest.mark.parametrize("pair", ILLEGAL, ids=label)
def test_every_other_pair_raises_and_changes_nothing(pair: tuple[Phase, Signal]):
    """A pair that is not in the table cannot have happened; to go on from there could cost money."""
    before = dict(NEXT)
    with pytest.raises(IllegalTransition, match=f"{pair[1].name} while {pair[0].name}"):
        advance(*pair)
    assert before == NEXT


@pytest.mark.parametrize("phase", TERMINAL, ids=lambda phase: phase.name)
def test_there_is_no_way_out_of_a_terminal_phase(phase: Phase):
    """Terminal states never revert."""
    assert not [pair for pair in NEXT if pair[0] is phase]


@pytest.mark.parametrize("phase", set(Phase) - TERMINAL, ids=lambda phase: phase.name)
def test_every_other_phase_has_a_way_to_an_end(phase: Phase):
    """Nothing can be stuck for want of a transition."""
    reached, before = {phase}, set[Phase]()
    while reached != before:
        before = set(reached)
        reached |= {after for (start, _), after in NEXT.items() if start in before}
    assert reached & TERMINAL


def test_a_request_is_under_way_only_after_it_was_handed_out():
    """Deciding reserves: the phases in hand are entered by being handed out, and by nothing else."""
    assert {after for (_, signal), after in NEXT.items() if signal is Signal.HANDED_OUT} == IN_HAND
    assert not [pair for pair, after in NEXT.items() if after in IN_HAND and pair[1] is not Signal.HANDED_OUT]


def test_only_a_create_that_did_not_work_leads_back_to_a_create():
    """Money: there is one way into QUEUED, and it is from SUBMITTING."""
    assert [pair for pair, after in NEXT.items() if after is Phase.WAITING] == [(Phase.SUBMITTING, Signal.TROUBLE)]


def test_every_phase_and_every_signal_is_used():
    """What is not used is not needed."""
    assert set(Phase) == {phase for phase, _ in NEXT} | set(NEXT.values())
    assert set(Signal) == {signal for _, signal in NEXT}
