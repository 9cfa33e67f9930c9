"""Grants: which addresses may reach which ports, and whether one set of them lets in more than another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, NamedTuple

from tollgate.policy.sentinels import is_secret, is_unknown

Network = IPv4Network | IPv6Network
# Private ranges: RFC 1918, RFC 6598 (carrier NAT), RFC 4193 (IPv6), loopback and link-local.
_PRIVATE: tuple[Network, ...] = tuple(
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
_ALL_PORTS = (0, 65535)
ALL_PORTS = "all ports"
# Azure's words for every address (network security groups, "service tags").
_EVERYONE = {"*": "0.0.0.0/0", "internet": "0.0.0.0/0", "any": "0.0.0.0/0"}


@dataclass(frozen=True, slots=True)
class Grant:
    """Addresses (a network) that may reach a range of ports over a protocol ("-1": any)."""

    network: Network
    protocol: str
    first: int
    last: int

    @property
    def ports(self) -> str:
        if (self.first, self.last) == _ALL_PORTS or self.protocol == "-1":
            return ALL_PORTS
        return f"port {self.first}" if self.first == self.last else f"ports {self.first} to {self.last}"

    def covers_ports_of(self, other: Grant) -> bool:
        same_protocol = self.protocol in ("-1", other.protocol)
        return same_protocol and self.first <= other.first and self.last >= other.last


@dataclass(frozen=True, slots=True)
class Grants:
    """``hidden``: some rule could not be read (unknown, secret, or not an address)."""

    grants: frozenset[Grant]
    hidden: bool = False


@lru_cache(maxsize=16_384)
def _network(address: str) -> Network:
    return ip_network(_EVERYONE.get(address.lower(), address), strict=False)


@lru_cache(maxsize=16_384)
def is_private(network: Network) -> bool:
    """No address of the network is reachable from the internet."""
    return any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _PRIVATE
    )


def is_everyone(network: Network) -> bool:
    """Half of the internet or more: nobody in particular."""
    return network.prefixlen <= 1


def widened(before: Grants, after: Grants) -> list[Grant]:
    """Grants of the new side that the old side did not already give, in a stable order."""
    doors = _Doors(before)
    new = [grant for grant in after.grants if grant not in before.grants and not doors.let_in(grant)]
    return sorted(new, key=lambda grant: (grant.network.prefixlen, str(grant.network), grant.first, grant.last))


class _Door(NamedTuple):
    protocol: str
    first: int
    last: int
    version: int  # of the addresses, 4 or 6


def _door(grant: Grant) -> _Door:
    return _Door(grant.protocol, grant.first, grant.last, grant.network.version)


class _Doors:
    """What the old side lets in, by ports: only rules over several ports have to be looked at for each of them."""

    def __init__(self, before: Grants) -> None:
        self._old: dict[_Door, list[Grant]] = {}
        for grant in before.grants:
            self._old.setdefault(_door(grant), []).append(grant)
        self._wide = [door for door in self._old if door.first < door.last]
        self._nets: dict[_Door, list[Any]] = {}

    def let_in(self, grant: Grant) -> bool:
        """One old rule, or several old networks together with the same ports, already let these in."""
        door = _door(grant)
        if door not in self._nets:
            self._nets[door] = self._behind(door, grant)
        return any(grant.network.subnet_of(net) for net in self._nets[door])

    def _behind(self, door: _Door, grant: Grant) -> list[Any]:
        doors = [known for known in {door, *self._wide} if known.version == door.version]
        nets: list[Any] = [
            old.network for known in doors for old in self._old.get(known, ()) if old.covers_ports_of(grant)
        ]
        return list(collapse_addresses(nets)) if len(nets) > 1 else nets


Raw = tuple[Any, Any, Any, Any]  # address, protocol, first port, last port


def collect(raws: Iterable[Raw]) -> Grants:
    """Rules as providers write them, as grants."""
    found, hidden = set(), False
    for address, protocol, first, last in raws:
        grant = _grant(address, protocol, first, last)
        if grant is None:
            hidden = True
        else:
            found.add(grant)
    return Grants(frozenset(found), hidden)


def _grant(address: Any, protocol: Any, first: Any, last: Any) -> Grant | None:
    if not isinstance(address, str) or unreadable(address):
        return None
    try:
        network = _network(address)
    except ValueError:
        return None
    word = "-1" if protocol is None else str(protocol).lower().removesuffix(".0")
    word = "-1" if word in ("all", "*", "-1") else word
    if word == "-1" or (first is None and last is None):
        return Grant(network, word, *_ALL_PORTS)
    low, high = _port(first), _port(last if last is not None else first)
    return None if low is None or high is None else Grant(network, word, low, high)


def _port(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        return int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def unreadable(value: Any) -> bool:
    return is_unknown(value) or is_secret(value)
