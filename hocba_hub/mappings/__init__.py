"""How formats become each other: versioned, declarative documents, compiled once; and code tables.

Pure; knows `model` only.
"""
