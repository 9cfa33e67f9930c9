"""How many addresses a range lets in: private ranges, a partner's own, or half the internet."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading

Network = IPv4Network | IPv6Network
# RFC 1918, RFC 6598 (carrier NAT), RFC 4193 (IPv6), loopback and link-local.
PRIVATE: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
# Ranges of IPv6 that hold all of IPv4: mapped addresses (RFC 4291) and NAT64 (RFC 6052).
_CARRIES_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
# A public range that one organisation may own and name: a /16 of IPv4, a /32 of IPv6 (RIPE-738, initial allocation).
# Wider than that is nobody in particular, such as two halves of the internet side by side.
_WIDEST_PUBLIC = {4: 16, 6: 32}
_WANTED = "private addresses, or a range no wider than a /16 (IPv6: a /32)"


def narrow(addresses: Reading) -> Check:
    """A range of private addresses, or of public ones that one organisation may own."""
    return addresses.satisfies(_is_narrow, _WANTED)


def each_narrow(addresses: Reading) -> Check:
    """Every range of a list is narrow, and they are so side by side, too."""
    check = addresses.each(narrow)
    together = _side_by_side(addresses.value)
    if check.findings or all(map(_names_someone, together)):
        return check
    return addresses.satisfies(lambda _: False, f"{_WANTED}, all of them together")


def _side_by_side(values: Any) -> list[Network]:
    """The ranges of a list, each as wide as it is with its neighbours; what is no range is passed over."""
    listed = values if isinstance(values, list) else []
    found = [network for value in listed if (network := _network(value)) is not None]
    four = [network for network in found if isinstance(network, IPv4Network)]
    six = [network for network in found if isinstance(network, IPv6Network)]
    return [*collapse_addresses(four), *collapse_addresses(six)]


def _is_narrow(text: Any) -> bool:
    network = _network(text)
    return network is not None and _names_someone(network)


def _network(text: Any) -> Network | None:
    try:
        network = ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and any(network.subnet_of(carrier) for carrier in _CARRIES_IPV4):
        return IPv4Network((int(network.network_address) & 0xFFFF_FFFF, network.prefixlen - 96))
    return network


def _names_someone(network: Network) -> bool:
    private = any(
        network.version == own.version and network.subnet_of(own)  # type: ignore[arg-type]
        for own in PRIVATE
    )
    return private or network.prefixlen >= _WIDEST_PUBLIC[network.version]
