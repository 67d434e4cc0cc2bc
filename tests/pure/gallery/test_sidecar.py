from __future__ import annotations

import json
from pathlib import Path

from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.gallery.sidecar import request_object, sidecar_object
from aihubmix_video.types.request import VideoRequest
from aihubmix_video.types.video import Video

SECRET = b"bytes of a picture"


def test_a_sidecar_holds_no_media():
    """It is there to be read; a picture in it would make it a second copy of what the user has."""
    request = VideoRequest(
        model="kling-v1-6", prompt="a fox", image=SECRET, image_tail="data:image/png;base64,QUJD",
        image_list=(Path("a.png"), "https://example.com/b.png", "A" * 5000),
    )  # fmt: skip
    told = json.dumps(request_object(request))

    assert "picture" not in told
    assert "QUJD" not in told
    assert "AAAA" not in told
    assert "https://example.com/b.png" in told
    assert {"bytes": len(SECRET)}.items() <= request_object(request)["image"].items()  # type: ignore[attr-defined]


def test_a_sidecar_names_what_identifies_a_video():
    """Months later it answers which job, which prompt and whether the file is still the one that came."""
    video = Video(id="v", sha256="ab", bytes_written=3, created_at=1.0)
    request = VideoRequest(model="sora-2", prompt="a fox")
    told = sidecar_object(RowResult(index=0, key="k", request=request, video=video), Path("out/a.mp4"), 2.0)

    assert ("a.mp4", "v", "k", "sora-2", "ab", 3, 1.0, 2.0) == tuple(
        told[name] for name in ("video", "id", "key", "model", "sha256", "bytes", "created_at", "saved_at")
    )
