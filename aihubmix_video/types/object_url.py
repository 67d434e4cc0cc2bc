"""The URL of an object in an object store, such as ``s3://bucket/run/cat.mp4``."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Self

import attrs

__all__ = ["ObjectUrl", "names_store", "split_root"]

_ROOT = re.compile(r"(s3|gs|az):/{1,2}([^/{}]+)/(.+)", re.ASCII | re.DOTALL)
"""pathlib makes one slash of two, so a URL that went through a `Path` is read all the same."""


def split_root(text: str) -> tuple[str, str] | None:
    """Return a URL's root, such as ``s3://bucket``, and the rest without its slash; None for anything else."""
    found = _ROOT.fullmatch(text)
    return None if found is None else (f"{found[1]}://{found[2]}", found[3])


def names_store(text: str) -> bool:
    """Return whether *text* begins as an object's URL does, even if it is not a whole one."""
    return text.startswith(("s3://", "gs://", "az://"))


@attrs.frozen
class ObjectUrl:
    """Where an object lies.

    Attributes:
        root: The store, such as ``s3://bucket``.
        key: The object's key in it, without a leading slash.
    """

    root: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the URL that *text* is; None for anything else, such as a path."""
        parts = split_root(text)
        return None if parts is None else cls(*parts)

    def with_suffix(self, suffix: str) -> Self:
        """Return the URL with another suffix."""
        return attrs.evolve(self, key=str(PurePosixPath(self.key).with_suffix(suffix)))

    def __str__(self) -> str:
        return f"{self.root}/{self.key}"
