"""Tickets of requests."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from spanloom.dashboard.access.tickets import TICKET, Tickets


@given(st.text(), st.text())
def test_a_ticket_is_good_here_for_its_project_and_nowhere_else(project: str, other: str) -> None:
    tickets = Tickets("secret")
    ticket = tickets.new(project)
    assert re.match(TICKET, ticket)
    assert tickets.is_of(ticket, project)
    assert tickets.is_of(ticket, other) == (project == other)
    assert not Tickets("another").is_of(ticket, project)
    assert ticket != tickets.new(project)


@given(st.text())
def test_what_nobody_made_is_no_ticket(text: str) -> None:
    assert not Tickets("secret").is_of(text, "shop")
    assert not Tickets("secret").is_of("0" * 48, "shop")
