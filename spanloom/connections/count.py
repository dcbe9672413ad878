"""How many connections are open, and whether one more may be."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address


class Count:
    """Counts connections in all and by network.

    Args:
        most: connections there may be in all.
        most_per_network: connections there may be from one network.
    """

    def __init__(self, most: int, most_per_network: int) -> None:
        self.most = most
        self.most_per_network = most_per_network
        self.total = 0
        self._by_network: dict[str, int] = {}

    def refusal(self, network: str) -> str | None:
        """Return why a network may open no further connection: `full` or `address`; None where it may."""
        if self.total >= self.most:
            return "full"
        if self._by_network.get(network, 0) >= self.most_per_network:
            return "address"
        return None

    def opened(self, network: str) -> None:
        """Count a connection."""
        self.total += 1
        self._by_network[network] = self._by_network.get(network, 0) + 1

    def closed(self, network: str) -> None:
        """Count a connection no more."""
        self.total -= 1
        left = self._by_network[network] - 1
        if left:
            self._by_network[network] = left
        else:
            # Who has none costs nothing: else a scan from many addresses would stay in memory.
            del self._by_network[network]


def network_of(address: str) -> str:
    """Return what an address counts as: itself; an IPv6 address its /64, of which one machine may have every address.

    https://www.rfc-editor.org/rfc/rfc6177: an end site gets at least a /64.
    """
    if ":" not in address:
        return address
    parsed = ip_address(address.partition("%")[0])
    assert isinstance(parsed, IPv6Address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), 64), strict=False).network_address)
