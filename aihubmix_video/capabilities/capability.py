"""`Capability`: a model's table together with the checks that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities import check
from aihubmix_video.capabilities.schema import ModelTable

if TYPE_CHECKING:
    from aihubmix_video.errors import Problem
    from aihubmix_video.types.request import VideoRequest

__all__ = ["Capability"]


@attrs.frozen(kw_only=True)
class Capability(ModelTable):
    """What one model accepts and returns, and whether a request fits it; see `ModelTable` for the attributes."""

    def check(self, request: VideoRequest) -> tuple[Problem, ...]:
        """Return everything that is wrong with a request, without sending or reading anything.

        Args:
            request: Its ``model`` is not compared with this one's. References on disk are not looked at.

        Returns:
            Every problem at once, in the order of the request's fields; empty when it may be sent.
        """
        return check.judge(self, request)[0]

    def warnings(self, request: VideoRequest) -> tuple[str, ...]:
        """Return warnings about what may be sent, but which the vendor is known to refuse or ignore at times."""
        return check.judge(self, request)[1]
