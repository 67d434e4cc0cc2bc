"""Pictures that the rows of a batch file name by their path, relative to that file.

Only the command line does this, for files that its user gave it: anywhere else a string is never opened as a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.batch_file import BadRow, Row
from aihubmix_video.errors import Problem
from aihubmix_video.references.inspect import content_url, may_be_path, read_medium, with_content_url
from aihubmix_video.storage.reference_files import read_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aihubmix_video.types.request import VideoRequest

__all__ = ["LocalReferences"]

FIELDS = ("input_reference", "image", "image_tail")
PICTURE = "image_url.url"


@attrs.define
class LocalReferences:
    """Replaces paths in rows by files, each looked at once, however many rows name it.

    Attributes:
        folder: Where relative paths begin.
        source: The batch file's name, for messages.
    """

    folder: Path
    source: str
    _seen: dict[Path, Problem | None] = attrs.field(factory=dict, repr=False)

    def resolved(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """Yield the rows, with files in place of paths; a row whose file is not a usable picture becomes a bad row."""
        for row in rows:
            yield self._resolved(row) if isinstance(row, Row) else row

    def names_files(self, request: VideoRequest) -> bool:
        """Return whether a request, also one whose paths were replaced, has pictures that are files here."""
        given = [getattr(request, field) for field in FIELDS]
        given += request.image_list if isinstance(request.image_list, (list, tuple)) else ()
        held = map(content_url, request.content) if isinstance(request.content, (list, tuple)) else ()
        given += [each[1] for each in held if each]
        return any(isinstance(each, Path) for each in given)

    def _resolved(self, row: Row) -> Row | BadRow:
        found = dict(self._files(row.request))
        if not found:
            return row
        problems = [
            attrs.evolve(problem, field=field)
            for field, path in found.items()
            if (problem := self._problem(field, path)) is not None
        ]
        if problems:
            return BadRow(source=self.source, number=row.number, line=row.line, problems=tuple(problems))
        request = row.request
        changes: dict[str, object] = {field: found[field] for field in FIELDS if field in found}
        if isinstance(request.image_list, (list, tuple)):
            items = enumerate(request.image_list)
            changes["image_list"] = tuple(found.get(f"image_list[{place}]", item) for place, item in items)
        if isinstance(request.content, (list, tuple)):
            changes["content"] = tuple(
                with_content_url(item, found[name]) if (name := _place(place, item)) in found else item
                for place, item in enumerate(request.content)
            )
        return attrs.evolve(row, request=attrs.evolve(request, **changes))  # type: ignore[arg-type]  # fields by name

    def _files(self, request: VideoRequest) -> Iterator[tuple[str, Path]]:
        given = [(field, getattr(request, field)) for field in FIELDS]
        if isinstance(request.image_list, (list, tuple)):
            given += [(f"image_list[{place}]", item) for place, item in enumerate(request.image_list)]
        if isinstance(request.content, (list, tuple)):
            pictures = enumerate(map(content_url, request.content))
            given += [
                (f"content[{place}].{held[0]}", held[1]) for place, held in pictures if held and held[0] == PICTURE
            ]
        for field, value in given:
            if isinstance(value, str) and may_be_path(value):
                yield field, self.folder / value.strip()

    def _problem(self, field: str, path: Path) -> Problem | None:
        if path not in self._seen:
            data = read_path(field, path)
            found = data if isinstance(data, Problem) else read_medium(field, data)
            self._seen[path] = attrs.evolve(found, value=f"{str(path)!r}") if isinstance(found, Problem) else None
        return self._seen[path]


def _place(place: int, item: object) -> str:
    held = content_url(item)
    return "" if held is None else f"content[{place}].{held[0]}"
