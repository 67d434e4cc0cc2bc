"""The commands."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import App, Parameter

from aihubmix_video.cli import demo_command, resume_command
from aihubmix_video.cli.batch_command import BatchRun, run_batch
from aihubmix_video.cli.command_options import (
    CAPS,
    FILE,
    WHOLE,
    CapOptions,
    DecidingOptions,
    FieldOptions,
    FilesOptions,
    KeepingOptions,
    OutputOptions,
    RowsOptions,
    SandboxOptions,
    SessionOptions,
)
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.ledger_location import LEDGER, LedgerLocation, command, ledger_at
from aihubmix_video.cli.models_command import show_model, show_models
from aihubmix_video.cli.open_batch_file import OutputPlaces, judged, opened
from aihubmix_video.cli.output_paths import file_of, files_of, make_folder
from aihubmix_video.cli.plan_command import plan_of, show_plan, tell_bad
from aihubmix_video.cli.price_file import prices_in
from aihubmix_video.cli.runner import SPEED, Runner, deletes, downloads, one, statuses
from aihubmix_video.cli.signals import Interrupts
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.gallery.gallery import Gallery
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.session.batch import batch_name
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

__all__ = ["app"]

app = App(
    name="aihubmix-video",
    help="Generate video through AIHubMix: every paid job ends as one whole, verified file.",
    help_epilogue=(
        "Exit codes: 0 done, 1 some jobs failed, 2 usage, 65 bad rows, 66 no ledger, 75 unfinished or uncertain, "
        "77 key refused, 130 or 143 interrupted."
    ),
    version=lambda: version("aihubmix-video"),
    default_parameter=Parameter(negative=(), show_env_var=False, show_default=False),
    help_format="plaintext",
)

FIELDS, ROWS, FILES = FieldOptions(), RowsOptions(), FilesOptions()
KEEPING, DECIDING, CAPPING = KeepingOptions(), DecidingOptions(), CapOptions()
SESSION, SANDBOX, OUTPUT = SessionOptions(), SandboxOptions(), OutputOptions()

Output = Parameter(name=("--output", "-o"))
STOPPING = "Stopping: nothing more is bought, and jobs on their way in learn their ids. Once more to leave at once."


def _screen(how: OutputOptions) -> Screen:
    screen = Screen.of_process(as_json=how.json, quiet=how.quiet)
    screen.adopt_messages()
    return screen


def _run(screen: Screen, work: Coroutine[object, object, ExitCode], location: LedgerLocation | None = None) -> int:
    """Run a command's coroutine until it is done, or a signal stops it."""
    stopping = STOPPING if location is None else f"{STOPPING}\nGo on later with\n  {location.resume}"
    with Interrupts(on_first=lambda: screen.insist(stopping), on_second=screen.restore) as interrupts:
        try:
            return interrupts.run(work)
        except asyncio.CancelledError:
            return interrupts.exit_code


@app.command
def demo(
    *,
    output: Annotated[Path, Output] = Path(demo_command.FOLDER),
    speed: float = demo_command.SPEED,
    how: OutputOptions = OUTPUT,
) -> int:
    """Make eight videos of different models on this machine: no key, no network, no cost.

    Args:
        output: Folder for the videos; those of an earlier demo are replaced. [default: demo-videos]
        speed: How much faster than the vendors. [default: 12]
        how: What is said.
    """
    screen = _screen(how)
    runner = Runner(session=SESSION, sandbox=SandboxOptions(sandbox=True, speed=speed), screen=screen)
    return _run(screen, demo_command.demo(runner, output))


