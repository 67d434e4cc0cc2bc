"""The pages as text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.web.asset_files import assets
from aihubmix_video.web.cards import Card
from aihubmix_video.web.html import MARK, board_html, gallery_html, json_in_html, login_html

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<!--<script>",
    "]]>&lt;/script&gt;",
    "$title ${cards} $$",
    "line\u2028separator",
    "a lone \ud800 surrogate",
)


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and the texts of scripts and styles."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, str]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note what is inside a script or a style."""
        if self.elements and self.elements[-1][0] in {"script", "style"} and data.strip():
            self.inside.append((self.elements[-1][0], data))


def card(**known: object) -> Card:
    """Make a saved card."""
    return Card(**{"key": "k", "index": 0, "state": "saved", "content": "./a.mp4", **known})  # type: ignore[arg-type]


def data_of(page: bytes) -> list[dict[str, object]]:
    """Read the cards that a page holds, as its scripts do."""
    found = re.search(r'<script type="application/json" id="cards">(.*?)</script>', page.decode(), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(text: str):
    """A prompt, a name and an error come from anywhere; none may add an element, or reach the scripts as code."""
    plain = Page(gallery_html("title", [card(prompt="harmless"), card(state="failed", content=None)], assets()))
    cards = [
        card(prompt=text, name=text, model=text, content=f"./{text}"),
        card(state="failed", content=None, error=text),
    ]
    page = gallery_html(text, cards, assets())

    assert [tag for tag, _ in plain.elements] == [tag for tag, _ in Page(page).elements]
    assert [text, text] == [data_of(page)[0]["prompt"], data_of(page)[1]["error"]["message"]]  # type: ignore[index]


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_data_in_a_page_comes_out_as_it_went_in(value: object):
    """Escaped for the HTML around it, and JSON all the same."""
    text = json_in_html(value)

    assert value == json.loads(text)
    assert not {"<", ">", "&", "\u2028", "\u2029"} & set(text)


def test_a_page_runs_its_own_scripts_and_no_other():
    """The policy names each script by its hash; a byte more or less, and the browser would run nothing at all."""
    page = Page(gallery_html("title", [], assets()))
    policy = next(
        attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    for kind, text in page.inside:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        if not text.startswith("["):
            assert policy is not None
            assert f"'sha256-{digest}'" in re.search(rf"{kind}-src ([^;]*)", policy)[1]  # type: ignore[index]

    assert 4 == len(page.inside)
    assert "default-src 'none'" in (policy or "")
    assert "unsafe" not in (policy or "")


def test_a_gallery_reads_without_scripts():
    """Mail programs and careful browsers run none; the links are there all the same."""
    page = gallery_html("title", [card(prompt="a <b>", content="./a%20b.mp4")], assets()).decode()

    assert '<li><a href="./a%20b.mp4">a &lt;b&gt;</a></li>' in page


def test_a_gallery_is_known_for_ours_by_its_beginning():
    """Only a page of ours is ever replaced."""
    assert MARK.encode() in gallery_html("t" * 100_000, [], assets())[:4096]


@pytest.mark.parametrize("page", [board_html(assets()), login_html(assets())], ids=["board", "login"])
def test_a_page_that_is_served_needs_nothing_from_elsewhere(page: str):
    """No script in the page itself, no style in an attribute, no address of another host: the policy forbids all of them."""
    found = Page(page.encode())
    attributes = [(tag, *each) for tag, attrs in found.elements for each in attrs.items()]

    assert [] == found.inside
    assert [] == [each for each in attributes if each[1] == "style" or each[1].startswith("on")]
    assert [] == [each for each in attributes if each[1] in {"src", "href"} and re.match(r"[a-z]+:|/", each[2] or "")]
    assert [] == re.findall(r"\$\w", page)


@pytest.mark.parametrize("name", [name for name in assets() if name.endswith(".js")])
def test_scripts_never_write_markup(name: str):
    """What users and servers wrote is text for every script; these are the ways in which it could become more."""
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|DOMParser|createContextualFragment"

    assert [] == re.findall(forbidden, assets()[name])
