# ruff: noqa: INP001, RUF001 - a program, not a package; its prompts are of several languages
"""Take `board.png` and `gallery.png`, the pictures of the pages: a real browser in front of the local gateway.

Needs Debian's chromium and chromium-driver. Run: ``python docs/pictures.py [FOLDER]``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import ProxyHandler, Request, build_opener

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

HERE = Path(__file__).resolve().parent
PROGRAM = (sys.executable, "-c", "from aihubmix_video.cli import main; main()")
WIDTH, HEIGHT = 1360, 850
ROWS = (
    {
        "model": "sora-2",
        "prompt": "A red fox runs through fresh snow at dawn, handheld camera",
        "seconds": 8,
        "size": "1280x720",
    },
    {
        "model": "veo-3.1-generate-preview",
        "prompt": "Koi drift under cherry blossom, wind chimes in the distance",
        "size": "1920x1080",
    },
    {"model": "wan2.6-t2v", "prompt": "一只猫在钢琴上弹爵士乐，暖色灯光，电影感", "seconds": 5, "size": "960x960"},
    {
        "model": "kling-v3",
        "prompt": "A lighthouse in a storm, waves breaking over the rocks",
        "seconds": 3,
        "aspect_ratio": "9:16",
    },
    {
        "model": "doubao-seedance-2-0-fast-260128",
        "prompt": "A paper boat sails down a rainy gutter, macro shot",
        "seconds": 4,
        "ratio": "21:9",
    },
    {"model": "jimeng-3.0-pro", "prompt": "竹林中的汉服少女，晨雾缭绕", "seconds": 5, "size": "4:3"},
    {"model": "wan2.6-t2v", "prompt": "A street market at night [fail]", "seconds": 5},
    {
        "model": "wan2.5-t2v-preview",
        "prompt": "Dunes under the Milky Way, a lone camp fire flickers",
        "seconds": 5,
        "size": "832x480",
    },
)
RUNNING = (
    {"model": "sora-2", "prompt": "An old tram climbs a steep street, golden hour", "seconds": 12, "size": "1280x720"},
    {"model": "sora-2-pro", "prompt": "A dancer in an empty hall, dust in the light", "seconds": 8, "size": "720x1280"},
)


def browser(profile: str, theme: str) -> Chrome:
    """Open a window of the pictures' size."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    quiet = (
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    )
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        *quiet,
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    return driver


def shown(driver: Chrome, condition: str) -> None:
    """Wait until something holds on the page."""
    WebDriverWait(driver, 60, 0.05).until(lambda _: driver.execute_script(f"return {condition}"))


def order(url: str, row: dict[str, object]) -> None:
    """Order a video of the board's server."""
    request = Request(f"{url}videos/", json.dumps(row).encode(), {"Content-Type": "application/json"})  # noqa: S310
    build_opener(ProxyHandler({})).open(request).close()


def board(target: Path) -> None:
    """Take the board while two videos are on their way."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIHUBMIX_")}
    command = (*PROGRAM, "serve", "--sandbox", "--port", "0", "--speed", "8", "--json", "--quiet")
    with TemporaryDirectory() as profile, subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as server:  # noqa: S603
        url = json.loads(server.stdout.readline())["url"]
        driver = browser(profile, "light")
        driver.get(url)
        for row in ROWS[:7]:
            order(url, row)
        shown(
            driver,
            "document.querySelectorAll('[data-state=saved] img.picture').length === 6 && document.querySelector('[data-state=failed]')",
        )
        for row in RUNNING:
            order(url, row)
        bars = "[...document.querySelectorAll('[role=progressbar]')].map((bar) => Number(bar.getAttribute('aria-valuenow')))"
        shown(driver, f"{bars}.length === 2 && {bars}.every((part) => part >= 25)")
        driver.execute_script("document.querySelector('#note').textContent = ''; document.activeElement.blur()")
        driver.save_screenshot(str(target / "board.png"))
        driver.quit()
        server.terminate()


def gallery(target: Path) -> None:
    """Take the gallery of a finished batch."""
    with TemporaryDirectory() as profile, TemporaryDirectory() as name:
        folder = Path(name) / "Spring campaign"
        (Path(name) / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
        command = (
            *PROGRAM,
            "batch",
            "rows.jsonl",
            "-o",
            str(folder),
            "--sandbox",
            "--speed",
            "600",
            "--gallery",
            "--quiet",
        )
        subprocess.run(command, cwd=name, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  # one row fails
        driver = browser(profile, "dark")
        driver.get((folder / "index.html").as_uri())
        shown(driver, "document.querySelectorAll('canvas.glow').length === 7")
        driver.save_screenshot(str(target / "gallery.png"))
        driver.quit()


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    board(where)
    gallery(where)