@app.command
def generate(  # noqa: PLR0913  # each is an option, or a group of options
    prompt: str,
    /,
    *,
    model: Annotated[str, Parameter(name=("--model", "-m"))],
    output: Annotated[Path | None, Output] = None,
    overwrite: bool = False,
    keeping: KeepingOptions = KEEPING,
    fields: FieldOptions = FIELDS,
    session: SessionOptions = SESSION,
    sandbox: SandboxOptions = SANDBOX,
    how: OutputOptions = OUTPUT,
) -> int:
    """Buy one video, wait for it, and save it.

    Args:
        prompt: What to show. One that begins with - goes after --, at the end.
        model: The model's name; `aihubmix-video models` lists them.
        output: The file, or a folder: what has no extension is one, made if need be. [default: the prompt's first words]
        overwrite: Replace an existing file.
        keeping: What is kept beside it.
        fields: What the model takes.
        session: How the gateway is reached.
        sandbox: Whether everything happens here.
        how: What is said.
    """
    request = VideoRequest.from_mapping({"model": model, "prompt": prompt, **fields.given()})
    path = file_of(prompt, output)
    screen = _screen(how)
    location = _location(keeping.ledger, keeping.ledger, session)
    runner = Runner(session=session, sandbox=sandbox, screen=screen, location=location, sidecar=keeping.sidecar)
    return _run(screen, runner.follow(lambda opened: one(opened, request, path, overwrite=overwrite), 1), location)


def _location(
    path: Path | None, place: Path | None, session: SessionOptions, batch: str | None = None
) -> LedgerLocation | None:
    """Describe a ledger; *place* is what the user calls it by."""
    if path is None or place is None:
        return None
    return LedgerLocation(path=path, resume=command(place, session.arguments()), batch=batch)


@app.command
def batch(  # noqa: PLR0913  # each is an option, or a group of options
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    output: Annotated[Path, Output],
    rows: RowsOptions = ROWS,
    files: FilesOptions = FILES,
    caps: CapOptions = CAPPING,
    keeping: KeepingOptions = KEEPING,
    fields: FieldOptions = FIELDS,
    session: SessionOptions = SESSION,
    sandbox: SandboxOptions = SANDBOX,
    how: OutputOptions = OUTPUT,
) -> int:
    """Buy and save the videos that the rows of a file ask for, each as soon as it is finished.

    Every row is checked first; while one has a problem, nothing is bought. Run again, it goes on where it was stopped, and
    buys nothing a second time.

    Args:
        file: JSON lines, CSV, or text with one prompt per line; - for standard input.
        output: Folder for the videos; made if it does not exist.
        rows: How the file is read.
        files: Which rows, and what their files are called.
        caps: What may be bought; rows above a cap are left for a run with a higher one.
        keeping: What is kept beside the videos. With --sandbox the ledger is a temporary one, unless it is named.
        fields: For rows that do not give them.
        session: How the gateway is reached.
        sandbox: Whether everything happens here.
        how: What is said.
    """
    if files.overwrite and files.skip_existing:
        raise ConfigurationError("--overwrite and --skip-existing exclude each other.")
    screen = _screen(how)
    with opened(file, rows.format, _defaults(rows, fields)) as source:
        work = BatchRun(
            file=source,
            places=OutputPlaces.under(output, files.name),
            validate=session.validate or "known",
            overwrite=files.overwrite,
            skip_existing=files.skip_existing,
            caps=caps.given(),
        )
        plan = work.plan()
        tell_bad(plan, screen)
        if plan.bad_count and not files.skip_invalid:
            screen.insist("Nothing was sent. --skip-invalid leaves such rows out.")
            return ExitCode.BAD_INPUT
        with _batch_location(output, keeping, session, sandbox, batch_name(work.places.template)) as location:
            runner = Runner(session=session, sandbox=sandbox, screen=screen, location=location, sidecar=keeping.sidecar)
            if files.gallery:
                runner = _with_gallery(runner, output, work.caps.get("prices"))
            running = run_batch(work, plan.total.videos, runner, accept_changes=files.accept_changes)
            return _run(screen, running, None if sandbox.sandbox else location)


def _with_gallery(runner: Runner, folder: Path, prices: Mapping[str, float] | None = None) -> Runner:
    gallery = Gallery(folder=folder.absolute(), warn=runner.screen.warn, prices=prices)
    gallery.check()
    return attrs.evolve(runner, gallery=gallery)


