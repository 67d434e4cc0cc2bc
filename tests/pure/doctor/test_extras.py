"""The doctor knows every extra that there is."""

from __future__ import annotations

import tomllib
from pathlib import Path

from aihubmix_video.doctor.examination import EXTRAS


def test_every_extra_of_the_package_is_looked_for():
    """One that is forgotten would never be named as absent."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]

    assert set(project["optional-dependencies"]) - {"all"} == set(EXTRAS)
