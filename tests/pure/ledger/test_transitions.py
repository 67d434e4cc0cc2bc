"""The legal transitions of a job. Their effects are tested on both ledgers by their contract."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import JobFailed, LedgerError, MalformedReply, SubmitUncertain, VideoError
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import FINISHED, LedgerEntry, LedgerState
from aihubmix_video.ledger.transitions import Move
from aihubmix_video.types.request import VideoRequest

EXAMPLES = (
    transitions.sending(),
    transitions.unsent(),
    transitions.bought("id", "other"),
    transitions.completed(9.0),
    transitions.saved(Path("a.mp4"), 1, "00", verified=True),
    transitions.done(),
    transitions.failed(JobFailed("no")),
    transitions.uncertain(SubmitUncertain("lost")),
    transitions.dropped(),
    transitions.attach("id"),
    transitions.resubmit(),
)


def entry(**fields: object) -> LedgerEntry:
    """Return an entry with only the fields that a test needs."""
    return attrs.evolve(LedgerEntry(key="k", request=VideoRequest(model="sora-2")), **fields)


def test_every_move_has_its_example():
    """The tests below would skip a move that is missing here."""
    assert set(Move) == {example.move for example in EXAMPLES}


def test_a_move_leads_to_one_state_wherever_it_starts():
    """One UPDATE has to serve all starting states."""
    assert {move: {transitions.LEADS_TO[move]} for move in Move} == {
        move: {after for (_, other), after in transitions.NEXT.items() if other is move} for move in Move
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.move.name)
def test_a_move_writes_the_fields_it_is_said_to(example: transitions.Transition):
    """The statement is built from the list, and its values come from the transition."""
    assert set(transitions.WRITES[example.move]) == set(example.values)


def test_nothing_but_the_users_word_ends_uncertainty():
    """A job that may have been bought is neither bought again nor forgotten automatically."""
    ways_out = {move for state, move in transitions.NEXT if state is LedgerState.UNCERTAIN}

    assert {Move.ATTACH, Move.RESUBMIT, Move.DROPPED} == ways_out


def test_what_may_have_left_is_never_simply_dropped():
    """While a create is being sent, its outcome has to be known first."""
    assert (LedgerState.SENDING, Move.DROPPED) not in transitions.NEXT


def test_only_the_user_moves_what_has_ended():
    """A failed job may be submitted again, and any job may be deleted; no other transition is legal."""
    ways_out = {(state, move) for state, move in transitions.NEXT if state in FINISHED}
    deleted = {(state, Move.DROPPED) for state in FINISHED - {LedgerState.DROPPED}}

    assert {(LedgerState.FAILED, Move.RESUBMIT), *deleted} == ways_out


@given(st.sampled_from(LedgerState), st.sampled_from(EXAMPLES))
def test_a_step_is_legal_or_says_why_not(state: LedgerState, example: transitions.Transition):
    """Every pair is one or the other. The refusal names the job, its state and what would be legal."""
    before = entry(state=state)
    if (state, example.move) in transitions.NEXT:
        after = transitions.step(before, example, now=7.0)

        assert (transitions.NEXT[state, example.move], 7.0) == (after.state, after.updated_at)
        return

    with pytest.raises(LedgerError, match=f"job k is {state.value}") as caught:
        transitions.step(before, example, now=7.0)
    assert "k" == caught.value.job_key


def test_an_error_is_written_down_bounded_and_without_keys():
    """Some gateways quote the key, and some answer with a megabyte."""
    key = "sk-" + "abcdefgh" * 4
    error = MalformedReply(f"wrong key {key}\n\x1b[31m" + "x" * 10_000, body=f"{key} ".encode() + b"y" * 100_000)

    after = transitions.step(entry(state=LedgerState.SENDING), transitions.failed(error), now=0.0)

    assert len(after.error_message or "") <= 500
    assert len(after.error_body) <= 16_384
    assert (after.error_message or "").isprintable()
    assert key not in (after.error_message or "") + after.error_body.decode()


def test_purchases_given_up_on_stay_on_the_account():
    """A cap on spending must hold when a job that may have cost money is submitted again."""
    after = transitions.step(entry(state=LedgerState.UNCERTAIN, charged="unknown"), transitions.resubmit(), now=0.0)
    free = transitions.step(entry(state=LedgerState.FAILED, charged="no"), transitions.resubmit(), now=0.0)

    assert ("no", 1) == (after.charged, after.written_off)
    assert 0 == free.written_off


def test_a_verdict_says_whether_it_cost_money():
    """Failed generations are usually not charged; expired ones are."""
    charged = VideoError("gone", charged="yes")

    assert "yes" == transitions.step(entry(state=LedgerState.COMPLETED), transitions.failed(charged), now=0.0).charged
    assert (
        "no" == transitions.step(entry(state=LedgerState.BOUGHT), transitions.failed(JobFailed("no")), now=0.0).charged
    )