@contextmanager
def _batch_location(
    output: Path, keeping: KeepingOptions, session: SessionOptions, sandbox: SandboxOptions, batch: str
) -> Iterator[LedgerLocation | None]:
    """Give a batch its ledger; the jobs of a gateway of our own end with it, and so does their ledger."""
    make_folder(output)
    if keeping.ledger is not None:
        yield _location(keeping.ledger, keeping.ledger, session, batch)
    elif not sandbox.sandbox:
        yield _location(output / LEDGER, output, session, batch)
    else:
        with TemporaryDirectory(prefix="aihubmix-video-") as folder:
            yield _location(Path(folder) / LEDGER, output, session, batch)


@app.command
def resume(
    ledger: Path,
    /,
    *,
    sidecar: Annotated[bool, Parameter(group=FILE)] = False,
    gallery: Annotated[bool, Parameter(group=FILE)] = False,
    deciding: DecidingOptions = DECIDING,
    session: SessionOptions = SESSION,
    how: OutputOptions = OUTPUT,
) -> int:
    """Take up everything unfinished in a ledger: what was bought is fetched, what was never sent is bought.

    Jobs that may have been bought are listed each time, until it is said what is to become of them.

    Args:
        ledger: Folder of a batch, or the ledger itself.
        sidecar: Write NAME.json beside each video.
        gallery: Write index.html beside the ledger: everything in it on one page.
        deciding: What is to become of jobs that may have been bought.
        session: How the gateway is reached.
        how: What is said.
    """
    screen = _screen(how)
    path = ledger_at(ledger)
    if not path.exists():
        screen.error(f"there is no ledger {path}. `aihubmix-video batch FILE -o DIR` makes one in DIR.")
        return ExitCode.NO_INPUT
    location = LedgerLocation(path=path, resume=command(ledger, session.arguments()))
    runner = Runner(session=session, sandbox=SANDBOX, screen=screen, location=location, sidecar=sidecar)
    if gallery:
        runner = _with_gallery(runner, path.parent)
    return _run(screen, resume_command.resume(runner, deciding), location)


def _defaults(rows: RowsOptions, fields: FieldOptions) -> dict[str, object]:
    return fields.given() | ({"model": rows.model} if rows.model is not None else {})


@app.command
def plan(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    prices: Annotated[Path | None, Parameter(group=CAPS)] = None,
    rows: RowsOptions = ROWS,
    fields: FieldOptions = FIELDS,
    session: SessionOptions = SESSION,
    how: OutputOptions = OUTPUT,
) -> int:
    """Check a batch file: every problem at once, and the videos, seconds and money it asks for. Sends nothing.

    Args:
        file: As for batch.
        prices: JSON file of your own prices in USD per second, such as {"wan2.6-t2v": 0.05}.
        rows: How the file is read.
        fields: For rows that do not give them.
        session: Of these only --validate matters here.
        how: What is said.
    """
    validate = session.validate or "known"
    with opened(file, rows.format, _defaults(rows, fields)) as source:
        own = None if prices is None else prices_in(prices)
        found = plan_of(judged(source.rows(), source.source, validate), validate, own)
    return show_plan(found, _screen(how))


@app.command
def status(*ids: str, session: SessionOptions = SESSION, how: OutputOptions = OUTPUT) -> int:
    """Ask the gateway how jobs stand.

    Args:
        ids: Ids of the jobs, whole.
        session: How the gateway is reached.
        how: What is said.
    """
    runner = Runner(session=session, sandbox=SANDBOX, screen=_screen(how))
    return _run(runner.screen, statuses(runner, _needed(ids)))


@app.command
def download(
    *ids: str,
    output: Annotated[Path | None, Output] = None,
    overwrite: bool = False,
    session: SessionOptions = SESSION,
    how: OutputOptions = OUTPUT,
) -> int:
    """Wait for jobs bought earlier, and save their videos.

    Args:
        ids: Ids of the jobs, whole.
        output: The file of a single video, or a folder. [default: this folder]
        overwrite: Replace existing files.
        session: How the gateway is reached.
        how: What is said.
    """
    files = files_of(_needed(ids), output)
    runner = Runner(session=session, sandbox=SANDBOX, screen=_screen(how))
    work = runner.follow(lambda opened: downloads(opened, files, overwrite=overwrite), len(files))
    return _run(runner.screen, work)


