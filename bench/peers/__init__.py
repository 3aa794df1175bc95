"""What a team would pick instead: the same bytes moved to two destinations by queues that are well known.

Each module is one queue's shortest honest use. They run in an environment of their own (requirements/peers.lock), with
two worker processes, and do no more than post each card to two sinks: no check, no translation, no SOAP, no store that
outlives the queue, no look-up after a lost answer.
"""
