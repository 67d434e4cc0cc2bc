"""Which hosts are public, which are loopback, and which are never contacted."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.references.addresses import (
    is_address,
    is_loopback,
    is_never_contacted,
    is_public_address,
    is_public_host,
)

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)
LINK_LOCAL_V4 = st.integers(0, 2**16 - 1).map(lambda rest: IPv4Address((169 << 24 | 254 << 16) + rest))
LINK_LOCAL_V6 = st.integers(0, 2**118 - 1).map(lambda rest: IPv6Address((0xFE80 << 112) + rest))

NOT_PUBLIC = """
127.0.0.1 0.0.0.0 127.0.0.1. 10.0.0.1 192.168.1.1 172.31.255.255 169.254.169.254 100.100.100.200 224.0.0.1
255.255.255.255 240.0.0.1 198.18.0.1 192.0.2.1
127.1 0177.0.0.1 0x7f.0.0.1 2130706433 017700000001 0x7f000001 0 0x 2852039166 134744072 010.8.8.8 8.8.8.08 a.0x7f
256.1.1.1 1.2.3.4.5 1.2.3
::1 :: ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 2002:7f00:1:: fe80::1 fc00::1
fd00::1 fe80::1%eth0 ff02::1 2001:db8::1 2001:0:7f00:1:: 1::2::3
2002:808:808:: ::8.8.8.8 ::7f00:1 64:ff9b:1::808:808 2001:0:808:808:: fec0::1 3fff::1 ff0e::1 100::1 4000::1 fd00:ec2::254
192.88.99.1 192.0.0.9 168.63.129.16 100.100.100.200
localhost localhost. LOCALHOST a.localhost printer.local metadata.google.internal metadata.goog metadata router.lan db.corp
1.0.0.127.in-addr.arpa intranet a..b -a.com a-.com ex%61mple.com 127.0.0.1%2e ex\u00e4mple.com \uff11\uff12\uff17.0.0.1
"""
PUBLIC = """
example.com EXAMPLE.com. cdn.example.co.uk xn--exmple-cua.com 8.8.8.8 2606:4700:4700::1111 ::ffff:8.8.8.8
64:ff9b::808:808 a_b.example.com 3com.example 1.example
"""


@pytest.mark.parametrize("host", ["", *NOT_PUBLIC.split()])
def test_what_is_not_public_is_refused_in_every_spelling(host: str):
    """promises.md, 5, row 42; and what nobody can be sure about is not public."""
    assert not is_public_host(host)


@pytest.mark.parametrize("host", PUBLIC.split())
def test_what_is_public_is_let_pass(host: str):
    """A wall around everything would only be switched off."""
    assert is_public_host(host)


@given(V4, st.lists(st.sampled_from(["{0}", "0x{0:x}", "0{0:o}"]), min_size=4, max_size=4), st.integers(1, 4))
def test_an_address_passes_in_its_plain_spelling_only(address: IPv4Address, written: list[str], parts: int):
    """C libraries read ``127.1`` and ``0x7f.0.0.01``, so somebody's fetcher may."""
    octets = list(address.packed)
    numbers = [*octets[: parts - 1], int.from_bytes(octets[parts - 1 :])]
    text = ".".join(form.format(number) for form, number in zip(written, numbers, strict=False))

    assert not is_public_host(text) or text == str(address)


@given(V4, st.sampled_from(["::ffff:{}", "64:ff9b::{}"]))
def test_a_mapped_or_translated_address_is_as_public_as_the_one_in_it(address: IPv4Address, written: str):
    """A network without IPv4 reaches every IPv4 host by such an address, so none may be refused for its form alone."""
    assert is_public_address(str(address)) == is_public_address(written.format(address))


@given(
    V4, st.sampled_from(["::{0}", "64:ff9b:1::{0}", "2002:{1}:{2}::1", "2001:0:{1}:{2}::1", "2001:0:808:808::{1}:{2}"])
)
def test_no_other_form_that_holds_an_address_is_public(address: IPv4Address, written: str):
    """They have been withdrawn or are of local use; what they lead to depends on whose router reads them."""
    high, low = divmod(int(address), 1 << 16)

    assert not is_public_host(written.format(address, f"{high:x}", f"{low:x}"))


@given(V6)
def test_only_global_unicast_is_public(address: IPv6Address):
    """The rest of the IPv6 space is unassigned or has a special purpose, whatever a release of Python says of it."""
    inner = address in IPv6Network("64:ff9b::/96") or address in IPv6Network("::ffff:0:0/96")
    if address not in IPv6Network("2000::/3") and not inner:
        assert not is_public_address(str(address))
    if address.is_private or address.is_loopback or address.is_link_local:
        assert not is_public_address(str(address))


