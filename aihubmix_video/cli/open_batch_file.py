"""A batch file: opened, read and checked row by row, and where each row's video goes."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Literal, TypeAlias, get_args

import attrs

from aihubmix_video.batch_file import BadRow, Row, lines_of, read_csv, read_jsonl, read_text
from aihubmix_video.cli.local_references import LocalReferences
from aihubmix_video.errors import ConfigurationError, InvalidRequest, shown
from aihubmix_video.output.template import Template, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from aihubmix_video.capabilities import Verdict
    from aihubmix_video.types.request import VideoRequest

__all__ = ["BatchFile", "Format", "Judge", "OutputPlaces", "judged", "opened"]

Format = Literal["jsonl", "csv", "txt"]
Judge: TypeAlias = "Callable[[VideoRequest], Verdict]"
"""What is to be said of a row's request; `CapabilitySet.judge` with the user's ``--validate``."""

READERS = {"jsonl": read_jsonl, "csv": read_csv, "txt": read_text}
SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".txt": "txt",
    ".text": "txt",
}
IN_MEMORY = 16 * 2**20  # of standard input, which is kept because it is read twice; the rest goes to a temporary file


def format_of(name: str, given: Format | None) -> Format:
    """Return the format of a file; standard input is JSON lines unless another is given.

    Raises:
        ConfigurationError: Its suffix does not tell the format.
    """
    if given is not None:
        return given
    if name == "-":
        return "jsonl"
    found = SUFFIXES.get(PurePath(name).suffix.lower())
    if found is None:
        allowed = ", ".join(get_args(Format))
        raise ConfigurationError(f"{shown(name)}: the suffix does not tell its format; give --format ({allowed}).")
    return found


@attrs.frozen(kw_only=True)
class BatchFile:
    """An open batch file that can be read again from its beginning.

    Attributes:
        source: Its name, for messages.
        format: How it is read.
        defaults: Fields for the rows that do not give them.
        ignored: Columns of the user's own.
        references: Replaces the paths of pictures in rows.
    """

    source: str
    format: Format
    defaults: Mapping[str, object] = attrs.field(factory=dict)
    ignored: Collection[str] = ()
    references: LocalReferences
    _file: IO[bytes]

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows, good and bad, from the first."""
        self._file.seek(0)
        read = READERS[self.format]
        rows = read(lines_of(self._file), source=self.source, defaults=self.defaults, ignored=self.ignored)
        return self.references.resolved(rows)


@contextmanager
def opened(
    name: str, given: Format | None, defaults: Mapping[str, object], ignored: Collection[str] = ()
) -> Iterator[BatchFile]:
    """Open a batch file; ``-`` is standard input, whose rows name pictures from the current folder.

    Raises:
        ConfigurationError: It cannot be opened, or its format is not known.
    """
    with _open(name) as file:
        source = "<stdin>" if name == "-" else name
        yield BatchFile(
            source=source,
            format=format_of(name, given),
            defaults=defaults,
            ignored=ignored,
            references=LocalReferences(Path() if name == "-" else Path(name).parent, source),
            file=file,
        )


def _open(name: str) -> IO[bytes]:
    if name == "-":
        return _kept_stdin()
    path = Path(name)
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"{shown(name)} is not a regular file; `-` reads standard input.")
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{shown(name)} cannot be read: {error.strerror}.") from None


def _kept_stdin() -> IO[bytes]:
    if sys.stdin is None or sys.stdin.closed:
        raise ConfigurationError("standard input is closed.")
    kept = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # the caller closes it
    while piece := sys.stdin.buffer.read(2**16):
        kept.write(piece)
    return kept


def judged(rows: Iterable[Row | BadRow], source: str, judge: Judge) -> Iterator[Row | BadRow]:
    """Yield the rows, each checked against its model; those with problems become bad rows."""
    for row in rows:
        problems = judge(row.request).problems if isinstance(row, Row) else ()
        if isinstance(row, Row) and problems:
            yield BadRow(source=source, number=row.number, line=row.line, problems=problems)
        else:
            yield row


# Where videos go.

DEFAULT_NAME = "{index:04d}-{slug}.mp4"


@attrs.frozen
class OutputPlaces:
    """The files of a batch: a row's own ``output``, or else the template, under one folder."""

    folder: Path
    template: Template

    @classmethod
    def under(cls, folder: Path, name: str | None) -> OutputPlaces:
        """Return the places under a folder by a name template; braces in the folder's own name stay as they are.

        Raises:
            InvalidRequest: The template cannot be used.
        """
        if name is not None and (name.startswith(("/", "~")) or ".." in PurePath(name).parts):
            raise InvalidRequest.of("name", name, "must stay in the output folder: no leading / or ~, and no ..")
        literal = str(folder).replace("{", "{{").replace("}", "}}")
        template = Template.parse(f"{literal}/{name or DEFAULT_NAME}")
        template.require_unique()
        return cls(folder, template)

    def of(self, row: Row) -> Path | None:
        """Return where a row's video goes; None while that depends on its job's id or key."""
        if row.output is not None:
            return (self.folder / row.output).absolute()
        if self.template.needs_id or ("key" in self.template.fields and row.key is None):
            return None
        request = row.request
        rendered = self.template.render(
            index=row.number, id=None, key=row.key or "", model=request.model, slug=slug(request.prompt)
        )
        return Path(rendered).absolute()
