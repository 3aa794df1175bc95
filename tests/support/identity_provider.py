"""A real identity provider as a process, and somebody who signs in there with a browser's cookies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.npm import npm_packages
from tests.support.servers import free_port

_SCRIPT = Path(__file__).parents[1] / "foreign" / "provider.mjs"
SECRET = "provider-secret"


@contextmanager
def identity_provider(redirects: Sequence[str]) -> Iterator[str]:
    """Its address; the test is skipped where there is no Node."""
    packages, port = npm_packages(), free_port()
    process = subprocess.Popen(
        [str(shutil.which("node")), str(_SCRIPT), str(port), *redirects],
        env=os.environ | {"NODE_PATH": str(packages / "node_modules")},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert any(line.strip() == b"ready" for line in process.stdout)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


def signed_in_there(url: str, name: str) -> str:
    """Where the provider sends a browser back that was sent to `url`, once somebody has signed in and agreed."""
    with httpx.Client(timeout=20) as browser:
        answer = browser.get(url)
        for _ in range(12):
            if answer.is_redirect:
                to = answer.headers["location"]
                to = to if to.startswith("http") else str(answer.url.join(to))
                if not to.startswith(str(answer.url.copy_with(path="/", query=None))):
                    return to
                answer = browser.get(to)
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            assert form is not None, answer.text[:500]
            fields = dict(re.findall(r'name="(prompt)" value="(\w+)"', answer.text))
            answer = browser.post(str(answer.url.join(form[1])), data={**fields, "login": name, "password": "x"})
    raise AssertionError("the provider sends nobody back")
