"""Celery on Redis: a task a card, acknowledged when it is done."""

from __future__ import annotations

from celery import Celery

from bench.peers import moving

app = Celery("peers", broker=moving.REDIS)
app.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task(name="move", autoretry_for=(Exception,), retry_backoff=True)
def move(card: str) -> None:
    """Move one card."""
    moving.move(card)


def enqueue() -> None:
    """Give all cards."""
    for each in moving.cards():
        move.delay(each)
