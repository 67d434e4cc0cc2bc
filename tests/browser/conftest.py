"""A real browser: Debian's `chromium` and `chromium-driver`, without a window and without any network of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--autoplay-policy=no-user-gesture-required"),
)
PROGRAM = (sys.executable, "-c", "from aihubmix_video.cli import main; main()")
WIDTH, HEIGHT = 1280, 900
SCRIPTS = frozenset({"javascript", "security", "console-api"})
ICON = "/icon.svg"  # asked for again by the browser itself, at times while another page is shown


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give these tests the time that a browser may need; where there is none, leave them out and say what to install."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    lacking = "needs Debian's chromium and chromium-driver: apt-get install chromium chromium-driver"
    for item in here:
        item.add_marker(pytest.mark.timeout(180))
        item.add_marker(pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason=lacking))


@contextmanager
def chromium(profile: Path, width: int = WIDTH, height: int = HEIGHT) -> Iterator[Chrome]:
    """Open a browser with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(DRIVER))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def _one_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def browser(_one_browser: Chrome) -> Iterator[Chrome]:
    """Give the browser with an empty tab, and look for errors of the scripts afterwards."""
    _one_browser.get("about:blank")
    _one_browser.get_log("browser")
    yield _one_browser
    told = [entry["message"] for entry in _one_browser.get_log("browser") if entry["source"] in SCRIPTS]
    _one_browser.get("about:blank")
    assert [] == [message for message in told if ICON not in message]


@contextmanager
def running(*arguments: str, folder: Path, **env: str) -> Iterator[dict[str, str]]:
    """Run a command that serves until interrupted, and give what it says of itself."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AIHUBMIX_")}
    process = subprocess.Popen(  # noqa: S603 - ourselves
        (*PROGRAM, *arguments, "--json"), cwd=folder, env=mine | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (0, True) == (process.returncode, b"Traceback" not in err), err.decode()
