"""Files of model tables, on a real disk."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # pytest reads the annotations

import pytest

from aihubmix_video import Video, VideoSession
from aihubmix_video.capabilities import BUILT_IN, dump, load
from aihubmix_video.errors import ConfigurationError, InvalidRequest
from aihubmix_video.gallery import write_gallery
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.web.forms import model_form
from tests.pure.capabilities.test_table_converter import NEXT_MONTH


@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_what_is_written_is_read_as_the_same(tmp_path: Path, suffix: str):
    """The tables of the package are a start for a file of one's own."""
    path = tmp_path / f"tables{suffix}"
    dump(BUILT_IN, path)

    assert list(BUILT_IN) == list(load(path))


def test_a_file_is_not_replaced_unless_told(tmp_path: Path):
    """It may have been edited."""
    path = tmp_path / "tables.json"
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match=r"exists; give another name, or overwrite=True"):
        dump(BUILT_IN, path)
    assert "mine" == path.read_text()
    dump(BUILT_IN, path, overwrite=True)

    assert len(BUILT_IN) == len(load(path))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.toml", "models = [", "is not TOML"),
        ("a.json", "[" * 100_000, "is not JSON"),
        ("a.json", "\ud800", "is not JSON"),
        ("a.yaml", "", "must end with .toml or .json"),
        ("a.toml", '[[models]]\nmodel = "a"\nlike = "b"', "a.toml: models[0].like: 'b' has no table"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_the_reason(tmp_path: Path, name: str, text: str, told: str):
    """And nothing foreign escapes."""
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigurationError) as caught:
        load(path)

    assert told in str(caught.value)


def test_a_file_that_does_not_exist_is_told(tmp_path: Path):
    """Before anything is opened."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        VideoSession("sk-x", capabilities=tmp_path / "none.toml")


PRICES = {"kling-v4": 0.1}


def test_the_board_offers_a_model_of_the_users_own(tmp_path: Path):
    """With its lengths and its price."""
    path = tmp_path / "next.toml"
    path.write_text(NEXT_MONTH)
    form = model_form(load(path).tables["kling-v4"], PRICES)

    assert "kling-v4" == form["model"]
    assert {"values": list(range(3, 21)), "default": 5, "auto": False, "note": ""} == form["seconds"]


async def test_a_session_buys_a_model_of_the_users_own_from_a_gateway_that_knows_it(tmp_path: Path):
    """Checked by its table, written in its family's dialect, and priced, named and saved like any other."""
    path = tmp_path / "next.toml"
    path.write_text(NEXT_MONTH)
    plain = [{"model": "kling-v4", "like": "kling-v3", "seconds": {"values": "3-20"}}]
    async with (
        Sandbox(generation=0.0, content=20_000, models=plain) as sandbox,
        VideoSession(
            sandbox.api_key, base_url=sandbox.url, capabilities=path, validate="strict", poll_interval=0.1
        ) as session,
    ):
        with pytest.raises(InvalidRequest, match="kling-v4 makes 3 to 20 seconds"):
            await session.generate("a", model="kling-v4", seconds=21)
        rows = [{"model": "kling-v4", "prompt": "a", "seconds": 20}]
        (item,) = [
            item async for item in session.batch(rows, to=str(tmp_path / "{index}.mp4"), max_spend=2.0, prices=PRICES)
        ]
        video = item.video

        page = (await write_gallery(tmp_path, [item], prices=PRICES, capabilities=session.capabilities)).read_text(
            "utf-8"
        )
        assert isinstance(video, Video)
        assert "kling-v4" in page
        assert '"price": 2.0' in page or '"price":2.0' in page  # 20 s at $0.1
        assert (20, True) == (next(iter(sandbox.jobs.values())).order.seconds, video.verified)
        assert "kling-v4" in session.capabilities.names
