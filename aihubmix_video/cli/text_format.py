"""Numbers, and text from servers, as a person reads them."""

from __future__ import annotations

from aihubmix_video.protocol.sanitize import plain

__all__ = [
    "bytes_text",
    "error_text",
    "pixels_text",
    "safe",
    "seconds_text",
    "short_id",
    "span_text",
    "took_text",
    "usd_text",
]

MESSAGE = 2000
"""Characters of one message; an id alone may have 260."""

_STEPS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def safe(text: object, limit: int = MESSAGE) -> str:
    """Return any text as one printable line: what a server sent must not move the cursor or colour the screen."""
    return plain(str(text), limit)


def error_text(error: BaseException) -> str:
    """Return an error as one line of whole sentences."""
    advice = getattr(error, "advice", "")
    head = str(error).removesuffix(advice).rstrip()
    stop = "" if not advice or not head or head[-1] in ".!?" else "."
    return safe(f"{head}{stop} {advice}")


def bytes_text(count: int | None) -> str:
    """Return a size in three figures, in powers of ten as file managers do."""
    if count is None:
        return ""
    for step, unit in _STEPS:
        if count >= step:
            return f"{count / step:.1f} {unit}" if count < 100 * step else f"{count / step:.0f} {unit}"
    return f"{count} B"


def span_text(seconds: float | None) -> str:
    """Return a length of time as ``9s``, ``2:05`` or ``1:02:05``; an empty text if it is not known."""
    if seconds is None:
        return ""
    whole = max(round(seconds), 0)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest}s"


def took_text(seconds: float | None) -> str:
    """Return a measured time; to a tenth of a second while it is short."""
    return f"{seconds:.1f}s" if seconds is not None and seconds < 9.95 else span_text(seconds)


def seconds_text(seconds: float | None) -> str:
    """Return a video's length."""
    return "" if seconds is None else f"{seconds:g} s"


def pixels_text(size: tuple[int, int] | None) -> str:
    """Return the size of a video's picture."""
    return "" if size is None else f"{size[0]}x{size[1]}"


def usd_text(usd: float | None) -> str:
    """Return a sum of money, to the cent; less than one cent to four places."""
    if usd is None:
        return ""
    return f"${usd:,.2f}" if usd >= 0.01 or not usd else f"${usd:.4f}"


def short_id(video_id: str) -> str:
    """Return an id as tables show it, by both ends: many begin alike, and many end alike."""
    return video_id if len(video_id) <= 24 else f"{video_id[:4]}…{video_id[-18:]}"