LOOPBACK = ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_known(host: str):
    """What only this machine reaches needs neither TLS nor a token."""
    assert is_loopback(host)
    assert not is_public_host(host)


@pytest.mark.parametrize(
    "host",
    [
        *("0.0.0.0", "::", "10.0.0.1", "example.com", "", "127.0.0.1.evil.test", "localhost.evil.test"),  # noqa: S104
        *("localhost.", "127.0.0.1.", "2130706433", "127.1", "0x7f.1", "0177.0.0.1", "127.0.0.01"),
        *(
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::1%lo",
            "[::1",
            "127.0.0.1%lo",
            "\uff11\uff12\uff17.0.0.1",
        ),
    ],
)
def test_what_some_reader_takes_for_another_machine_is_not_loopback(host: str):
    """Plain http would show the key to it, and a page without a token everything."""
    assert not is_loopback(host)


NEVER = """
169.254.169.254 169.254.0.0 169.254.255.255 169.254.169.254. 169.254.169.254.. 100.100.100.200 168.63.129.16 192.0.0.192
0xa9fea9fe 2852039166 169.254.43518 169.16689662 0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376 025177524776 169.254.0xa9fe
fe80::1 fe80::1%eth0 fe80::1%25eth0 [fe80::1] febf::1 fd00:ec2::254 fd20:ce::254
::ffff:169.254.169.254 ::169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b:1::a9fe:a9fe 64:ff9b:1:a9fe:a9:fe00::
64:ff9b:1:a9:fe:a9fe:: 64:ff9b:1:0:a9:fea9:fe00:0 2002:a9fe:a9fe::1 2001:0:a9fe:a9fe:: 2001::5601:5601
metadata metadata.google.internal METADATA.google.internal. metadata.goog
169%2e254%2e169%2e254 \uff11\uff16\uff19.254.169.254 169\u3002254\u3002169\u3002254
"""


@pytest.mark.parametrize("host", NEVER.split())
def test_what_is_never_contacted_is_found_in_every_spelling(host: str):
    """The metadata service of a cloud gives the machine's credentials to whoever asks."""
    assert is_never_contacted(host)
    assert not is_public_host(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "localhost", "", "169.255.0.1", *PUBLIC.split()]
)
def test_other_hosts_may_be_contacted(host: str):
    """A gateway on a private network is the user's own choice."""
    assert not is_never_contacted(host)


@given(
    LINK_LOCAL_V4, st.lists(st.sampled_from(["{0}", "0x{0:x}", "0{0:o}"]), min_size=4, max_size=4), st.integers(1, 4)
)
def test_no_spelling_hides_a_link_local_address(address: IPv4Address, written: list[str], parts: int):
    """The C library reads one to four numbers, in three bases."""
    octets = list(address.packed)
    numbers = [*octets[: parts - 1], int.from_bytes(octets[parts - 1 :])]
    text = ".".join(form.format(number) for form, number in zip(written, numbers, strict=False))

    assert is_never_contacted(text)
    assert not is_public_host(text)
    assert is_address(text)


@given(
    LINK_LOCAL_V4,
    st.sampled_from(["::ffff:{0}", "::{0}", "64:ff9b::{0}", "64:ff9b:1::{0}", "2002:{1}:{2}::", "2001:0:{1}:{2}::"]),
)
def test_no_embedding_hides_a_link_local_address(address: IPv4Address, written: str):
    """Some router may unwrap it."""
    high, low = divmod(int(address), 1 << 16)

    assert is_never_contacted(written.format(address, f"{high:x}", f"{low:x}"))


@given(LINK_LOCAL_V6)
def test_no_link_local_ipv6_address_is_contacted(address: IPv6Address):
    """With or without a zone."""
    assert is_never_contacted(str(address))
    assert is_never_contacted(f"{address}%eth0")


@given(V4 | V6)
def test_an_address_is_never_two_things_at_once(address: IPv4Address | IPv6Address):
    """Each use of these answers takes the others for granted."""
    text = str(address)
    assert 1 >= is_public_host(text) + is_loopback(text) + is_never_contacted(text)
    assert is_public_host(text) == is_public_address(text)
    if isinstance(address, IPv4Address):
        assert is_loopback(text) == (address in IPv4Network("127.0.0.0/8"))


@given(st.text(max_size=40) | st.text("0123456789abcdefx.:%[]", max_size=40))
def test_any_text_is_judged(host: str):
    """Strangers write it, so nothing may be raised."""
    assert 1 >= is_public_host(host) + is_loopback(host) + is_never_contacted(host)
    assert is_public_address(host) in {True, False}
