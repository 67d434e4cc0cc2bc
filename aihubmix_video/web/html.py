"""The pages as HTML. What users and servers wrote goes in as data: escaped here, and only ever text for the scripts."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from string import Template
from typing import TYPE_CHECKING

from aihubmix_video.web.cards import summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aihubmix_video.web.cards import Card

__all__ = ["MARK", "board_html", "gallery_html", "json_in_html", "login_html"]

MARK = '<meta name="generator" content="aihubmix-video gallery">'
"""By this a page is known for one of ours, which may be written again."""

SCRIPTS = ("words.js", "cards.js", "wall.js", "gallery.js")
_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def json_in_html(value: object) -> str:
    """Write JSON that may stand between script tags: nothing in it can end the script or begin markup."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)


def gallery_html(title: str, cards: Sequence[Card], assets: Mapping[str, str]) -> bytes:
    """Write a batch as one page that needs nothing but the files beside it.

    Args:
        title: Its heading.
        cards: In the order in which they are shown.
        assets: Texts of the style, the scripts and the templates, by file name.

    Returns:
        UTF-8; what UTF-8 cannot hold is escaped.
    """
    early, late, style = assets["theme.js"], "\n".join(assets[name] for name in SCRIPTS), assets["page.css"]
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file: blob: data:; media-src 'self' file:; "
        f"style-src {_hash(style)}; script-src {_hash(early)} {_hash(late)}"
    )
    page = Template(assets["gallery.html"]).substitute(
        mark=MARK,
        policy=escape(policy),
        title=escape(title),
        sums=escape(summary(cards)),
        filters=_filters(assets, "Not finished"),
        list="\n".join(map(_plain_item, cards)),
        cards=json_in_html([card.plain() for card in cards]),
        style=style,
        early=early,
        late=late,
    )
    return page.encode("utf-8", "backslashreplace")


def board_html(assets: Mapping[str, str]) -> str:
    """Write the board's page; everything that changes comes to it as JSON."""
    return Template(assets["board.html"]).substitute(filters=_filters(assets, "Running"))


def login_html(assets: Mapping[str, str]) -> str:
    """Write the page that asks for the token."""
    return assets["login.html"]


def _filters(assets: Mapping[str, str], word: str) -> str:
    """*word* names what is neither saved nor failed."""
    return Template(assets["filters.html"]).substitute(word=word)


def _plain_item(card: Card) -> str:
    """One row of the list for readers without scripts."""
    words = escape(card.prompt or card.name or card.key)
    if card.content is None:
        return f"<li>{words} ({escape(card.error or card.state)})</li>"
    return f'<li><a href="{escape(card.content)}">{words}</a></li>'


def _hash(text: str) -> str:
    """Name a piece of style or script by its content, so that a browser runs this one and no other."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
