"""How long a command, or an import, takes before it does anything, beside bare Python and the HTTP library.

    python benchmarks/start.py [--rounds 10]

Each program runs in a process of its own; the rounds alternate between them, and medians of the wall time are printed with
their ratios. Ratios are comparable between machines, absolute figures are not.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

CLI = "import sys; from aihubmix_video.cli import main; sys.argv = ['aihubmix-video', *{!r}]; main()"
BARE, LIBRARY = "python -c pass", "import aiohttp"
PROGRAMS = {
    BARE: "pass",
    LIBRARY: "import aiohttp",
    "import aihubmix_video": "import aihubmix_video",
    "from aihubmix_video import VideoRequest": "from aihubmix_video import VideoRequest",
    "from aihubmix_video import VideoSession": "from aihubmix_video import VideoSession",
    "aihubmix-video --version": CLI.format(["--version"]),
    "aihubmix-video --help": CLI.format(["--help"]),
    "aihubmix-video models": CLI.format(["models"]),
    "aihubmix-video generate --help": CLI.format(["generate", "--help"]),
}


def seconds(program: str) -> float:
    """Run a program in a process of its own, and return how long it took."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="How long a command takes to start.")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for program in PROGRAMS.values():  # compiled, and in the disk's cache
        seconds(program)
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            taken[name].append(seconds(program))
    median = {name: statistics.median(values) for name, values in taken.items()}
    print(f"| program | ms | ÷ {LIBRARY} | more than {LIBRARY}, ms |")
    print("|---|---|---|---|")
    for name, value in median.items():
        more = (value - median[LIBRARY]) * 1e3
        print(f"| `{name}` | {value * 1e3:.0f} | {value / median[LIBRARY]:.2f} | {more:+.0f} |")


if __name__ == "__main__":
    main()
