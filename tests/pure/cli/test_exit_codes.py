from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video import errors
from aihubmix_video.cli.exit_codes import ExitCode, exit_of, exit_of_all, exit_of_signal, exit_of_start


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (errors.InvalidRequest.of("seconds", 5, "no"), 2),
        (errors.ConfigurationError("no"), 2),
        (errors.AuthenticationError("no"), 77),
        (errors.AuthenticationError("no", job_id="x", charged="yes"), 77),
        (errors.PermissionDenied("no"), 77),
        (errors.InsufficientBalance("no"), 1),
        (errors.RequestRefused("no"), 1),
        (errors.RateLimited("no"), 1),
        (errors.ConnectionFailed("no"), 1),
        (errors.ConnectionFailed("no", job_id="x", charged="yes"), 75),
        (errors.SubmitUncertain("no"), 75),
        (errors.WaitTimeout("no"), 75),
        (errors.DownloadFailed("no"), 75),
        (errors.SessionClosed("no", charged="yes"), 75),
        (errors.SessionClosed("no"), 1),
        (errors.JobFailed("no"), 1),
        (errors.ContentRefused("no"), 1),
        (errors.JobExpired("no"), 1),
        (errors.JobNotFound("no"), 1),
        (errors.LedgerError("no"), 75),
        (errors.LedgerInUse("no"), 75),
    ],
)
def test_each_error_has_its_exit_code(error: errors.VideoError | None, code: int):
    """The documented table; scripts decide by it whether to go on, to repair or to give up."""
    assert code == exit_of(error)


def test_money_at_large_outweighs_what_merely_failed():
    """A script that sees 1 submits again; it must see 75 while something may have been bought."""
    assert ExitCode.UNFINISHED == exit_of_all([ExitCode.DONE, ExitCode.FAILED, ExitCode.UNFINISHED, ExitCode.BAD_INPUT])


def test_a_refused_key_comes_first():
    """Nothing can be gone on with before the key is right."""
    assert ExitCode.REFUSED == exit_of_all([ExitCode.UNFINISHED, ExitCode.REFUSED])


@given(
    st.lists(
        st.sampled_from(
            [ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE, ExitCode.BAD_INPUT, ExitCode.UNFINISHED, ExitCode.REFUSED]
        )
    )
)
def test_many_outcomes_are_done_only_when_all_are(codes: list[ExitCode]):
    """One failure among thousands must not be lost, and nothing is made up."""
    together = exit_of_all(codes)

    assert (together is ExitCode.DONE) == (set(codes) <= {ExitCode.DONE})
    assert together in {*codes, ExitCode.DONE}


def test_signals_exit_as_shells_expect():
    """128 and the signal's number: 130 for Ctrl-C, 143 for SIGTERM."""
    assert (130, 143) == (exit_of_signal(2), exit_of_signal(15))


def test_a_ledger_that_cannot_be_used_is_wrong_usage_and_a_busy_one_is_waited_for():
    """At the start nothing has happened yet: another ledger is to be named, or another time chosen."""
    assert ExitCode.USAGE == exit_of_start(errors.LedgerError("another account's"))
    assert ExitCode.UNFINISHED == exit_of_start(errors.LedgerInUse("by process 1"))
    assert ExitCode.REFUSED == exit_of_start(errors.AuthenticationError("no"))
