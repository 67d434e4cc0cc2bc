"""The doctor's verdicts, from what was seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.catalog import Catalog
from aihubmix_video.doctor import Finding, Level, gateway_checks, local_checks
from aihubmix_video.doctor.finding import worst
from aihubmix_video.errors import ConnectionFailed, LedgerError, LedgerInUse
from aihubmix_video.protocol.response import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.errors import VideoError

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
THEN = 1767225600.0
BAD_KEY = {"error": {"message": "Invalid token (tid: 1)", "type": "Aihubmix_api_error"}}
NO_JOB = {"error": {"message": "task not found", "code": "task_not_exist"}}
LOST = ConnectionFailed("no connection", sent=False)


def answer(body: object = None, status: int = 200, **headers: str) -> Response:
    """Make an answer of JSON."""
    return Response(status=status, headers=headers, body=json.dumps(body).encode())


def remain(usd: object) -> Response:
    """Make an answer about the balance."""
    return answer({"object": "list", "total_usage": usd})


@pytest.mark.parametrize(
    ("outcome", "seconds", "level"),
    [
        (answer(), 0.1, Level.OK),
        (answer(), 9.0, Level.WARNING),
        (answer(status=404), 0.1, Level.OK),
        (answer(status=502), 0.1, Level.PROBLEM),
        (answer(status=302, location="https://elsewhere.test/"), 0.1, Level.PROBLEM),
        (LOST, 0.1, Level.PROBLEM),
    ],
)
def test_a_gateway_is_reached_when_it_answers(outcome: Response | VideoError, seconds: float, level: Level):
    """Also with a refusal: something that understands HTTP is there."""
    assert level is gateway_checks.judge_reach(outcome, seconds).level


@pytest.mark.parametrize(
    ("ahead", "level"),
    [(0, Level.OK), (29, Level.OK), (31, Level.WARNING), (-31, Level.WARNING), (700, Level.PROBLEM)],
)
def test_a_clock_that_is_off_is_told_with_its_direction(ahead: float, level: Level):
    """Links live for a day by the gateway's clock."""
    found = gateway_checks.judge_clock(answer(date=DATE), THEN - ahead)

    assert level is found.level
    assert ("behind" if ahead <= 0 else "ahead") in found.text


def test_a_gateway_without_a_clock_is_not_said_to_be_right():
    """Not seen is not the same as in order."""
    assert Level.SKIPPED is gateway_checks.judge_clock(answer(), THEN).level
    assert Level.SKIPPED is gateway_checks.judge_clock(LOST, THEN).level


@pytest.mark.parametrize(
    ("balance", "probe", "level"),
    [
        (remain(3.5), None, Level.OK),
        (remain(-0.000002), None, Level.OK),
        (answer(BAD_KEY, 401), answer(BAD_KEY, 401), Level.PROBLEM),
        (answer({}, 404), answer(BAD_KEY, 401), Level.PROBLEM),
        (answer({}, 404), answer(NO_JOB, 404), Level.OK),
        (answer({}, 404), answer(NO_JOB, 400), Level.OK),
        (answer(BAD_KEY, 200), answer(BAD_KEY, 401), Level.PROBLEM),
        (LOST, LOST, Level.SKIPPED),
        (answer({}, 502), answer({}, 502), Level.SKIPPED),
    ],
)
def test_a_key_is_judged_by_answers_that_need_one(
    balance: Response | VideoError, probe: Response | VideoError | None, level: Level
):
    """The public list answers without a key, and proves nothing."""
    assert level is gateway_checks.judge_key(balance, probe).level


@pytest.mark.parametrize(
    ("usd", "level"),
    [
        (250, Level.OK),
        (-0.000002, Level.OK),
        (0.2, Level.WARNING),
        (0, Level.PROBLEM),
        (True, Level.SKIPPED),
        ("5", Level.SKIPPED),
    ],
)
def test_a_balance_is_told_and_an_empty_one_is_a_problem(usd: object, level: Level):
    """Below zero the key has no limit; what is not a number is not a balance."""
    assert level is gateway_checks.judge_balance(remain(usd)).level


def test_a_list_that_differs_from_the_tables_is_a_warning_with_counts():
    """It stops no purchase, and explains some refusals."""
    body = json.dumps({"data": [{"model_id": "sora-9"}]}).encode()
    found = gateway_checks.judge_list(Catalog.decode(body, source="", read_at=0.0))

    assert Level.WARNING is found.level
    assert "1 new" in found.text
    assert "gone" in found.text
    assert Level.WARNING is gateway_checks.judge_list(LOST).level


@pytest.mark.parametrize(
    ("free", "fault", "level"),
    [
        (10**12, None, Level.OK),
        (10**9, None, Level.WARNING),
        (10**7, None, Level.PROBLEM),
        (None, None, Level.WARNING),
        (None, "Read-only file system", Level.PROBLEM),
    ],
)
def test_a_disk_is_judged_by_its_room_and_by_a_file(free: int | None, fault: str | None, level: Level):
    """A paid video that has no room is fetched again while its link lives, and then lost."""
    assert level is local_checks.judge_disk("videos", free=free, fault=fault).level


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (None, Level.SKIPPED),
        ({"saved": 3}, Level.OK),
        ({"saved": 3, "uncertain": 1}, Level.WARNING),
        ({}, Level.OK),
        (LedgerInUse("in use"), Level.OK),
        (LedgerError("is not a ledger"), Level.PROBLEM),
    ],
)
def test_a_ledger_is_judged_by_what_is_to_be_decided(outcome: Mapping[str, int] | VideoError | None, level: Level):
    """A job that may have been bought waits for the user."""
    assert level is local_checks.judge_ledger("run.db", outcome).level


def test_a_proxy_is_named_without_its_credentials():
    """Reports are pasted into issues."""
    found = local_checks.judge_proxy("http://user:secret-word@proxy.test:3128")

    assert "proxy.test:3128" in found.text
    assert "secret" not in repr(found)
    assert "none" in local_checks.judge_proxy(None).text


def test_few_descriptors_are_a_warning():
    """A thousand jobs want more than the 256 of some systems."""
    limits = [local_checks.judge_descriptors(limit).level for limit in (None, 1024, 256)]

    assert [Level.OK, Level.OK, Level.WARNING] == limits


def test_the_gravest_level_counts():
    """In the order of the levels, whatever the order of the checks."""
    found = [Finding(check="a", level=level, text="") for level in (Level.WARNING, Level.PROBLEM, Level.OK)]

    assert Level.PROBLEM is worst(found)
    assert Level.OK is worst([])
