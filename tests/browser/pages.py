"""Reading a page as a person does: by what is on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 20.0  # seconds; far more than anything here takes
OFTEN = 0.05


def until(browser: Chrome, found: Callable[[], Any], what: str) -> Any:  # noqa: ANN401  # whatever it finds
    """Wait until *found* gives something, and give it."""
    waiting = WebDriverWait(browser, PATIENCE, OFTEN, ignored_exceptions=(StaleElementReferenceException,))
    return waiting.until(lambda _: found(), f"no {what}")


def cards(browser: Chrome, state: str | None = None) -> list[WebElement]:
    """Give the cards that are shown."""
    wanted = "" if state is None else f'[data-state="{state}"]'
    return browser.find_elements(By.CSS_SELECTOR, f"#wall .card:not(.skeleton){wanted}")


def prompts(browser: Chrome) -> list[str]:
    """Give the prompts on the cards, in order."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#wall .card .prompt')].map((each) => each.textContent)"
    )


def card_of(browser: Chrome, prompt: str) -> WebElement | None:
    """Find the card with this prompt."""
    return next((each for each in cards(browser) if each.find_element(By.CLASS_NAME, "prompt").text == prompt), None)


def choose(browser: Chrome, group: str) -> None:
    """Click a tab of the filter."""
    browser.find_element(By.CSS_SELECTOR, f"#tabs input[value={group}]").click()


def press(browser: Chrome, *keys: str) -> None:
    """Type on the page, wherever the focus is."""
    browser.switch_to.active_element.send_keys(*keys)


def is_playing(browser: Chrome) -> bool:
    """Whether a video on the page has pictures, and its time goes on."""
    video = browser.execute_script(
        "const video = document.querySelector('#wall video, dialog[open] video');"
        "return video && [video.readyState, video.currentTime, video.videoWidth, video.error?.message]"
    )
    return bool(video) and video[0] >= 2 and video[1] > 0.05 and video[2] > 0


def focused(browser: Chrome) -> str | None:
    """Give the id of the element that has the focus."""
    return browser.switch_to.active_element.get_attribute("id")


__all__ = ["Keys", "card_of", "cards", "choose", "focused", "is_playing", "press", "prompts", "until"]
