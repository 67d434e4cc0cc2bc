"""What a batch file names beside itself: pictures, columns of the user's own; and prompts that come from elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.batch_file import BadRow, Row
from aihubmix_video.cli.open_batch_file import opened
from aihubmix_video.cli.prompt_source import prompt_of
from aihubmix_video.errors import ConfigurationError
from tests.loopback.cli.test_commands import FAST, run
from tests.pure.pictures import png

if TYPE_CHECKING:
    from pathlib import Path


def rows_of(path: Path) -> list[Row | BadRow]:
    """Read a batch file as the commands do."""
    with opened(str(path), None, {}) as file:
        return list(file.rows())


def test_a_rows_picture_is_found_beside_the_batch_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Relative to the file and not to the folder that the command runs in; URLs and base64 stay what they are."""
    monkeypatch.chdir("/")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.png").write_bytes(png(1280, 720))
    batch = tmp_path / "rows.jsonl"
    wan = {"model": "wan2.6-i2v", "prompt": "a cat"}
    given = ["./pictures/cat.png", str(tmp_path / "pictures" / "cat.png"), "https://example.com/cat.png"]
    lines = [{**wan, "input_reference": value} for value in given]
    lines.append(
        {"model": "kling-v1-6", "prompt": "a cat", "image_list": ["pictures/cat.png", "https://example.com/a.png"]}
    )
    seen = {"type": "image_url", "image_url": {"url": "pictures/cat.png"}, "role": "reference_image"}
    lines.append({"model": "doubao-seedance-2-0-260128", "prompt": "a cat", "content": [seen]})
    batch.write_text("\n".join(map(json.dumps, lines)), "utf-8")

    requests = [row.request for row in rows_of(batch) if isinstance(row, Row) or pytest.fail(str(row))]

    cat = tmp_path / "pictures" / "cat.png"
    assert [cat, cat, "https://example.com/cat.png", None, None] == [request.input_reference for request in requests]
    assert (cat, "https://example.com/a.png") == requests[3].image_list
    assert requests[4].content is not None
    assert cat == requests[4].content[0]["image_url"]["url"]


def test_a_picture_that_cannot_be_used_is_a_problem_of_its_row(tmp_path: Path):
    """Found while the file is checked, before anything is bought."""
    (tmp_path / "text.png").write_text("not a picture", "utf-8")
    batch = tmp_path / "rows.csv"
    batch.write_text(
        "model,prompt,input_reference\nwan2.6-i2v,a,missing.png\nwan2.6-i2v,b,text.png\nwan2.6-i2v,c,.\n", "utf-8"
    )

    found = rows_of(batch)

    assert [BadRow] * 3 == [type(row) for row in found]
    for row, word in zip(found, ("does not exist", "not a JPEG, PNG or WebP", "is a directory"), strict=True):
        assert "input_reference" in str(row)
        assert word in str(row)


async def test_a_batch_with_pictures_and_own_columns_is_bought_whole(tmp_path: Path):
    """The picture is sent, the columns are not, and the sidecar keeps them."""
    (tmp_path / "cat.png").write_bytes(png(1280, 720))
    batch = tmp_path / "rows.csv"
    batch.write_text(
        "id,model,prompt,seconds,input_reference,notes\n7,wan2.6-i2v,a cat,5.0,cat.png,for Ann\n#8,wan2.6-i2v,no,5,cat.png,\n",
        "utf-8",
    )
    out = tmp_path / "out"

    done = await run(
        "batch",
        str(batch),
        "-o",
        str(out),
        "--sidecar",
        "--ignore-columns",
        "id,notes",
        *FAST,
        folder=tmp_path,
    )

    assert 0 == done.code, done.err
    (video,) = out.glob("*.mp4")
    assert {"id": "7", "notes": "for Ann"} == json.loads(video.with_suffix(".json").read_text("utf-8"))["own"]


async def test_a_field_is_not_a_column_of_ones_own(tmp_path: Path):
    """It would silently not be ordered."""
    (tmp_path / "rows.csv").write_text("model,prompt\nsora-2,a cat\n", "utf-8")

    done = await run("plan", str(tmp_path / "rows.csv"), "--ignore-columns", "seconds", folder=tmp_path)

    assert 2 == done.code
    assert "is a field of requests" in done.err


def test_a_prompt_may_come_from_a_file(tmp_path: Path):
    """Long prompts live in files."""
    file = tmp_path / "prompt.txt"
    file.write_bytes("\ufeffa cat\nat dusk\n".encode())
    assert "a cat\nat dusk" == prompt_of(f"@{file}")
    assert "@home" == prompt_of("@@home")
    assert "a cat" == prompt_of("a cat")


async def test_references_of_seedance_are_options(tmp_path: Path):
    """A picture from the disk, and others by their URL, in the order of their kinds."""
    (tmp_path / "cat.png").write_bytes(png(1280, 720))

    done = await run(
        *(
            "generate",
            "a cat",
            "-m",
            "doubao-seedance-2-0-260128",
            "--seconds",
            "4",
            "-o",
            "cat.mp4",
            "--sidecar",
            *FAST,
        ),
        *("--reference-image", "cat.png", "--reference-audio", "https://example.com/a.mp3"),
        folder=tmp_path,
    )

    assert 0 == done.code, done.err
    content = json.loads((tmp_path / "cat.json").read_text("utf-8"))["request"]["content"]
    assert ["reference_image", "reference_audio"] == [item["role"] for item in content]


async def test_a_dash_is_standard_input_and_not_a_prompt(tmp_path: Path):
    """A video of the prompt "-" was bought."""
    done = await run(
        *("generate", "-", "-m", "wan2.6-t2v", "--seconds", "2", "-o", "koi.mp4", "--sidecar", *FAST),
        folder=tmp_path,
        given=b"koi at dusk\n",
    )

    assert 0 == done.code, done.err
    assert "koi at dusk" == json.loads((tmp_path / "koi.json").read_text("utf-8"))["request"]["prompt"]


@pytest.mark.parametrize(
    ("data", "word"), [(b"", "empty"), (b" \n", "empty"), (b"\xff", "UTF-8"), (b"x" * (2**20 + 1), "bytes")]
)
def test_a_file_that_is_not_a_prompt_is_refused(tmp_path: Path, data: bytes, word: str):
    """Before anything is bought."""
    file = tmp_path / "prompt.txt"
    file.write_bytes(data)
    with pytest.raises(ConfigurationError, match=word):
        prompt_of(f"@{file}")


def test_a_prompt_that_begins_with_at_is_told_how_to_be_given():
    """A file of that name does not exist, or the user meant the prompt."""
    with pytest.raises(ConfigurationError, match="@@"):
        prompt_of("@nobody, a cat")
