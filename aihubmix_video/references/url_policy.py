"""Which reference URLs may be passed on when they come from untrusted callers.

This package does not fetch them; the gateway or the vendor does. But a server that passes on every URL lends its name and
account to any caller who wants to reach a host from there. So what can be seen in the text of a URL is judged: its scheme, and
whether its host is one of the public internet (see `addresses`). Names are not looked up: what a name means here need not be
what it means to the vendor, and may be something else a second later. For more certainty, allow certain hosts only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import attrs

from aihubmix_video.errors import Problem
from aihubmix_video.references.addresses import is_never_contacted, is_public_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aihubmix_video.types.request import VideoRequest

__all__ = ["UrlPolicy"]

REFERENCES: Final = ("input_reference", "image", "image_tail", "image_list", "video_list", "content", "extra_body")
"""The fields in which a URL may stand."""

URL: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)


@attrs.frozen(kw_only=True)
class UrlPolicy:
    """What may be passed on.

    Attributes:
        schemes: Schemes that are allowed: ``http``, ``https`` and ``data``, or some of them.
        hosts: Hosts that are allowed; ``*.example.com`` stands for every name below ``example.com``. None for every public
            host.
        private: Whether hosts that are not public are allowed, such as on a closed network of one's own. Link-local
            addresses and the metadata services of clouds are refused even then.
    """

    schemes: frozenset[str] = frozenset({"https", "http", "data"})
    hosts: tuple[str, ...] | None = None
    private: bool = False

    def problems(self, request: VideoRequest) -> list[Problem]:
        """Return a problem for every reference that may not be passed on; what is not a URL is judged elsewhere."""
        return [
            problem
            for field in REFERENCES
            for where, text in _texts(field, getattr(request, field))
            if (problem := self._judged(where, text)) is not None
        ]

    def _judged(self, where: str, text: str) -> Problem | None:
        found = URL.match(text)
        if found is None:
            return None
        scheme = found[1].lower()
        if scheme not in self.schemes:
            allowed = sorted(self.schemes)
            return Problem.of(where, text, f"{scheme}: URLs are not allowed here", allowed=allowed)
        return None if scheme == "data" else self._judged_host(where, text)

    def _judged_host(self, where: str, url: str) -> Problem | None:
        try:
            parts = urlsplit(url.strip())
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return Problem.of(where, url, "is not a valid URL")
        if parts.username is not None or parts.password is not None or "\\" in url:
            return Problem.of(where, "…", "must hold neither a user name nor a backslash")
        if self.hosts is not None and not any(_covers(pattern, host) for pattern in self.hosts):
            return Problem.of(where, url, "names a host that is not allowed here", allowed=self.hosts)
        if not self.private and not is_public_host(host):
            return Problem.of(where, url, "does not name a host of the public internet")
        if is_never_contacted(host):
            return Problem.of(where, url, "names a link-local address or a cloud metadata service")
        return None


def _texts(where: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield every text in a value, however deep, with the path to it."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(f"{where}.{name}", item)
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _texts(f"{where}[{place}]", item)


def _covers(pattern: str, host: str) -> bool:
    """Return whether a host is one of those that a pattern stands for."""
    wanted, given = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if wanted.startswith("*."):
        return given.endswith(wanted[1:]) and len(given) > len(wanted[1:])
    return given == wanted
