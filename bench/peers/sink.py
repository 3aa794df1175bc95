"""A destination that takes whatever is posted and counts it: `python -m bench.peers.sink PORT`."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

_taken = 0


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Take a POST; a GET says how many there were."""
    global _taken  # noqa: PLW0603 - one count of one process
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
        _taken += 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(_taken).encode()})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", lifespan="off")
