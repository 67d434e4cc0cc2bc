"""The contract run, against sandboxes that behave and one that does not."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # pytest reads the annotations

from aihubmix_video.doctor.claims import ClaimResult, readings
from aihubmix_video.doctor.contract_run import ContractRun
from aihubmix_video.doctor.orders import REQUESTS, choose
from aihubmix_video.doctor.transcript import Transcript, to_json
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.cli.test_commands import environment, run
from tests.loopback.sessions import AT_ONCE, files, opened

FREE = choose(0.0, prices={}, free=True).bought


async def ran(sandbox: Sandbox, folder: Path) -> Transcript:
    """Buy of every family at a sandbox."""
    async with opened(sandbox, ledger=folder / "run.db", poll_interval=0.2) as session:
        return await ContractRun(session, folder, lambda _: None).run(FREE)


def verdicts(transcript: Transcript) -> dict[str, ClaimResult]:
    """Give the verdict on each claim by its name."""
    return {each.name: each.verdict for each in readings(transcript)}


async def test_a_run_brings_every_family_home_and_confirms_what_the_sandbox_does(tmp_path: Path):
    """Six creates, and as many files."""
    async with Sandbox(**AT_ONCE) as sandbox:
        transcript = await ran(sandbox, tmp_path)
        creates = sum(each.method == "POST" for each in sandbox.log)
        shown = to_json(transcript)

    assert len(REQUESTS) == creates == len(transcript.saved) == len(files(tmp_path))
    found = verdicts(transcript)
    for claim in (
        "create.status",
        "create.id",
        "content.mp4",
        "content.ranges",
        "file.whole",
        "file.pixels",
        "delete.status",
    ):
        assert ClaimResult.CONFIRMED is found[claim], (claim, shown[:2000])
    assert sandbox.api_key not in shown


async def test_the_page_s_gateway_refutes_nothing_and_the_observed_one_what_is_observed(tmp_path: Path):
    """Each quirk that a profile has is found, and none that it has not."""
    refuted = {}
    for profile in ("page", "field"):
        folder = tmp_path / profile
        folder.mkdir()
        async with Sandbox(**(AT_ONCE | {"profile": profile})) as sandbox:
            found = verdicts(await ran(sandbox, folder))
        refuted[profile] = {name for name, verdict in found.items() if verdict is ClaimResult.REFUTED}

    assert set() == refuted["page"] - {"price.billed"}  # the sandbox charges a dollar for any job
    assert "content.type" in refuted["field"]


async def test_a_gateway_that_differs_is_told_claim_by_claim(tmp_path: Path):
    """Three switched quirks, three refuted claims."""
    async with Sandbox(**AT_ONCE) as sandbox:
        sandbox.faults.add(Fault.edit({"status": "submitted"}, route="create", times=None))
        sandbox.faults.add(Fault.edit({"seconds": "9", "duration": 9}, route="retrieve", times=None))
        sandbox.faults.add(Fault.status(204, route="delete", times=None))
        sandbox.faults.add(Fault.range("ignored", route="content", times=None))
        found = verdicts(await ran(sandbox, tmp_path))

    for claim in ("create.word", "content.ranges"):
        assert ClaimResult.REFUTED is found[claim]


async def test_the_command_runs_replays_and_refuses(tmp_path: Path):
    """The same report from the file of samples, and no purchase without a cap."""
    common = ("--live", "--max-spend", "0", "--model", "wan2.6-t2v", "--samples", "s.json", "--json")
    lived = await run("doctor", "--sandbox", "--speed", "2000", *common, "-o", "v", folder=tmp_path)
    again = await run("doctor", "--replay", "s.json", "--json", folder=tmp_path)
    without = await run("doctor", "--sandbox", "--live", folder=tmp_path)
    unknown = await run("doctor", "--sandbox", "--live", "--max-spend", "1", "--model", "x", folder=tmp_path)

    assert lived.objects == again.objects, lived.err
    assert 1 == len(files(tmp_path / "v"))
    assert (2, 2) == (without.code, unknown.code)


async def test_what_has_no_price_is_not_bought_of_a_gateway_that_charges(tmp_path: Path):
    """A cap that cannot be kept buys nothing."""
    async with Sandbox(**AT_ONCE) as sandbox:
        arguments = ("doctor", "--live", "--max-spend", "5", "--model", "kling-v1", "--json", "-o", "v")
        bare = await run(*arguments, folder=tmp_path, env=environment(sandbox))
        creates = sum(each.method == "POST" for each in sandbox.log)

    assert 0 == creates
    assert "not bought" in bare.err
