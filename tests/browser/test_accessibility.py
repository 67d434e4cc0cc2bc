"""Both pages against the rules of axe-core (WCAG 2 and good practice), in the light and in the dark."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from aihubmix_video.web.asset_files import assets
from aihubmix_video.web.cards import Card
from aihubmix_video.web.html import gallery_html
from tests.browser.conftest import running
from tests.browser.pages import cards, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

AXE = (files("axe_core_python") / "axe.min.js").read_text("utf-8")
CHECK = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then((found) => done(
  found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 120)}`))));
"""
CARDS = (
    Card(
        key="a",
        index=0,
        state="saved",
        prompt="a fox",
        model="sora-2",
        seconds=4,
        pixels=(1280, 720),
        content="./a.mp4",
        sha256="0" * 64,
    ),
    Card(
        key="b",
        index=1,
        state="failed",
        prompt="koi",
        model="wan2.6-t2v",
        error_type="JobFailed",
        error="it could not",
        charged="yes",
    ),
    Card(
        key="c",
        index=2,
        state="uncertain",
        prompt="a storm",
        error_type="SubmitUncertain",
        error="nobody knows",
        charged="unknown",
    ),
    Card(key="d", index=3, state="unfinished", prompt="a boat"),
)


@pytest.fixture(params=["light", "dark"])
def themed(browser: Chrome, request: pytest.FixtureRequest) -> Iterator[Chrome]:
    """Give a browser of a system that is light or dark."""
    scheme = {"name": "prefers-color-scheme", "value": request.param}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})
    yield browser
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def broken(browser: Chrome) -> list[str]:
    """Give every element that breaks a rule."""
    browser.execute_script(AXE)
    return browser.execute_async_script(CHECK)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a board with a gateway of its own."""
    with running("serve", "--sandbox", "--port", "0", "--speed", "60", folder=tmp_path_factory.mktemp("board")) as told:
        yield told["url"]


def test_the_gallery_keeps_the_rules(themed: Chrome, tmp_path: Path):
    """With every sort of card, and with the viewer open."""
    page = tmp_path / "index.html"
    page.write_bytes(gallery_html("Spring", CARDS, assets()))
    themed.get(page.as_uri())
    until(themed, lambda: len(cards(themed)) == len(CARDS), "cards")
    flat = broken(themed)
    cards(themed)[1].find_element(By.CSS_SELECTOR, "button[aria-label^=Details]").click()
    until(themed, lambda: themed.find_elements(By.CSS_SELECTOR, "dialog[open]"), "viewer")

    assert [] == flat + broken(themed)


def test_the_board_keeps_the_rules(themed: Chrome, url: str):
    """Empty or not, with everything that a form may have, and with what is wrong told."""
    themed.get(url)
    until(themed, lambda: themed.find_element(By.ID, "line").get_attribute("data-line") == "live", "live line")
    first = broken(themed)
    themed.find_element(By.CSS_SELECTOR, "#order summary").click()
    for model in ("doubao-seedance-2-0-260128", "kling-v1-6", "wan2.6-i2v"):
        themed.find_element(By.CSS_SELECTOR, f'#order-model option[value="{model}"]').click()
        first += broken(themed)
    themed.find_element(By.CSS_SELECTOR, "#order button[type=submit]").click()
    until(themed, lambda: themed.find_element(By.ID, "order-wrong").text, "word of what is wrong")
    first += broken(themed)
    themed.find_element(By.CSS_SELECTOR, '#order-model option[value="sora-2"]').click()
    themed.find_element(By.ID, "order-prompt").send_keys("a fox")
    themed.find_element(By.CSS_SELECTOR, "#order button[type=submit]").click()
    until(themed, lambda: cards(themed), "card")

    assert [] == first + broken(themed)
