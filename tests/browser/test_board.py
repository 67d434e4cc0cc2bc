"""The live board in front of the local gateway, used as a person uses it."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from selenium.webdriver.common.by import By

from aihubmix_video.capabilities import find_capability, list_capabilities
from aihubmix_video.types.request import VideoRequest
from tests.browser.conftest import running
from tests.browser.pages import Keys, card_of, cards, choose, focused, is_playing, press, prompts, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

TOKEN = "correct-horse-battery"
SLOW = "40"  # times faster than the vendors: slow enough to see progress, and done in some seconds


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a board with a gateway of its own."""
    folder = tmp_path_factory.mktemp("board")
    with running("serve", "--sandbox", "--port", "0", "--speed", SLOW, folder=folder) as told:
        yield told["url"]


def opened(browser: Chrome, url: str) -> Chrome:
    """Open a board without what was typed into it before, and wait until it is live."""
    browser.get(f"{url}theme.js")
    browser.execute_script("sessionStorage.clear()")
    browser.get(url)
    until(browser, lambda: browser.find_element(By.ID, "line").get_attribute("data-line") == "live", "live line")
    return browser


def field(browser: Chrome, name: str) -> WebElement:
    """Find a field of the form."""
    return browser.find_element(By.CSS_SELECTOR, f'#order [data-field="{name}"]')


def pick(browser: Chrome, model: str) -> None:
    """Choose a model."""
    browser.find_element(By.CSS_SELECTOR, f'#order-model option[value="{model}"]').click()


def write(browser: Chrome, prompt: str) -> None:
    """Fill in the prompt."""
    area = browser.find_element(By.ID, "order-prompt")
    area.clear()
    area.send_keys(prompt)


def generate(browser: Chrome) -> None:
    """Press the button."""
    browser.find_element(By.CSS_SELECTOR, "#order button[type=submit]").click()


def asked(url: str, path: str, order: dict[str, object] | None = None) -> dict[str, object]:
    """Ask the server beside the page."""
    data = None if order is None else json.dumps(order).encode()
    opener = build_opener(ProxyHandler({}))
    with opener.open(Request(url.rstrip("/") + path, data, {"Content-Type": "application/json"})) as answer:  # noqa: S310
        return json.load(answer)


def jobs(url: str) -> list[dict[str, object]]:
    """Give all jobs of a server, the newest first."""
    return asked(url, "/videos/")["items"]  # type: ignore[return-value]


def finished(browser: Chrome, prompt: str) -> WebElement:
    """Wait until a video can be played."""

    def found() -> WebElement | None:
        card = card_of(browser, prompt)
        return card if card is not None and card.get_attribute("data-state") == "saved" else None

    return until(browser, found, "finished video")


def test_a_video_is_ordered_watched_and_played(browser: Chrome, url: str):
    """From the prompt to the moving picture, without a reload; and after a reload it is still there."""
    opened(browser, url)
    pick(browser, "sora-2")
    write(browser, "a lighthouse")
    field(browser, "frame").find_element(By.CSS_SELECTOR, 'input[value="16:9"]').click()
    told = browser.find_element(By.CSS_SELECTOR, ".buy .what").text
    generate(browser)
    bar = until(
        browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#wall [role=progressbar][aria-valuenow]"), "progress"
    )[0]
    before = float(bar.get_attribute("aria-valuenow") or 0)
    until(browser, lambda: float(bar.get_attribute("aria-valuenow") or 0) > before, "more progress")
    card = finished(browser, "a lighthouse")
    until(browser, lambda: browser.find_element(By.ID, "note").text == "Finished: a lighthouse", "word of it")
    facts = card.find_element(By.CLASS_NAME, "facts").text
    card.find_element(By.CLASS_NAME, "play").click()
    until(browser, lambda: is_playing(browser), "picture that moves")
    opened(browser, url)
    finished(browser, "a lighthouse").find_element(By.CLASS_NAME, "play").click()
    until(browser, lambda: is_playing(browser), "picture that moves")

    assert "$0.40\n4 s · 1280 × 720" == told
    assert ["sora-2", "4 s", "1280 × 720", "$0.40"] == facts.split("\n")


def test_what_failed_says_why_and_whether_it_cost_money(browser: Chrome, url: str):
    """It stays on the page, and can be filtered and ordered again."""
    opened(browser, url)
    pick(browser, "wan2.6-t2v")
    write(browser, "a storm [fail]")
    generate(browser)
    card = until(
        browser,
        lambda: (
            (found := card_of(browser, "a storm [fail]")) and found.get_attribute("data-state") == "failed" and found
        ),
        "failure",
    )
    reason = card.find_element(By.CLASS_NAME, "reason").text
    until(browser, lambda: browser.find_element(By.ID, "note").text.startswith("Failed: a storm"), "word of it")
    choose(browser, "failed")
    until(browser, lambda: set(prompts(browser)) == {"a storm [fail]"}, "failed ones alone")
    card.find_element(By.CSS_SELECTOR, "button[aria-label^='Order again']").click()

    assert "The video could not be generated" in reason
    assert "charged" in card.find_element(By.CLASS_NAME, "far").text.lower()
    assert ("order-prompt", "a storm [fail]") == (
        focused(browser),
        browser.find_element(By.ID, "order-prompt").get_attribute("value"),
    )
    assert "wan2.6-t2v" == browser.find_element(By.ID, "order-model").get_attribute("value")


