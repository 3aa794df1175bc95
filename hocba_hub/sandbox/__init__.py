"""The other side, simulated: the province's platform, the Ministry's database, and a synthetic province.

Knows the model and the contracts, nothing of the hub's engine; only the command line and the tests enter.
"""
