"""What a store's errors mean, in clauses that complete "the file …"; what they quote of the server is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import obstore.exceptions as refused

from aihubmix_video.storage.disk import DiskRefused

if TYPE_CHECKING:
    from aihubmix_video.types.object_url import ObjectUrl

__all__ = ["STORE_ERRORS", "clause_of", "disk_refused"]

STORE_ERRORS = (refused.BaseError, OSError, ValueError)
"""What obstore raises; an object that is not there is a `FileNotFoundError`."""
LASTING = (
    *(refused.AlreadyExistsError, refused.InvalidPathError, refused.NotSupportedError),
    *(refused.PermissionDeniedError, refused.UnauthenticatedError, refused.UnknownConfigurationKeyError),
    *(FileNotFoundError, ValueError),
)


def clause_of(error: Exception, root: str) -> str:
    """Return why a store refused, as a clause whose subject is "it"."""
    match error:
        case refused.AlreadyExistsError():
            return "another object has that key"
        case refused.PermissionDeniedError():
            return f"{root} refuses these credentials (403); it must allow putting, getting and listing objects"
        case refused.UnauthenticatedError():
            return f"{root} does not know these credentials (401)"
        case FileNotFoundError():
            return f"{root} does not exist"
        case _ if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
            return f"{root} does not exist"
        case _:
            return f"{root} did not answer, or answered with an error ({type(error).__name__})"


def disk_refused(error: Exception, doing: str, url: ObjectUrl) -> DiskRefused:
    """Return the error of a store as the port raises it; *doing* completes "could not be …"."""
    return DiskRefused(f"could not be {doing}: {clause_of(error, url.root)}", passing=not isinstance(error, LASTING))
