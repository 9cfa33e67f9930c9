"""Whether one set of grants lets in more than another: the quick way says what the plain way says."""

from __future__ import annotations

from ipaddress import collapse_addresses, ip_network

from hypothesis import given
from hypothesis import strategies as st

from tollgate.assess.grants import Grant, Grants, widened

NETWORKS = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.0.0.0/24", "10.0.1.0/24", "::/0", "fd00::/8"]
PORTS = [(0, 65535), (5432, 5432), (5432, 5433), (443, 443)]
GRANTS = st.builds(
    lambda network, protocol, ports: Grant(ip_network(network), protocol, *((0, 65535) if protocol == "-1" else ports)),
    st.sampled_from(NETWORKS),
    st.sampled_from(["tcp", "udp", "-1"]),
    st.sampled_from(PORTS),
)
SIDES = st.frozensets(GRANTS, max_size=8).map(Grants)


@given(before=SIDES, after=SIDES)
def test_what_is_widened(before: Grants, after: Grants) -> None:
    def let_in(grant: Grant) -> bool:
        fitting = [old.network for old in before.grants if old.covers_ports_of(grant)]
        nets = [net for net in fitting if net.version == grant.network.version]
        return any(grant.network.subnet_of(net) for net in collapse_addresses(nets))  # type: ignore[type-var,arg-type]

    assert set(widened(before, after)) == {grant for grant in after.grants if not let_in(grant)}


def test_two_halves_let_in_the_whole() -> None:
    halves = Grants(frozenset(Grant(ip_network(net), "tcp", 443, 443) for net in ("10.0.0.0/9", "10.128.0.0/9")))
    whole = Grants(frozenset({Grant(ip_network("10.0.0.0/8"), "tcp", 443, 443)}))
    assert widened(halves, whole) == []
    assert widened(whole, halves) == []
