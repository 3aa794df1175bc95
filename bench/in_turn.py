"""What accepting a card costs in an older tree and in this one, in turn: `python -m bench.in_turn OLDER_TREE`.

Two API processes, one of each tree, take cards in turn, a second's worth at a time, so that the machine's moods hit
both; and CPU is counted, not time. Processes of one and the same tree differ by some percent too, by where things
happen to lie in memory, so that both are started anew for each round. What is told is the median of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.accept import ndjson, postgres, secondary_cards
from bench.load import post_all
from bench.resilience import answers
from hocba_hub.sandbox.vendor import wait_until
from tests.support.servers import RedisServer, free_port

HERE = Path(__file__).parents[1]


@dataclass
class Running:
    """An API process, and what it has cost."""

    url: str
    key: str
    pid: int
    cards: int = 0
    cpu: float = 0.0
    seconds: float = 0.0

    def take(self, cards: int, batch: int) -> None:
        """Accept so many cards; batches go over 4 connections, single cards over 32."""
        found = secondary_cards(cards)
        clock = (~self.pid << 3) | 2  # of the process's CPU, see clock_getcpuclockid(3)
        before = time.clock_gettime(clock)
        if batch > 1:
            load = post_all(self.url, self.key, ndjson(found, batch), connections=4, media_type="application/x-ndjson")
        else:
            load = post_all(self.url, self.key, found, connections=32)
        assert set(load.statuses) == {202}, f"not all were accepted: {load.statuses}"
        self.cpu += time.clock_gettime(clock) - before
        self.seconds += load.seconds
        self.cards += cards


@contextmanager
def running(tree: Path, home: Path, store: str, redis_url: str) -> Iterator[Running]:
    """An API process of a tree with an empty store."""
    hub, port = [str(tree / ".venv" / "bin" / "python"), "-m", "hocba_hub"], free_port()
    environment = os.environ | {
        "HOCBA_HOME": str(home),
        "HOCBA_DATABASE_URL": store,
        "HOCBA_REDIS_URL": redis_url,
        "HOCBA_REQUESTS_PER_SECOND": "0",
        "HOCBA_FREE_DISK_BYTES": "0",
        "HOCBA_LOG_LEVEL": "WARNING",
    }

    def run(*words: str) -> str:
        command = [*hub, *words]
        return subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True).stdout.decode()

    run("database", "upgrade")
    key = next(word for word in run("clients", "add", "bench", "--school", "*").split() if word.startswith("hbc_"))
    process = subprocess.Popen([*hub, "api", "--port", str(port)], cwd=tree, env=environment)
    try:
        is_up = wait_until(partial(answers, f"http://127.0.0.1:{port}/livez"), 60)
        assert is_up, f"the API of {tree} did not start"
        yield Running(f"http://127.0.0.1:{port}/v1/report-cards", key, process.pid)
    finally:
        process.terminate()
        process.wait()


def one_round(trees: list[tuple[Path, str]], folder: Path, redis_url: str, turns: int, batch: int) -> list[Running]:
    """Both trees in turn, started anew, in the order given; each with the URL of its store, "" for SQLite's."""
    cards = 1_000 if batch > 1 else 300
    with ExitStack() as stack:
        hubs = []
        for number, (tree, store) in enumerate(trees):
            home = folder / str(number)
            home.mkdir(parents=True)
            hubs.append(stack.enter_context(running(tree, home, store or f"sqlite:///{home}/hub.db", redis_url)))
        for hub in hubs:
            hub.take(cards, batch)
            hub.cards, hub.cpu, hub.seconds = 0, 0.0, 0.0
        for turn in range(turns):
            for hub in hubs if turn % 2 else reversed(hubs):
                hub.take(cards, batch)
        return hubs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.in_turn", description=__doc__)
    parser.add_argument("older", type=Path, help="root of a checkout of an older version, with its .venv")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--turns", type=int, default=10, help="of each tree in each round")
    parser.add_argument("--batch", type=int, default=1, metavar="CARDS", help="cards of one request")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    chosen = parser.parse_args()
    ratios, costs, times = [], [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hocba-bench-", dir="/tmp")))
        server = stack.enter_context(postgres()) if chosen.postgresql else None
        redis = RedisServer()
        redis.start()
        stack.callback(redis.kill)
        for number in range(chosen.rounds):
            stores = [server.create_database(f"turn{number}{each}") if server else "" for each in range(2)]
            trees = list(zip([chosen.older.resolve(), HERE], stores, strict=True))
            if number % 2:
                trees.reverse()
            hubs = one_round(trees, folder / str(number), redis.url, chosen.turns, chosen.batch)
            old, new = reversed(hubs) if number % 2 else hubs
            cost = [hub.cpu / hub.cards * 1e3 for hub in (old, new)]
            costs.append(cost)
            ratios.append(cost[1] / cost[0])
            times.append(new.seconds / old.seconds)
            print(
                f"round {number + 1}: {cost[0]:.3f} ms and {cost[1]:.3f} ms CPU a card, x {ratios[-1]:.3f}", flush=True
            )
    old_cost, new_cost = (statistics.median(each) for each in zip(*costs, strict=True))
    print(
        f"median: {old_cost:.3f} ms and {new_cost:.3f} ms, x {statistics.median(ratios):.3f}"
        f" (mean x {statistics.mean(ratios):.3f}); time x {statistics.median(times):.3f}"
    )


if __name__ == "__main__":
    main()
