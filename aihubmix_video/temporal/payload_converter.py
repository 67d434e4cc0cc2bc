"""How values become payloads: attrs classes through cattrs, as JSON that Temporal's own tools can show."""

import json
from typing import Any

from cattrs.preconf.json import make_converter
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    CompositePayloadConverter,
    DataConverter,
    EncodingPayloadConverter,
)

__all__ = ["DATA_CONVERTER", "ValueConverter"]

_VALUES = make_converter(omit_if_default=True)  # a row's address is in its history many times


class AttrsPayloadConverter(EncodingPayloadConverter):
    """Encodes values, and lists of them, as JSON; what is at its default is left out."""

    @property
    def encoding(self) -> str:
        """The name under which Temporal knows JSON."""
        return "json/plain"

    def to_payload(self, value: Any) -> Payload | None:  # noqa: ANN401 - whatever a workflow passes
        """Encode a value."""
        data = json.dumps(_VALUES.unstructure(value), separators=(",", ":"), allow_nan=False).encode()
        return Payload(metadata={"encoding": self.encoding.encode()}, data=data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:  # noqa: ANN401 - the hint's type
        """Decode a value; without a type it stays as JSON has it."""
        value = json.loads(payload.data)
        return value if type_hint in {None, Any, object} else _VALUES.structure(value, type_hint)


class ValueConverter(CompositePayloadConverter):
    """The converter of every client and worker."""

    def __init__(self) -> None:
        super().__init__(BinaryNullPayloadConverter(), BinaryPlainPayloadConverter(), AttrsPayloadConverter())


DATA_CONVERTER = DataConverter(payload_converter_class=ValueConverter)
