"""Two readings of the gateway: what its official page documents, and what was observed of it."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["PROFILES", "GatewayProfile", "ProfileName"]

ProfileName = Literal["page", "field"]


@attrs.frozen(kw_only=True)
class GatewayProfile:
    """Where the page and the observations differ.

    Attributes:
        multipart: Whether a create may be ``multipart/form-data``, with a file as ``input_reference``, as the API reference shows it;
            otherwise it is refused, as was seen for Seedance.
        sora_references: Whether Sora takes a reference as a URL, as base64 and as ``{"mime_type", "data"}``, as the page says for all
            models; otherwise only as an object with ``image_url``, as its vendor does.
        any_family_waits: Whether jobs of other families than Sora are ``queued`` or ``processing`` at first.
        odd_content_types: Whether Veo's videos come as ``application/json``.
        missing_urls: Whether one finished job in ten has no ``url``.
    """

    multipart: bool
    sora_references: bool
    any_family_waits: bool
    odd_content_types: bool
    missing_urls: bool


PROFILES: dict[ProfileName, GatewayProfile] = {
    "page": GatewayProfile(
        multipart=True, sora_references=True, any_family_waits=False, odd_content_types=False, missing_urls=False
    ),
    "field": GatewayProfile(
        multipart=False, sora_references=False, any_family_waits=True, odd_content_types=True, missing_urls=True
    ),
}
