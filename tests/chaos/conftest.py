"""What the chaos tests share."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.servers import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("durable_postgres")
    return server.create_database(f"chaos_{uuid4().hex}")


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(fsync=True)
    server.start()
    yield server
    server.remove()
