"""The SDKs that people have send to a running local stack, and the session is there."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest

from tests.clients.cases import CASES, Case
from tests.clients.environments import without_node
from tests.clients.running import Stack, two_turns

pytestmark = [pytest.mark.clients, pytest.mark.stack]

_COMPLAINT = re.compile("error|warn|fail|refused|traceback|exception|unimplemented", re.IGNORECASE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_two_turns_are_a_session(case: Case, stack: Stack, tmp_path: Path) -> None:
    if case.is_javascript and (reason := without_node()):
        pytest.skip(reason)
    session = f"session-{uuid.uuid4().hex}"
    ran = stack.receiver.run(case, session, tmp_path)
    assert ran.code == 0, ran.output
    stack.wait_for_session(session, two_turns(case))
    # Whatever else the SDK asks for must not make it complain in its user's log.
    assert not _COMPLAINT.search(ran.output.replace(session, "")), ran.output