def test_keys_alone_are_enough(browser: Chrome, url: str):
    """`n` begins a new video, Control and Enter order it, `/` searches; letters typed into a field stay letters."""
    opened(browser, url)
    press(browser, "n")
    assert "order-prompt" == focused(browser)
    press(browser, "ninety/nine foxes")
    press(browser, Keys.CONTROL, Keys.ENTER)
    finished(browser, "ninety/nine foxes")
    browser.execute_script("document.activeElement.blur()")
    press(browser, "/")
    assert "search" == focused(browser)
    press(browser, "FOXES ninety")
    until(browser, lambda: prompts(browser) == ["ninety/nine foxes"], "search result")
    told = browser.find_element(By.ID, "told")
    until(browser, lambda: told.get_attribute("textContent").startswith("1 of "), "word of it")


def test_a_double_click_buys_once(browser: Chrome, url: str):
    """Nor does a lost answer: the same order keeps its key until it was answered."""
    opened(browser, url)
    pick(browser, "wan2.6-t2v")
    write(browser, "bought once")
    browser.execute_script("const form = document.getElementById('order'); form.requestSubmit(); form.requestSubmit();")
    until(browser, lambda: card_of(browser, "bought once"), "card")
    write(browser, "answer lost")
    browser.execute_script(
        "const real = window.fetch; window.keys = [];"
        "window.fetch = async (...asked) => { const answer = await real(...asked); if (asked[1]?.method !== 'POST') return answer;"
        " window.keys.push(asked[1].headers['Idempotency-Key']); if (window.keys.length === 1) throw new TypeError('lost'); return answer; };"
    )
    generate(browser)
    wrong = browser.find_element(By.ID, "order-wrong")
    until(browser, lambda: "not bought twice" in wrong.text, "word of the lost answer")
    generate(browser)
    until(browser, lambda: browser.execute_script("return window.keys.length") == 2, "second try")
    first, second = browser.execute_script("return window.keys")
    until(browser, lambda: browser.find_element(By.ID, "order-prompt").get_attribute("value") == "", "answer")

    assert first == second
    assert [1, 1] == [
        len([job for job in jobs(url) if job["prompt"] == prompt]) for prompt in ("bought once", "answer lost")
    ]


def test_what_is_wrong_is_said_at_its_field(browser: Chrome, url: str):
    """By the page where it can tell, and else by the server; nothing is ordered."""
    opened(browser, url)
    before = len(jobs(url))
    write(browser, " ")
    generate(browser)
    wrong = browser.find_element(By.ID, "order-wrong")
    assert "Prompt: must not be empty." == wrong.text
    assert ("order-prompt", "true") == (
        focused(browser),
        browser.find_element(By.ID, "order-prompt").get_attribute("aria-invalid"),
    )
    pick(browser, "wan2.6-i2v")
    write(browser, "from a picture")
    generate(browser)
    assert wrong.text.startswith("Image")
    field(browser, "input_reference").find_element(By.CSS_SELECTOR, "input[type=url]").send_keys("no address")
    generate(browser)
    until(browser, lambda: "http(s) or data URL" in wrong.text, "word of the server")

    assert before == len(jobs(url))


def test_a_picture_of_ones_own_goes_along(browser: Chrome, url: str, tmp_path: Path):
    """Chosen as a file, shown, and sent as it is."""
    picture = tmp_path / "first.png"
    opened(browser, url)
    data = browser.execute_script(
        "const canvas = document.createElement('canvas'); canvas.width = canvas.height = 320; return canvas.toDataURL('image/png');"
    )
    picture.write_bytes(b64decode(data.partition(",")[2]))
    pick(browser, "wan2.6-i2v")
    write(browser, "from my picture")
    field(browser, "input_reference").find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(picture))
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#order img.thumb"), "picture")
    generate(browser)
    finished(browser, "from my picture")


def test_every_model_has_a_form_that_orders_what_it_takes(browser: Chrome, url: str):
    """The form in the page builds the order itself; for every model the check accepts it, as offered first and with each picture."""
    opened(browser, url)
    orders = browser.execute_async_script(
        """
        const done = arguments[0];
        fetch('config.json').then((answer) => answer.json()).then(({ models }) => {
          const found = [];
          for (const model of models) {
            const form = document.createElement('form');
            sessionStorage.removeItem('aihubmix-video draft');
            const made = Order.make({ form, models, extraBody: true, buy: () => {} });
            const set = (input, value) => { input.value = value; input.dispatchEvent(new Event('change', { bubbles: true })); input.dispatchEvent(new Event('input', { bubbles: true })); };
            document.body.append(form);
            set(form.querySelector('select'), model.model);
            set(form.querySelector('textarea'), 'a fox');
            for (const rule of model.references.filter((each) => each.required)) set(form.querySelector(`[data-field=${rule.field}] input`), 'https://example.com/a.png');
            const frames = [...form.querySelectorAll('input[name=frame]')].map((each) => each.value);
            for (const frame of frames) {
              form.querySelector(`input[name=frame][value="${frame}"]`).click();
              const tiers = [...form.querySelectorAll('input[name=tier]:not(:disabled)')].map((each) => each.value);
              for (const tier of tiers.length ? tiers : [null]) {
                if (tier !== null) form.querySelector(`input[name=tier][value="${tier}"]`).click();
                found.push(made.read());
              }
            }
            form.remove();
          }
          done(found);
        });
        """
    )
    wrong = []
    for each in orders:
        request = VideoRequest.from_mapping(each["order"])
        capability = find_capability(request.model)
        wrong += [
            str(found) for found in (*each["problems"], *(capability.check(request) if capability else ["no table"]))
        ]

    assert [] == wrong
    assert {each.model for each in list_capabilities()} == {each["order"]["model"] for each in orders}
    assert len(orders) > 80


