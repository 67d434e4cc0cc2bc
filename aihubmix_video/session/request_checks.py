"""From the arguments of a user to the checked request of a job."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from aihubmix_video.capabilities import BUILT_IN
from aihubmix_video.capabilities.schema import MEDIA
from aihubmix_video.errors import InvalidRequest
from aihubmix_video.types.request import VideoParams, VideoRequest

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.capabilities import CapabilitySet, Validate
    from aihubmix_video.polling.policy import Kind

__all__ = ["RequestChecker", "VideoWarning", "build_request", "kind_of", "literal_path", "make_folder"]


def build_request(
    prompt: str | VideoRequest, model: str | None, params: VideoParams, capabilities: CapabilitySet = BUILT_IN
) -> VideoRequest:
    """Return the request that a prompt and keyword arguments describe, or the whole request that was passed.

    Raises:
        InvalidRequest: Other arguments are given beside a whole request, or a field does not exist.
    """
    if isinstance(prompt, VideoRequest):
        beside = next(iter({"model": model, **params} if model is not None else params), None)
        if beside is not None:
            raise InvalidRequest.of(
                beside, params.get(beside, model), "is given beside a VideoRequest; set it in the request"
            )
        return prompt
    capability = capabilities.find(model)
    if "duration" in params and capability is not None and not capability.duration_alias:
        raise InvalidRequest.of("duration", params["duration"], f"{model} takes only seconds", nearest="seconds")
    return VideoRequest.from_mapping({"prompt": prompt, "model": model, **params})


MAX_WARNINGS = 1000
"""The most different warnings in one session. They name models, so clients could cause any number of them."""


class VideoWarning(UserWarning):
    """A request that may be sent, although the vendor is known to refuse or ignore a part of it."""


class RequestChecker:
    """Checks requests as the session's `validate` demands, and gives each warning once."""

    def __init__(self, validate: Validate, capabilities: CapabilitySet = BUILT_IN) -> None:
        self._validate = validate
        self._capabilities = capabilities
        self._warned: set[str] = set()

    def check(self, request: VideoRequest, *, quiet: bool = False) -> None:
        """Check a request, and raise `InvalidRequest` with every problem if there is any.

        Args:
            request: The request.
            quiet: Whether warnings are recorded as given without being shown, as for the requests of clients.
        """
        verdict = self._capabilities.judge(request, validate=self._validate)
        if verdict.problems:
            raise InvalidRequest(verdict.problems)
        for text in verdict.warnings:
            if text not in self._warned and len(self._warned) < MAX_WARNINGS:
                self._warned.add(text)
                if not quiet:
                    warnings.warn(text, VideoWarning, stacklevel=5)


def kind_of(request: VideoRequest, capabilities: CapabilitySet = BUILT_IN) -> Kind:
    """Return what jobs that take equally long have in common: model, length, size, and mode with the media fields."""
    capability = capabilities.find(request.model)
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
    """Return the same object for equal kinds: there are few kinds, and many jobs that hold one."""
    return parts


def literal_path(path: object, field: str = "to", such_as: str = "cat.mp4") -> str:
    """Return a path that a user gave as this argument, as text.

    Raises:
        InvalidRequest: It is not a path.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise InvalidRequest.of(field, path, f"must name a file, such as {such_as!r}")
    return text


def make_folder(folder: Path) -> None:
    """Create a folder and its parents. If that fails, `filesystem.check_target` reports why it cannot be written to."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
