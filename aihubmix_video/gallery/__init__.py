"""What is written beside finished videos: a page with all of them, their posters, and a JSON file each."""

from aihubmix_video.gallery.gallery import write_gallery
from aihubmix_video.gallery.sidecar import write_sidecar

__all__ = ["write_gallery", "write_sidecar"]
