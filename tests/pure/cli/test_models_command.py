from __future__ import annotations

import json
from io import StringIO

from rich.console import Console, RenderableType

from aihubmix_video.capabilities import find_capability, list_capabilities
from aihubmix_video.cli.models_command import model_object, model_page, models_table


def text_of(part: RenderableType, width: int = 100) -> str:
    """Draw without a terminal."""
    console = Console(file=StringIO(), width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(part)
    return captured.get()


def test_the_models_fit_into_100_columns():
    """No name is broken, as names are there to be copied."""
    lines = text_of(models_table(list_capabilities())).splitlines()

    assert all(len(each) <= 100 for each in lines)
    for capability in list_capabilities():
        assert 1 == sum(each.startswith(f"{capability.model} ") for each in lines)


def test_a_model_page_tells_every_field_size_and_its_source():
    """It is the page a user reads instead of the official one."""
    capability = find_capability("kling-v3-omni")

    assert capability is not None
    page = "".join(text_of(part, 120) for part in model_page(capability))
    for word in (*capability.options, "image_tail", "video_list", "3840x2160", "3 to 15", "501", capability.source):
        assert word in page


def test_every_model_is_an_object_of_json():
    """With the fields a program needs to build a request."""
    for capability in list_capabilities():
        told = json.loads(json.dumps(model_object(capability)))
        assert (capability.model, list(capability.fields)) == (told["model"], told["fields"])
