"""How to talk to the outside: protocols and formats, one module per way of talking, registered by name.

Knows `model` and `mappings`, never store, intake, queue or api. The story starts in `protocol.py` (what the engine asks
of an adapter) and `destination.py` (the file that describes one outside system); contracts lie in `contracts/`.
"""
