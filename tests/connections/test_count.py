"""Counting connections: never more than the bounds, and nothing kept of those that are gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.connections.count import Count, network_of


@given(st.integers(1, 8), st.integers(1, 8), st.lists(st.tuples(st.booleans(), st.sampled_from("abcd"))))
def test_bounds_hold_and_everybody_gets_what_is_left(
    most: int, most_per_network: int, steps: list[tuple[bool, str]]
) -> None:
    count = Count(most, most_per_network)
    open_: list[str] = []
    for opens, network in steps:
        if opens:
            refusal = count.refusal(network)
            full, enough = len(open_) == most, open_.count(network) == most_per_network
            assert refusal == ("full" if full else "address" if enough else None)
            if refusal is None:
                count.opened(network)
                open_.append(network)
        elif network in open_:
            count.closed(network)
            open_.remove(network)
        assert count.total == len(open_)
    for network in open_:
        count.closed(network)
    assert count.total == 0
    assert vars(count) == vars(Count(most, most_per_network))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::1", "::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_an_ipv6_address_counts_by_its_network(address: str, network: str) -> None:
    assert network_of(address) == network