def test_money_is_spent_only_after_a_word(browser: Chrome, tmp_path: Path):
    """In front of a real gateway the page asks first, and tells the price; and it lives through a restart of the server."""
    with running("sandbox", "--speed", "120", folder=tmp_path) as gateway:
        env = {"AIHUBMIX_BASE_URL": gateway["url"], "AIHUBMIX_API_KEY": gateway["api_key"]}
        pace = ("--poll-interval", "0.3", "--rate", "50")
        with running("serve", "--port", "0", *pace, folder=tmp_path, **env) as told:
            url = told["url"]
            opened(browser, url)
            write(browser, "a fox")
            generate(browser)
            ask = until(browser, lambda: browser.find_element(By.CSS_SELECTOR, "dialog.ask[open]"), "question")
            words = ask.text
            press(browser, Keys.ESCAPE)
            until(browser, lambda: not browser.find_elements(By.CSS_SELECTOR, "dialog.ask"), "end of the question")
            none = jobs(url)
            generate(browser)
            until(browser, lambda: browser.find_element(By.CSS_SELECTOR, "dialog.ask[open]"), "question")
            press(browser, Keys.ENTER)
            until(browser, lambda: card_of(browser, "a fox"), "card")
        line = browser.find_element(By.ID, "line")
        until(browser, lambda: line.get_attribute("data-line") != "live", "word of the lost line")
        with running("serve", "--port", url.rstrip("/").rpartition(":")[2], *pace, folder=tmp_path, **env):
            finished(browser, "a fox").find_element(By.CLASS_NAME, "play").click()
            until(browser, lambda: is_playing(browser), "picture that moves")
            until(browser, lambda: line.get_attribute("data-line") == "live", "live line")
            bought = [job["prompt"] for job in jobs(url)]
            browser.get("about:blank")

    assert "$0.40" in words
    assert "Buy for $0.40" in words
    assert ([], ["a fox"]) == (none, bought)


def test_the_token_is_asked_for_once(browser: Chrome, tmp_path: Path):
    """And then everything works by its cookie: the requests, the events, the videos; scripts cannot see it."""
    with running(
        "serve", "--sandbox", "--speed", "600", "--port", "0", folder=tmp_path, AIHUBMIX_BOARD_TOKEN=TOKEN
    ) as told:
        browser.get(told["url"])
        until(browser, lambda: browser.current_url.endswith("/login"), "door")
        press(browser, "wrong-horse-battery", Keys.ENTER)
        until(browser, lambda: "not the token" in browser.find_element(By.ID, "wrong").text, "word of it")
        press(browser, TOKEN, Keys.ENTER)
        until(browser, lambda: browser.find_elements(By.ID, "line"), "board")
        until(browser, lambda: browser.find_element(By.ID, "line").get_attribute("data-line") == "live", "live line")
        write(browser, "a fox")
        generate(browser)
        finished(browser, "a fox").find_element(By.CLASS_NAME, "play").click()
        until(browser, lambda: is_playing(browser), "picture that moves")
        seen = browser.execute_script("return document.cookie")
        browser.get("about:blank")
        browser.get(told["url"])
        browser.delete_all_cookies()
        browser.get("about:blank")

    assert "" == seen


def test_light_and_dark_follow_the_system_until_somebody_chooses(browser: Chrome, url: str):
    """The choice holds after a reload."""

    def ground(scheme: str) -> str:
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        return str(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))

    opened(browser, url)
    light, dark = ground("light"), ground("dark")
    browser.find_element(By.CSS_SELECTOR, "[data-theme-switch]").click()
    chosen = ground("dark")
    opened(browser, url)
    kept = ground("dark")
    browser.execute_script("localStorage.clear()")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    assert light != dark
    assert light == chosen == kept


def test_on_a_phone_nothing_sticks_out(browser: Chrome, url: str):
    """The page is as wide as the screen, whatever is on it."""
    asked(url, "/videos/", {"model": "wan2.6-t2v", "prompt": "W" * 300})
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        opened(browser, url)
        until(browser, lambda: "W" * 300 in prompts(browser), "card")
        for model in list_capabilities():
            pick(browser, model.model)
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            assert 360 == wide, model.model
    finally:
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
    assert cards(browser)
