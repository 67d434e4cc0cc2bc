"""Every command of the official page, run as it stands there, but for the host and the key."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from aihubmix_video.sandbox import Sandbox
from tests.loopback.sandboxes import NOW

PLACES = [parent / "shared" / "api" / "official-page.txt" for parent in Path(__file__).parents]
PAGE = next((place for place in PLACES if place.exists()), PLACES[-1])
DIGESTS = Path(__file__).parents[2] / "samples" / "page-digests.json"
pytestmark = [
    pytest.mark.skipif(not PAGE.exists(), reason="the official page's text is not beside the repository"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]
COMMAND = re.compile(r"^curl (?:[^\n]*\\\n)*(?:  -d '.*?'|[^\n]*)$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Return the page's commands in order."""
    return [found[0] for found in COMMAND.finditer(PAGE.read_text("utf-8"))]


def mended(command: str) -> str:
    """Return a create whose JSON is not valid, as the page's longest, with its prompt's quotes and line breaks escaped."""
    begin = command.index('"prompt": "') + len('"prompt": "')
    end = command.index('",\n    "extra_body"')
    prompt = json.dumps(command[begin:end], ensure_ascii=False)[1:-1]
    return command[:begin] + prompt + command[end:]


async def run(command: str, sandbox: Sandbox, folder: Path, video_id: str = "") -> bytes:
    """Run a command in a shell, against the sandbox."""
    local = command.replace("https://aihubmix.com", sandbox.url).replace("{video_id}", video_id)
    process = await asyncio.create_subprocess_shell(
        local,
        cwd=folder,
        env={"AIHUBMIX_API_KEY": sandbox.api_key, "PATH": "/usr/bin:/bin:/usr/local/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, trouble = await process.communicate()
    assert 0 == process.returncode, trouble.decode()
    return out


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_every_create_of_the_page_is_accepted_as_it_stands(tmp_path: Path):
    """But for one whose JSON is not valid, which is refused as such, and accepted once its prompt is escaped."""
    creates = [command for command in commands() if "-d '" in command]
    async with Sandbox(**NOW) as sandbox:
        for command in creates:
            said = json.loads(await run(command, sandbox, tmp_path))
            body = command.partition("-d '")[2].rpartition("'")[0]
            try:
                asked = json.loads(body)
            except ValueError:
                assert "must be a valid json object" in said["error"]["message"]
                asked = json.loads(mended(command).partition("-d '")[2].rpartition("'")[0])
                said = json.loads(await run(mended(command), sandbox, tmp_path))
            assert asked["model"] == said["model"]
            assert "id" in said

        assert 7 == len(creates) == sandbox.billed


async def test_the_other_commands_of_the_page_work_on_a_finished_job(tmp_path: Path):
    """The status, and the download under both names."""
    others = [command for command in commands() if "-d '" not in command]
    first = next(command for command in commands() if "-d '" in command)
    async with Sandbox(**NOW) as sandbox:
        video_id = json.loads(await run(first, sandbox, tmp_path))["id"]
        told = [await run(command, sandbox, tmp_path, video_id) for command in others]

        assert "completed" == json.loads(told[0])["status"]
        assert dict.fromkeys(("my_video.mp4", "video.mp4"), NOW["content"]) == files_in(tmp_path)
        assert 3 == len(others)


def test_the_page_is_the_one_that_the_tables_were_read_from():
    """When it changes, this names the sections to read again; then the tables, their dates and these digests are renewed."""
    known = json.loads(DIGESTS.read_text("utf-8"))

    assert known == digests(PAGE.read_text("utf-8"))


def digests(text: str) -> dict[str, str]:
    """Return a digest of each section of the page, by its heading."""
    headings = json.loads(DIGESTS.read_text("utf-8"))
    places = sorted((text.index(f"\n{heading}\n"), heading) for heading in headings if f"\n{heading}\n" in text)
    ends = [place for place, _ in places[1:]] + [len(text)]
    parts = {heading: text[place:end] for (place, heading), end in zip(places, ends, strict=True)}
    return {
        heading: hashlib.sha256(" ".join(parts.get(heading, "").split()).encode()).hexdigest()[:16]
        for heading in headings
    }
