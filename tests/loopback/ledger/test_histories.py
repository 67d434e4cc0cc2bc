"""Random histories: a ledger on disk and a plain dict agree, also after reopening."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from aihubmix_video.errors import JobExpired, JobFailed, LedgerError, SubmitUncertain
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import UNFINISHED, LedgerState
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.ledger.transitions import NEXT
from tests.loopback.ledgers import entry

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aihubmix_video.ledger.interface import Ledger

KEYS = "abc"
CALLS: dict[str, tuple[set[str], str, tuple[Any, ...], dict[str, Any]]] = {
    "sending": ({"intended"}, "sending", (), {}),
    "unsent": ({"intended", "sending"}, "intended", (), {}),
    "bought": ({"sending"}, "bought", ("bought id", "second id"), {}),
    "completed": ({"bought", "completed"}, "completed", (7.0,), {}),
    "saved": (
        *({"bought", "completed"}, "saved", (Path("a.mp4"),)),
        {"bytes_written": 3, "sha256": "ab", "verified": True},
    ),
    "done": ({"bought", "completed"}, "done", (), {}),
    "failed": ({"intended", "sending", "bought", "completed"}, "failed", (JobFailed("no"),), {}),
    "uncertain": ({"sending"}, "uncertain", (SubmitUncertain("lost", body=b"half"),), {}),
    "dropped": (*({"intended", "bought", "completed", "uncertain", "saved", "done", "failed"}, "dropped", (), {}),),
    "attach": ({"uncertain"}, "bought", ("found id",), {}),
    "resubmit": ({"uncertain", "failed"}, "intended", (), {}),
}
"""Each call: where it is legal, where it leads, and what it is told. Written down apart from the product's own table."""


@attrs.define
class Model:
    """What has to be known of a job, in its simplest form."""

    state: str = "intended"
    video_id: str | None = None
    charged: str = "no"
    attempts: int = 0
    written_off: int = 0

    def told(self, call: str, after: str) -> None:
        """Apply a legal transition."""
        self.written_off += call == "resubmit" and self.charged != "no"
        self.attempts += call == "sending"
        self.state = after
        match call:
            case "bought" | "attach":
                self.video_id, self.charged = f"{'bought' if call == 'bought' else 'found'} id", "yes"
            case "sending" | "uncertain":
                self.charged = "unknown"
            case "unsent" | "resubmit" | "failed":
                self.charged = "no"
        if call == "resubmit":
            self.video_id = None


class Histories(RuleBasedStateMachine):
    """Calls the ledger with any transition, legal or not."""

    @initialize()
    def open(self) -> None:
        """Open an empty ledger."""
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.disk = self.run(SqliteLedger.open(self.folder / "run.db"))
        self.model: dict[str, Model] = {}
        self.refused_ids: set[str] = set()  # jobs whose id is in the spill file, as the ledger failed
        self.owed: set[str] = set()  # of these, the jobs whose id is still to be retried

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever the coroutine returns
        """Run a coroutine, and return its result."""
        return self.runner.run(work)

    def record(self, call: str, key: Any, *facts: Any, **named: Any) -> Any:  # noqa: ANN401 - each call has its own
        """Record a transition."""
        return self.disk.record(key, getattr(transitions, call)(*facts, **named))

    def tell(self, call: str, *arguments: object, **named: object) -> bool:
        """Call the ledger, and return whether the call was legal."""
        try:
            self.run(self.disk.intend(*arguments) if call == "intend" else self.record(call, *arguments, **named))
        except LedgerError:
            return False
        return True

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3))
    def intend(self, keys: list[str]) -> None:
        """Intend some jobs, some of them perhaps already intended."""
        legal = self.tell("intend", [entry(key, seconds=float(ord(key))) for key in keys])

        assert legal == (len(set(keys)) == len(keys) and self.model.keys().isdisjoint(keys))
        if legal:
            self.model |= {key: Model() for key in keys}

    @rule(key=st.sampled_from(KEYS), call=st.sampled_from(sorted(CALLS)))
    def step(self, key: str, call: str) -> None:
        """Record any transition of any job."""
        starts, after, arguments, named = CALLS[call]
        if call == "bought":  # which has an id of its own
            self.owed.discard(key)
        self.pay(key)
        model = self.model.get(key)

        legal = self.tell(call, key, *arguments, **named)

        if call == "bought" and not legal:
            self.refused_ids.add(key)
            self.owed.add(key)
        assert legal == (model is not None and model.state in starts)
        if model is not None and legal:
            model.told(call, after)

    @rule(key=st.sampled_from(KEYS))
    def expire(self, key: str) -> None:
        """Fail in a way that costs money."""
        self.pay(key)
        model = self.model.get(key)
        if self.tell("failed", key, JobExpired("gone")) and model is not None:
            model.state, model.charged = "failed", "yes"

    @rule()
    def reopen(self) -> None:
        """Reopen the ledger; creates that were being sent become uncertain, unless their id is in the spill file."""
        self.run(self.disk.aclose())
        self.disk = self.run(SqliteLedger.open(self.folder / "run.db"))
        for model in self.model.values():
            if model.state == "sending":
                model.state = "uncertain"
        for key in self.refused_ids:
            self.learn(key)
        self.refused_ids.clear()
        self.owed.clear()

    def pay(self, key: str) -> None:
        """Retry an id that could not be written, as is done before the next transition of its job."""
        if key in self.owed:
            self.learn(key)
        if key in self.model:
            self.owed.discard(key)

    def learn(self, key: str) -> None:
        """Record the id if the job still needs one."""
        if key in self.model and self.model[key].state in {"sending", "uncertain"}:
            self.model[key].told("attach", "bought")
            self.model[key].video_id = "bought id"

    @invariant()
    def all_agree(self) -> None:
        """Check that every job, and every sum, equals the model's."""
        found = {each.key: each for each in self.run(self.disk.page())}
        assert self.model == {
            key: Model(each.state.value, each.video_id, each.charged, each.attempts, each.written_off)
            for key, each in found.items()
        }
        states = Counter(model.state for model in self.model.values())
        assert states == {state.value: count for state, count in self.run(self.disk.counts()).items() if count}
        jobs = {key: (model.charged != "no") + model.written_off for key, model in self.model.items()}
        seconds = sum(ord(key) * times for key, times in jobs.items())
        spent = self.run(self.disk.spent())
        assert (sum(jobs.values()), seconds) == (
            sum(one.jobs for one in spent.values()),
            sum(one.seconds for one in spent.values()),
        )
        open_ones = {key for key, model in self.model.items() if LedgerState(model.state) in UNFINISHED}
        assert open_ones == set(self.run(_unfinished(self.disk)))

    def teardown(self) -> None:
        """Close the ledger, and delete its files."""
        self.run(self.disk.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)


async def _unfinished(ledger: Ledger) -> list[str]:
    return [each.key async for each in ledger.unfinished()]


def test_the_table_of_steps_is_the_one_written_down_here():
    """Random histories meet the rare pairs too seldom."""
    here = {(start, call, after) for call, (starts, after, *_) in CALLS.items() for start in starts}

    assert here == {(state.value, move.name.lower(), after.value) for (state, move), after in NEXT.items()}


@pytest.mark.timeout(300)  # it waits for some thousand flushes of the disk, which may be busy
def test_a_ledger_equals_a_dict_under_any_history():
    """Refused transitions change nothing, accepted ones change only what they say, and reopening loses nothing."""
    Histories.TestCase.settings = settings(
        max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    Histories.TestCase("runTest").runTest()  # type: ignore[attr-defined]
