"""What must be there before anything else is imported: Python and the HTTP library, new enough."""

import sys
from importlib.metadata import PackageNotFoundError, version

PYTHON = (3, 11)
AIOHTTP = (3, 14, 4)  # earlier ones fail on good bodies under a slow reader


def complaint(python: "tuple[int, ...]", aiohttp: "str | None") -> "str | None":
    """Return what is too old or missing; None if nothing is."""
    if python[:2] < PYTHON:
        return "aihubmix_video needs Python {}.{} or later; this is {}.{}".format(*PYTHON, *python[:2])
    if aiohttp is None:
        return "aihubmix_video needs aiohttp: pip install aihubmix-video"
    found = tuple(int(part) for part in aiohttp.split(".")[:3] if part.isdigit())
    if found < AIOHTTP:
        least = ".".join(map(str, AIOHTTP))
        return f"aihubmix_video needs aiohttp {least} or later, and below 4; this is {aiohttp}: pip install -U aiohttp"
    return None


def _installed(name: str) -> "str | None":
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if (said := complaint(sys.version_info[:3], _installed("aiohttp"))) is not None:
    raise ImportError(said)