@app.command
def delete(*ids: str, session: SessionOptions = SESSION, how: OutputOptions = OUTPUT) -> int:
    """Delete jobs at the gateway. Kling has no delete.

    Args:
        ids: Ids of the jobs, whole.
        session: How the gateway is reached.
        how: What is said.
    """
    runner = Runner(session=session, sandbox=SANDBOX, screen=_screen(how))
    return _run(runner.screen, deletes(runner, _needed(ids)))


def _needed(ids: tuple[str, ...]) -> tuple[str, ...]:
    if not ids:
        raise ConfigurationError("give the id of at least one job.")
    return ids


@app.command
def models(name: str | None = None, /, *, how: OutputOptions = OUTPUT) -> int:
    """Show what each model takes and gives.

    Args:
        name: One model, for everything that is known of it.
        how: What is said.
    """
    if name is None:
        show_models(_screen(how))
    else:
        show_model(name, _screen(how))
    return ExitCode.DONE


@app.command
def sandbox(
    *,
    speed: float = SPEED,
    seed: Annotated[int, WHOLE] = 0,
    port: Annotated[int, WHOLE] = 0,
    how: OutputOptions = OUTPUT,
) -> int:
    """Serve a gateway on this machine that behaves like AIHubMix, until Ctrl-C: no key, no cost, real MP4 files.

    Args:
        speed: How much faster than the vendors it generates; 60 makes a minute a second. [default: 60]
        seed: Of its random draws. [default: 0]
        port: The port. [default: any free one]
        how: What is said.
    """
    screen = _screen(how)
    _run(screen, _served(Sandbox(speed=speed, seed=seed, port=port), screen))
    return ExitCode.DONE  # a signal is how it is meant to end


async def _served(gateway: Sandbox, screen: Screen) -> ExitCode:
    async with gateway:
        if screen.json:
            screen.objects([{"url": gateway.url, "api_key": gateway.api_key}])
        else:
            screen.result(f"export AIHUBMIX_BASE_URL={gateway.url}")
            screen.result(f"export AIHUBMIX_API_KEY={gateway.api_key}")
            screen.say(f"\nServing on {gateway.url} with the key {gateway.api_key}, until Ctrl-C.")
            screen.say("Paste the two lines above into another terminal, and run aihubmix-video there.")
        await asyncio.get_running_loop().create_future()
    return ExitCode.DONE


@app.command
def serve(  # noqa: PLR0913  # each is an option, or a group of options
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, WHOLE] = 8000,
    folder: Path | None = None,
    ledger: Path | None = None,
    token_file: Path | None = None,
    prices: Path | None = None,
    session: SessionOptions = SESSION,
    sandbox: SandboxOptions = SANDBOX,
    how: OutputOptions = OUTPUT,
) -> int:
    """Serve a page on which videos are ordered, followed and played, until Ctrl-C.

    Args:
        host: Where it listens. Other machines than this one need a token. [default: 127.0.0.1]
        port: The port; 0 for any free one. [default: 8000]
        folder: Folder for the videos; made if it does not exist. [default: videos, or a temporary one with --sandbox]
        ledger: File of the durable record of all jobs. [default: .aihubmix-video.db in the folder; none with --sandbox]
        token_file: File that holds the token visitors must give, in place of $AIHUBMIX_BOARD_TOKEN.
        prices: JSON file of your own prices in USD per second, such as {"wan2.6-t2v": 0.05}.
        session: How the gateway is reached.
        sandbox: Whether everything happens here.
        how: What is said.
    """
    try:
        from aihubmix_video.cli.serve_command import BoardServer, token_in  # noqa: PLC0415  # needs the extra, and must be able to say so
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"fastapi", "starlette", "uvicorn"}:
            raise
        raise ConfigurationError("`serve` needs its extra: pip install 'aihubmix-video[fastapi]'.") from None
    screen = _screen(how)
    own = None if prices is None else prices_in(prices)
    board = BoardServer(host=host, port=port, folder=folder, ledger=ledger, token=token_in(token_file), prices=own)
    board.check()
    _run(screen, board.serve(Runner(session=session, sandbox=sandbox, screen=screen)))
    return ExitCode.DONE  # a signal is how it is meant to end
