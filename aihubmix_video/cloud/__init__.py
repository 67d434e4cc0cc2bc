"""Object stores as targets: `cloud_storage` stores whole files at S3, Google Cloud Storage and Azure through obstore."""

from aihubmix_video.cloud.cloud_storage import CloudStorage

__all__ = ["CloudStorage"]
