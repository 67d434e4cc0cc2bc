"""From what a user typed to what a job needs."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from aihubmix_video.capabilities import find_capability, find_problems
from aihubmix_video.capabilities.schema import MEDIA
from aihubmix_video.errors import InvalidRequest
from aihubmix_video.types.request import VideoParams, VideoRequest

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.capabilities import Validate
    from aihubmix_video.polling.policy import Kind

__all__ = ["RequestChecker", "VideoWarning", "build_request", "kind_of", "literal_path", "make_folder"]


def build_request(prompt: str | VideoRequest, model: str | None, params: VideoParams) -> VideoRequest:
    """Make one request of a prompt, or a whole request, and keyword arguments.

    Raises:
        InvalidRequest: A whole request is given and something beside it, or a field does not exist.
    """
    if isinstance(prompt, VideoRequest):
        beside = next(iter({"model": model, **params} if model is not None else params), None)
        if beside is not None:
            raise InvalidRequest.of(
                beside, params.get(beside, model), "is given beside a VideoRequest; set it in there"
            )
        return prompt
    capability = find_capability(model or "")
    if "duration" in params and capability is not None and not capability.duration_alias:
        raise InvalidRequest.of("duration", params["duration"], f"{model} takes only seconds", nearest="seconds")
    return VideoRequest.from_mapping({"prompt": prompt, "model": model, **params})


MAX_WARNINGS = 1000
"""Different warnings in one session: they name models, and so may be as many as strangers think of names."""


class VideoWarning(UserWarning):
    """A request that may be sent, but of which the vendor is known to refuse or ignore something."""


class RequestChecker:
    """Judges requests as the session's `validate` asks for, and warns of each thing once."""

    def __init__(self, validate: Validate) -> None:
        self._validate = validate
        self._warned: set[str] = set()

    def check(self, request: VideoRequest, *, quiet: bool = False) -> None:
        """Let a request pass, or raise `InvalidRequest` with every problem.

        Args:
            request: What is asked for.
            quiet: Whether what is doubtful counts as told already, as with requests of strangers.
        """
        verdict = find_problems(request, validate=self._validate)
        if verdict.problems:
            raise InvalidRequest(verdict.problems)
        for text in verdict.warnings:
            if text not in self._warned and len(self._warned) < MAX_WARNINGS:
                self._warned.add(text)
                if not quiet:
                    warnings.warn(text, VideoWarning, stacklevel=5)


def kind_of(request: VideoRequest) -> Kind:
    """Say what a job has in common with those that take equally long: model, length, size, and mode with what it is made from."""
    capability = find_capability(request.model)
    given = [field for field in MEDIA if getattr(request, field) is not None]
    if capability is None:
        return _shared(request.model, str(request.seconds or ""), str(request.size or ""), _mode(request.mode, given))
    size = capability.size_of(request)
    pixels = f"{size.width}x{size.height}" if size is not None else ""
    usual = capability.options["mode"].default if "mode" in capability.options else None
    seconds = str(capability.seconds_of(request) or "")
    return _shared(request.model, seconds, pixels, _mode(request.mode or usual, given))


def _mode(asked: object, given: list[str]) -> str:
    return " ".join([str(asked or ""), *given]).strip()


@lru_cache(maxsize=1024)
def _shared(*parts: str) -> Kind:
    """Give equal kinds as one object: there are few, and many jobs hold one."""
    return parts


def literal_path(path: object, field: str = "to", such_as: str = "cat.mp4") -> str:
    """Read a path that a user named literally, as this argument.

    Raises:
        InvalidRequest: It is no path.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise InvalidRequest.of(field, path, f"must name a file, such as {such_as!r}")
    return text


def make_folder(folder: Path) -> None:
    """Make a folder and those it lies in; where that fails, `files.check_target` says why nothing can be written there."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
