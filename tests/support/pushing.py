"""Vendors that push in the background while a chaos test does its worst."""

from __future__ import annotations

import threading
from itertools import count
from typing import Self

from hocba_hub.sandbox.synthetic import generate, revise
from tests.support.long_form import LONG
from tests.support.rig import Rig

CARDS = 6_000 if LONG else 300
ENGINES = ("sqlite", "postgresql")


def cards(number: int, seed: int = 1) -> list[bytes]:
    return list(generate(number, seed, schools=12))


class Pushing:
    """Three vendors that push in the background: first all cards, then corrections of some, until it is left."""

    def __init__(self, rig: Rig, most: int, **vendor: object) -> None:
        """`vendor` are options of each."""
        self.stop, self.enough = threading.Event(), threading.Event()
        self.vendors = [rig.vendor(f"vendor-{n}", batch=25, stop=self.stop, **vendor) for n in range(3)]
        whole = cards(most)
        self._threads = [
            threading.Thread(target=self._push, args=(vendor, whole[n::3])) for n, vendor in enumerate(self.vendors)
        ]

    def _push(self, vendor, part: list[bytes]) -> None:
        vendor.push(part)
        for seed in count(1):
            vendor.push([revise(card, seed) for card in part[::5]])
            if self.enough.is_set() or self.stop.is_set():
                return

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is not None:
            self.stop.set()  # a test that fails shall not wait for what can no longer end
        self.enough.set()
        for thread in self._threads:
            thread.join(600)
            assert not thread.is_alive()

    @property
    def resent(self) -> int:
        return sum(vendor.answers.resent for vendor in self.vendors)

    @property
    def accepted(self) -> dict[str, int]:
        return {key: version for vendor in self.vendors for key, version in vendor.answers.accepted.items()}
