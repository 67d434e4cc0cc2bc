"""The program itself, as a process of its own; few and quick, since what it decides is tested in `pure`."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shlex
import signal
import sys
from contextlib import suppress
from pathlib import Path  # noqa: TC003  # pytest reads the annotations
from typing import TYPE_CHECKING

import attrs
import pytest

from aihubmix_video.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping

PROGRAM = (sys.executable, "-c", "from aihubmix_video.cli import main; main()")
FAST = ("--sandbox", "--speed", "600")
PATIENCE = 20.0  # seconds; far more than any of these takes, so that a hang fails here and says where
NOW = {"generation": 0.0, "content": 20_000}
"""Options of a sandbox whose jobs are done at once and whose films cost nothing."""


@attrs.frozen
class Run:
    """What a finished process left."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, object]]:
        """Its output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(sandbox: Sandbox | None = None, **extra: str) -> dict[str, str]:
    """Give the environment of a process, with the address and key of a sandbox if there is one."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AIHUBMIX_")}
    reached = {} if sandbox is None else {"AIHUBMIX_BASE_URL": sandbox.url, "AIHUBMIX_API_KEY": sandbox.api_key}
    return mine | reached | extra


async def started(*arguments: str, folder: Path, env: Mapping[str, str] | None = None) -> Process:
    """Start the program in a folder."""
    return await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        cwd=folder,
        env=environment() if env is None else env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(
    *arguments: str, folder: Path, env: Mapping[str, str] | None = None, given: bytes = b"", within: float = PATIENCE
) -> Run:
    """Run the program to its end."""
    process = await started(*arguments, folder=folder, env=env)
    out, err = await asyncio.wait_for(process.communicate(given), within)
    return Run(process.returncode or 0, out.decode(), err.decode())


async def line_with(word: bytes, stream: asyncio.StreamReader | None) -> str:
    """Read lines until one has *word* in it."""
    assert stream is not None
    while word not in (line := await asyncio.wait_for(stream.readline(), PATIENCE)):
        assert line, f"ended without {word!r}"
    return line.decode()


async def asked(sandbox: Sandbox) -> None:
    """Wait until the sandbox has received a request."""
    while not sandbox.log:  # noqa: ASYNC110  # the sandbox announces nothing
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Usage"),
        (("genrate",), 'Did you mean "generate"?'),
        (("generate", "a", "-m", "sora-2", "--rat", "1"), "--rate"),
        (("generate", "-a cat", "-m", "sora-2"), "goes after --"),
        (("generate", "a", "-m", "sora-2", "--rate", "0", "--sandbox"), "above 0 and up to 1000"),
        (("generate", "a", "-m", "sora-2", "--deadline", "5x", "--sandbox"), "90s, 5min, 1h30"),
        (("generate", "a", "-m", "sora-2", "--seed", "1.9", "--sandbox"), "not a whole number"),
        (("batch", "-", "-o", "x", "--max-videos", "0.9"), "not a whole number"),
        (("sandbox", "--port", "8000.7"), "not a whole number"),
        (("batch", "-", "-o", "x", "--name", "../{index}.mp4"), "must stay in the output folder"),
        (("batch", "-", "-o", "x", "--name", "/{index}.mp4"), "must stay in the output folder"),
        (("generate", "a", "-m", "sora-2", "--seconds", "5", "--sandbox"), "4, 8 or 12"),
        (("generate", "a", "-m", "sora-2"), "--api-key-file"),
        (("generate", "a", "-m", "sora-2", "--api-key", "sk-hidden"), "list of processes"),
        (("batch", "no.csv", "-o", "x", "--overwrite", "--skip-existing"), "exclude each other"),
        (("batch", "no.csv", "-o", "x"), "cannot be read"),
        (("models", "sora2"), "did you mean sora-2?"),
        (("status", "--base-url", "http://example.com", "x"), "No API key"),
    ],
)
async def test_wrong_usage_is_one_line_and_exit_code_2(arguments: tuple[str, ...], said: str, tmp_path: Path):
    """The line says what would be right; a traceback would say what went wrong inside."""
    refused = await run(*arguments, folder=tmp_path)

    assert 2 == refused.code
    assert said.lower() in " ".join(refused.err.split()).lower()
    assert "Traceback" not in refused.err
    assert "sk-hidden" not in refused.err
    assert "" == refused.out


