"""Both destinations, simulated; each test finds their ledgers empty."""

import pytest

from tests.support.sandbox_server import SandboxHandle, running_sandbox


@pytest.fixture(scope="module")
def running():
    with running_sandbox() as handle:
        yield handle


@pytest.fixture
def sandbox(running) -> SandboxHandle:
    running.sandbox.reset()
    return running
