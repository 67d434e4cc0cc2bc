"""The command ``batch``: the videos that the rows of a file ask for."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter

from aihubmix_video.cli.batch_plan import print_bad_rows
from aihubmix_video.cli.batch_run import BatchRun
from aihubmix_video.cli.command_options import (
    OUTPUT_PATH,
    CapOptions,
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
from aihubmix_video.cli.ledger_location import LEDGER, LedgerLocation, quoted
from aihubmix_video.cli.open_batch_file import OutputPlaces, opened
from aihubmix_video.cli.output_paths import is_object, make_folder
from aihubmix_video.cli.runner import Runner, run_command
from aihubmix_video.cli.temporal_options import TemporalOptions
from aihubmix_video.errors import ConfigurationError, shown
from aihubmix_video.session.batch import batch_name
from aihubmix_video.session.batch_changes import Changes, changes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["batch"]

NAMED = 20
"""Changed rows that are named one by one."""


def batch(  # noqa: PLR0913  # each is an option, or a group of options
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    output: Annotated[Path, OUTPUT_PATH],
    rows: RowsOptions = RowsOptions(),
    files: FilesOptions = FilesOptions(),
    caps: CapOptions = CapOptions(),
    keeping: KeepingOptions = KeepingOptions(),
    fields: FieldOptions = FieldOptions(),
    session: SessionOptions = SessionOptions(),
    sandbox: SandboxOptions = SandboxOptions(),
    server: TemporalOptions = TemporalOptions(),
    how: OutputOptions = OutputOptions(),
) -> int:
    """Buy and save the videos that the rows of a file ask for, each as soon as it is finished.

    Every row is checked first; while one has a problem, nothing is bought. Run again, it resumes where it was stopped, and
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
        server: Which Temporal server, if it is to run on one; then workers hold the key, the rate and the rest of the session.
        how: What is printed.
    """
    if files.overwrite and files.skip_existing:
        raise ConfigurationError("--overwrite and --skip-existing exclude each other.")
    if is_object(output):
        _check_objects(output, files, keeping, sandbox)
    screen = Screen.of_options(how)
    with opened(file, rows.format, rows.defaults(fields), rows.ignored()) as source:
        work = BatchRun(
            file=source,
            places=OutputPlaces.under(output, files.name),
            validate=session.validate or "known",
            capabilities=session.tables(),
            overwrite=files.overwrite,
            skip_existing=files.skip_existing,
            caps=caps.given(),
        )
        plan = work.plan()
        print_bad_rows(plan, screen)
        if plan.bad_count and not files.skip_invalid:
            screen.insist("Nothing was sent. --skip-invalid leaves such rows out.")
            return ExitCode.BAD_INPUT
        if server.temporal is not None:
            refuse_unheeded(files, keeping, sandbox, work)
            from aihubmix_video.cli.temporal_batches import order_batch  # noqa: PLC0415  # needs the extra, and says so

            return run_command(screen, order_batch(work, server, session.max_in_flight, screen))
        with _location(output, keeping, session, sandbox, batch_name(work.places.template)) as location:
            runner = Runner(session=session, sandbox=sandbox, screen=screen, location=location, sidecar=keeping.sidecar)
            if files.gallery:
                runner = runner.with_gallery(output, work.caps.get("prices"))
            running = run_batch(work, plan.total.videos, runner, accept_changes=files.accept_changes)
            return run_command(screen, running, None if sandbox.sandbox else location)


def refuse_unheeded(files: FilesOptions, keeping: KeepingOptions, sandbox: SandboxOptions, work: BatchRun) -> None:
    """Refuse what a batch on a Temporal server does not heed: an order that is not carried out is an error."""
    given = {
        "--sandbox": sandbox.sandbox,
        "--ledger": keeping.ledger is not None,
        "--sidecar": keeping.sidecar,
        "--gallery": files.gallery,
        "--skip-existing": files.skip_existing,
        "caps such as --max-videos": bool(work.caps),
        "standard input": work.file.source == "<stdin>",
    }
    if unheeded := [name for name, is_given in given.items() if is_given]:
        raise ConfigurationError(f"a batch on a Temporal server does without {', '.join(unheeded)}: leave it out.")
    local = (row for row in work.good() if work.file.references.names_files(row.request))
    if (row := next(local, None)) is not None:
        place = f"{work.file.source}:{row.line}"
        raise ConfigurationError(
            f"row {row.number} names a picture by its path; a batch on a Temporal server takes media by URL [{place}]."
        )


def _check_objects(output: Path, files: FilesOptions, keeping: KeepingOptions, sandbox: SandboxOptions) -> None:
    """Refuse what needs a folder of this machine, where videos become objects.

    Raises:
        ConfigurationError: An option needs a folder, or the ledger is not named.
    """
    where = f"-o {shown(str(output))} is an object store"
    if keeping.ledger is None and not sandbox.sandbox:
        raise ConfigurationError(f"{where}: name the ledger's file on this machine, with --ledger run.db.")
    for option, given in (("--skip-existing", files.skip_existing), ("--gallery", files.gallery)):
        if given:
            raise ConfigurationError(f"{where}: {option} needs a folder of this machine.")


@contextmanager
def _location(
    output: Path, keeping: KeepingOptions, session: SessionOptions, sandbox: SandboxOptions, name: str
) -> Iterator[LedgerLocation]:
    """Lend the batch its ledger; the jobs of a gateway of our own end with it, and so does their ledger."""
    make_folder(output)
    if keeping.ledger is not None:
        yield LedgerLocation.of(keeping.ledger, session, batch=name)
    elif not sandbox.sandbox:
        yield LedgerLocation.of(output / LEDGER, session, place=output, batch=name)
    else:
        with TemporaryDirectory(prefix="aihubmix-video-") as folder:
            yield LedgerLocation.of(Path(folder) / LEDGER, session, place=output, batch=name)


async def run_batch(work: BatchRun, videos: int, runner: Runner, *, accept_changes: bool) -> ExitCode:
    """Run a batch, or resume it; rows changed since the ledger recorded them are refused unless accepted."""
    location, changes = runner.location, Changes()
    if location is not None and location.batch is not None:
        changes = await changes_of(location.path, location.batch, work.good())
    if changes.doubtful and not accept_changes:
        print_changes(changes, work.file.source, runner.screen)
        return ExitCode.BAD_INPUT
    code = await runner.follow(attrs.evolve(work, known=changes.known).results, videos)
    return ExitCode.FAILED if code is ExitCode.USAGE else code  # one row's fault; others may have been bought


def print_changes(changes: Changes, source: str, screen: Screen) -> None:
    """Name the rows that the ledger does not know, and those that the file no longer has."""
    if changes.elsewhere is not None:
        screen.error(
            f"the ledger has {changes.again} of these rows in another batch, {changes.elsewhere}: they would be bought again"
        )
    for row in changes.new[:NAMED]:
        screen.error(f"{source}:{row.line}: row {row.number} is new, or was changed since this batch was begun")
    for gone in changes.gone[:NAMED]:
        screen.error(f"the ledger knows a row that {source} no longer has: row {gone.index}: {quoted(gone.prompt)}")
    more = sum(max(len(rows) - NAMED, 0) for rows in (changes.new, changes.gone))
    if more:
        screen.error(f"and {more} more")
    screen.insist(
        "Nothing was sent. --accept-changes buys the new rows as well; what was bought for the old ones stays bought."
    )
