"""The S3 server that the tests of one process share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.loopback.cloud.stores import moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Give the address of a running S3 server."""
    with moto_server() as address:
        yield address
