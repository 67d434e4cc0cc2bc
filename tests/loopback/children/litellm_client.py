"""A video from a gateway by litellm as it is: ``python litellm_client.py URL KEY``. Prints what it got as JSON."""

from __future__ import annotations

import json
import sys
import time

import litellm


def main(url: str, key: str) -> None:
    """Create, wait, download."""
    reached = {"api_base": f"{url}/v1", "api_key": key, "custom_llm_provider": "openai"}
    created = litellm.video_generation(model="openai/sora-2", prompt="a cat", seconds="8", size="1280x720", **reached)
    status = created.status
    while status not in {"completed", "failed"}:
        time.sleep(0.05)
        status = litellm.video_status(video_id=created.id, **reached).status
    film = litellm.video_content(video_id=created.id, **reached)
    print(json.dumps({"created": created.status, "status": status, "bytes": len(film)}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
