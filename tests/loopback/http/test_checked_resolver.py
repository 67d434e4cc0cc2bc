"""What a name resolves to is judged once more when something is about to connect to it."""

from __future__ import annotations

import pytest

from aihubmix_video.http.checked_resolver import AddressRefusedError, CheckedResolver

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(("own", "local"), [(["localhost"], False), ([], True)])
async def test_a_private_address_is_reached_where_the_user_chose_it(own: list[str], local: bool):  # noqa: FBT001
    """The gateway and the proxy may be on a private network, and beside a local gateway so may the videos."""
    found = await CheckedResolver(own, local=local).resolve("localhost", 80)

    assert {"127.0.0.1"} == {each["host"] for each in found}


async def test_a_name_that_leads_to_a_private_address_since_it_was_judged_is_refused():
    """Its owner may answer differently each time (DNS rebinding)."""
    with pytest.raises(AddressRefusedError):
        await CheckedResolver(["gateway.example"], local=False).resolve("localhost", 80)


@pytest.mark.parametrize("local", [True, False])
async def test_a_link_local_address_is_refused_even_to_the_user_s_own_host(local: bool):  # noqa: FBT001
    """A name of the gateway's must not lead to the metadata service. The address stands for a name that resolves to it."""
    with pytest.raises(AddressRefusedError):
        await CheckedResolver(["169.254.169.254"], local=local).resolve("169.254.169.254", 80)
