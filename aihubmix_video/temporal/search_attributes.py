"""Search attributes, by which batches and shards are found: made where the server allows it, and done without elsewhere."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.service import RPCError

from aihubmix_video.temporal.shard_workflow import BATCH, MODEL, STATE

if TYPE_CHECKING:
    from temporalio.client import Client

__all__ = ["ensure_search_attributes"]

log = logging.getLogger("aihubmix_video")

TYPES = {
    BATCH.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    STATE.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    MODEL.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


async def ensure_search_attributes(client: Client) -> bool:
    """Make the search attributes of the namespace if they are missing, and return whether they are there."""
    operator = client.operator_service
    try:
        listed = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
        missing = {name: kind for name, kind in TYPES.items() if name not in listed.custom_attributes}
        if missing:
            await operator.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            )
    except RPCError as error:
        log.info("batches cannot be searched for by model and state: %s", error.message)
        return False
    return True
