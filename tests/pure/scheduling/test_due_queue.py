"""The heap with dead entries: gives what a sorted list of the living gives, and stays small."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.scheduling.due_queue import MIN_SWEEP_ENTRIES, DueQueue

moments = st.one_of(st.floats(0, 20), st.just(inf))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), moments),
        st.tuples(st.just("end"), st.integers(0, 100)),
        st.tuples(st.just("take"), st.none()),
        st.tuples(st.just("again"), moments),
        st.tuples(st.just("due"), st.floats(0, 20)),
    ),
    max_size=200,
)


class Book:
    """An agenda beside a plain dict that says what it should hold."""

    def __init__(self) -> None:
        self.jobs = 0
        self.living: dict[int, float] = {}
        self.agenda = DueQueue(self.alive)
        self.asked = 0

    def alive(self, job: int) -> bool:
        """Say what the agenda asks."""
        self.asked += 1
        return job in self.living

    def put(self, at: float, job: int | None = None) -> None:
        """Let a job wait: a new one, or one that was taken out."""
        self.jobs += job is None
        self.living[job or self.jobs] = at
        self.agenda.put(at, job or self.jobs)

    def entries(self, until: float = inf) -> list[tuple[float, int]]:
        """What should be in it, in order."""
        return sorted((at, job) for job, at in self.living.items() if at <= until)

    def take(self) -> int:
        """Take out the first job, which must be the right one."""
        at, job = self.agenda.take()
        assert (at, job) == self.entries()[0]
        del self.living[job]
        return job


@given(steps)
def test_an_agenda_gives_what_a_sorted_list_gives(history: list[tuple[str, float | None]]):
    """Entries left behind by jobs that ended must be invisible, in every history."""
    book = Book()
    for what, number in history:
        if what == "put":
            book.put(number or 0.0)
        elif what == "end" and book.living:
            del book.living[sorted(book.living)[int(number or 0) % len(book.living)]]
        elif what == "take" and book.living:
            book.take()
        elif what == "again" and book.living:
            book.put(number or 0.0, book.take())
        elif what == "due":
            expected = book.entries(until=number or 0.0)
            assert expected == list(book.agenda.due(number or 0.0))
            for _, job in expected:
                del book.living[job]
        assert bool(book.living) == bool(book.agenda)
        assert min(book.living.values(), default=inf) == book.agenda.first()


@pytest.mark.parametrize("jobs", [1, 40, 500])
def test_dead_entries_never_outnumber_the_living_for_long(jobs: int):
    """A busy session ends thousands of jobs long before their deadlines; memory belongs to the jobs that wait."""
    book = Book()
    for step in range(jobs * 50):
        book.put(1e6 + step)
        book.living.pop(step + 1 - jobs, None)
        assert len(book.agenda._heap) <= max(MIN_SWEEP_ENTRIES, 2 * jobs) + 1


def test_clearing_out_costs_a_few_looks_per_entry_whatever_the_number_of_jobs():
    """Flat cost, counted in entries looked at: a sweep at every put would make it grow with the jobs."""
    looks = {}
    for jobs in (100, 1000, 10_000):
        book = Book()
        for step in range(jobs * 5):
            book.put(1e6 + step)
            book.living.pop(step + 1 - jobs, None)
        looks[jobs] = book.asked / (jobs * 5)
    assert max(looks.values()) < 4


def test_a_job_that_is_never_due_is_there_all_the_same():
    """A link without a known expiry ranks last, at infinity; it must not count as nothing."""
    book = Book()
    book.put(inf)
    assert book.agenda
    assert book.take() == 1
    assert not book.agenda


def test_nothing_can_be_taken_from_an_empty_agenda():
    """A caller that takes without looking has a bug."""
    with pytest.raises(IndexError):
        Book().agenda.take()
