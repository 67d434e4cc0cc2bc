"""The gallery, opened from disk as a person opens it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from tests.browser.conftest import PROGRAM
from tests.browser.pages import Keys, card_of, cards, choose, focused, is_playing, press, prompts, until

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><svg onload=\"document.title='owned'\">"
ROWS = (
    {"model": "wan2.5-t2v-preview", "prompt": "a fox", "seconds": 5, "size": "832x480"},
    {"model": "kling-v2-6", "prompt": "koi in a pond", "seconds": 5, "aspect_ratio": "9:16"},
    {"model": "wan2.5-t2v-preview", "prompt": HOSTILE, "seconds": 5, "size": "480x832"},
    {"model": "wan2.5-t2v-preview", "prompt": "a storm [fail]", "seconds": 5},
)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a batch with its gallery, in a folder whose name needs escaping."""
    folder = tmp_path_factory.mktemp("100% #1 <b>")
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AIHUBMIX_")}
    command = (
        "batch",
        "rows.jsonl",
        "-o",
        str(folder / "out <&>"),
        "--gallery",
        "--sandbox",
        "--speed",
        "600",
        "--quiet",
    )
    done = subprocess.run((*PROGRAM, *command), cwd=folder, env=mine, capture_output=True, check=False)  # noqa: S603 - ourselves
    assert 1 == done.returncode, done.stderr  # one of the rows fails
    return folder / "out <&>" / "index.html"


@pytest.fixture
def page(browser: Chrome, gallery: Path) -> Chrome:
    """Open the gallery from disk."""
    browser.get(gallery.as_uri())
    until(browser, lambda: len(cards(browser)) == len(ROWS), "cards")
    return browser


def test_every_row_is_a_card_and_words_stay_words(page: Chrome):
    """What was asked for is shown as it was written, and runs nothing."""
    until(page, lambda: len(page.find_elements(By.CSS_SELECTOR, "#wall img.picture")) == 3, "pictures")

    assert [row["prompt"] for row in ROWS] == prompts(page)
    assert "out <&>" == page.find_element(By.TAG_NAME, "h1").text == page.title
    assert [] == page.find_elements(By.CSS_SELECTOR, "#wall img[src=x], #wall svg[onload]")
    assert ["saved", "saved", "saved", "failed"] == [each.get_attribute("data-state") for each in cards(page)]
    assert (
        "inappropriate content. Change the prompt"
        in cards(page, "failed")[0].find_element(By.CLASS_NAME, "reason").text
    )


def test_a_video_plays_from_disk(page: Chrome):
    """In its place in the grid; another one stops it."""
    play = [each.find_element(By.CLASS_NAME, "play") for each in cards(page, "saved")]
    play[0].click()
    until(page, lambda: is_playing(page), "picture that moves")
    play[1].click()
    until(page, lambda: is_playing(page), "picture that moves")

    assert 1 == len(page.find_elements(By.CSS_SELECTOR, "#wall video"))


def test_states_models_and_words_filter(page: Chrome):
    """Each alone and all together; nothing found says so, and leads back."""
    choose(page, "failed")
    until(page, lambda: prompts(page) == ["a storm [fail]"], "failed one alone")
    choose(page, "all")
    page.find_element(By.CSS_SELECTOR, "#model option[value=kling-v2-6]").click()
    until(page, lambda: prompts(page) == ["koi in a pond"], "model alone")
    press(page, Keys.ESCAPE)
    page.find_element(By.ID, "search").send_keys("POND koi")
    until(page, lambda: prompts(page) == ["koi in a pond"], "words in any order")
    page.find_element(By.ID, "search").send_keys(" zebra")
    until(page, lambda: page.find_element(By.ID, "empty").is_displayed(), "word of it")
    page.find_element(By.CSS_SELECTOR, "#empty button").click()
    until(page, lambda: len(cards(page)) == len(ROWS), "cards again")


def test_it_can_be_used_by_keys_alone(page: Chrome):
    """`/` searches; the viewer opens, goes on and closes, and gives the focus back."""
    press(page, "/")
    assert "search" == focused(page)
    press(page, "fox")
    until(page, lambda: prompts(page) == ["a fox"], "fox")
    press(page, Keys.ESCAPE)
    until(page, lambda: len(cards(page)) == len(ROWS), "cards again")
    details = cards(page)[0].find_element(By.CSS_SELECTOR, "button[aria-label^=Details]")
    details.send_keys(Keys.ENTER)
    until(page, lambda: is_playing(page), "picture that moves")
    press(page, Keys.ARROW_RIGHT)
    until(page, lambda: page.find_element(By.CSS_SELECTOR, ".viewer .words").text == "koi in a pond", "next video")
    press(page, Keys.ESCAPE)
    until(page, lambda: not page.find_elements(By.CSS_SELECTOR, "dialog[open]"), "end of the viewer")

    assert details == page.switch_to.active_element


def test_the_links_lead_to_the_files(page: Chrome, gallery: Path):
    """Whatever their names; relative, so that the folder can be moved."""
    links = [each.get_dom_attribute("href") for each in page.find_elements(By.CSS_SELECTOR, ".foot a")]
    reachable = page.execute_async_script(
        "const [links, done] = arguments;"
        "Promise.all(links.map((link) => new Promise((end) => {"
        " const video = document.createElement('video'); video.onloadedmetadata = () => end(true); video.onerror = () => end(false); video.src = link;"
        "}))).then(done);",
        links,
    )

    assert [True] * 3 == reachable
    assert all(link is not None and link.startswith("./") for link in links)
    assert card_of(page, "a fox") is not None
    assert 3 == len(list((gallery.parent / "posters").iterdir()))


def test_a_page_shows_its_picture_without_posters(page: Chrome, gallery: Path):
    """Where PyAV was not there, the browser draws the first picture itself."""
    data = gallery.read_bytes()
    bare = gallery.with_name("bare.html")
    bare.write_bytes(data.replace(b'"poster":', b'"no poster":'))
    page.get(bare.as_uri())
    until(page, lambda: len(page.find_elements(By.CSS_SELECTOR, "#wall .picture")) == 3, "pictures")