async def test_a_refused_key_is_exit_code_77(tmp_path: Path):
    """A script stops there, instead of trying the next row."""
    async with Sandbox(**NOW) as sandbox:
        env = environment(sandbox, AIHUBMIX_API_KEY="sk-wrong")
        refused = await run("generate", "a", "-m", "sora-2", folder=tmp_path, env=env)

    assert 77 == refused.code
    assert "sk-wrong" not in refused.err
    assert refused.err.startswith("error: ")


async def test_a_failed_job_is_exit_code_1_and_its_words_are_harmless(tmp_path: Path):
    """What a server says is printed on a terminal, so it must not steer it."""
    fault = Fault.status(400, {"error": {"message": "no\x1b]0;pwned\x07 such \x1b[31mthing", "type": "x"}}, times=None)
    async with Sandbox(**NOW) as sandbox:
        sandbox.faults.add(fault)
        failed = await run("generate", "a", "-m", "sora-2", "--json", folder=tmp_path, env=environment(sandbox))

    assert 1 == failed.code
    assert "no such thing" in failed.err
    assert "\x1b" not in failed.err + failed.out
    assert {"type", "message"} == set(failed.objects[0]["error"])  # type: ignore[call-overload]


async def test_a_create_whose_answer_is_lost_is_exit_code_75(tmp_path: Path):
    """It may have been bought: neither a failure to be repeated nor a success."""
    async with Sandbox(**NOW) as sandbox:
        sandbox.faults.add(Fault.html(502, route="create"))
        lost = await run("generate", "a", "-m", "sora-2", "--json", folder=tmp_path, env=environment(sandbox))
        billed = sandbox.billed

    assert (75, 1) == (lost.code, billed)
    assert ("uncertain", "unknown") == (lost.objects[0]["status"], lost.objects[0]["charged"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_stops_buying_and_tells_what_lives_on(number: signal.Signals, code: int, tmp_path: Path):
    """The jobs are paid for: whoever stopped the program must be able to fetch them later."""
    async with Sandbox(generation=3600.0, speed=1.0, content=20_000) as sandbox:
        process = await started(
            "generate", "a", "-m", "sora-2", "--rate", "50", folder=tmp_path, env=environment(sandbox)
        )
        await line_with(b"accepted", process.stderr)
        process.send_signal(number)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        (video_id,) = sandbox.jobs

    assert (code, b"") == (process.returncode, out)
    assert f"aihubmix-video download {video_id}\n" in err.decode()
    assert b"Traceback" not in err


async def test_a_create_on_its_way_learns_its_id_before_the_end(tmp_path: Path):
    """Otherwise a job that was bought would be known to nobody."""
    async with Sandbox(generation=3600.0, speed=1.0, content=20_000) as sandbox:
        sandbox.faults.add(Fault.wait(1.0, route="create"))
        process = await started("generate", "a", "-m", "sora-2", folder=tmp_path, env=environment(sandbox))
        await asyncio.wait_for(asked(sandbox), PATIENCE)
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        (video_id,) = sandbox.jobs

    assert 130 == process.returncode
    assert f"aihubmix-video download {video_id}\n" in err.decode()


async def test_the_second_signal_ends_it_at_once(tmp_path: Path):
    """Whoever presses Ctrl-C twice does not want to wait for anybody."""
    async with Sandbox(generation=3600.0, speed=1.0, content=20_000) as sandbox:
        sandbox.faults.add(Fault.wait(60.0, route="create"))
        process = await started("generate", "a", "-m", "sora-2", folder=tmp_path, env=environment(sandbox))
        await asyncio.wait_for(asked(sandbox), PATIENCE)
        process.send_signal(signal.SIGINT)
        await line_with(b"Stopping", process.stderr)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 3.0)

    assert 143 == process.returncode


async def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path):
    """`| head` is no error; but what was bought is still told."""
    async with Sandbox(speed=600.0, content=20_000) as sandbox:
        process = await started(
            "batch", "-", "-o", "out", "--format", "txt", "-m", "wan2.6-t2v", "--rate", "20", "--poll-interval", "0.2",
            folder=tmp_path, env=environment(sandbox),
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(b"a\n" * 30)
        process.stdin.close()
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]  # asyncio has no public way to hang up
        assert process.stderr is not None
        err = await asyncio.wait_for(process.stderr.read(), PATIENCE)

    assert 141 == await asyncio.wait_for(process.wait(), PATIENCE)
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


@pytest.mark.parametrize(
    "command", ["aihubmix-video models", "aihubmix-video models --json", "aihubmix-video models 2>&1"]
)
async def test_a_table_into_a_closed_pipe_is_quiet(command: str, tmp_path: Path):
    """Whatever prints it, and wherever the messages go."""
    program = f"{shlex.quote(sys.executable)} -c 'from aihubmix_video.cli import main; main()'"
    script = f"{command.replace('aihubmix-video', program)} | :; exit ${{PIPESTATUS[0]}}"
    process = await asyncio.create_subprocess_exec("bash", "-c", script, cwd=tmp_path, stderr=asyncio.subprocess.PIPE)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert 141 == process.returncode
    assert not err or b"from: T text" in err


async def test_a_locale_without_chinese_stops_nothing(tmp_path: Path):
    """Servers and containers run under LANG=C; the prompt, the path and the messages are Chinese all the same."""
    env = environment(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii")
    rows = '{"prompt": "一只猫", "model": "wan2.6-t2v", "seconds": 2, "key": "猫"}\n'.encode()
    done = await run("batch", "-", "-o", "out", "--name", "{index}.mp4", *FAST, folder=tmp_path, env=env, given=rows)
    planned = await run("models", folder=tmp_path, env=env)

    assert (0, 0) == (done.code, planned.code), done.err
    assert "UnicodeEncodeError" not in done.err
    assert [str(tmp_path / "out/0.mp4")] == done.out.splitlines()


async def test_without_its_extra_it_says_how_to_install_it(tmp_path: Path):
    """`pip install aihubmix-video` alone puts the program on the path."""
    code = "import sys; sys.modules['cyclopts'] = None; from aihubmix_video.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert 2 == process.returncode
    assert b"pip install 'aihubmix-video[cli]'" in err
    assert 1 == err.count(b"\n")


@pytest.mark.parametrize("signals", [1, 2])
async def test_a_terminal_is_left_as_it_was_found(signals: int, tmp_path: Path):
    """A live picture hides the cursor; an interrupted one must give it back, however hastily."""
    main, other = pty.openpty()
    async with Sandbox(generation=3600.0, speed=1.0, content=20_000) as sandbox:
        env = environment(sandbox, TERM="xterm-256color", COLUMNS="100", LINES="24")
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "generate", "a", "-m", "sora-2", cwd=tmp_path, env=env, stdout=other, stderr=other
        )
        os.close(other)
        seen = await asyncio.to_thread(_read_until, main, b"waiting")
        if signals == 2:
            sandbox.faults.add(Fault.wait(60.0, times=None))
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
        seen += await asyncio.to_thread(_read_until, main, b"")
        await asyncio.wait_for(process.wait(), PATIENCE)
    os.close(main)

    assert 130 == process.returncode
    assert seen.count(b"\x1b[?25l") == 1
    assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l")
    assert b"Traceback" not in seen


def _read_until(descriptor: int, word: bytes) -> bytes:
    """Read a terminal until *word* has come; without one, until it is closed."""
    seen = b""
    with suppress(OSError):
        while (piece := os.read(descriptor, 4096)) and not (word and word in seen + piece):
            seen += piece
        seen += piece
    return seen
