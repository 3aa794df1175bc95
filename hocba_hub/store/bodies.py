"""Bodies in the store: compressed, byte-exact."""

from __future__ import annotations

import threading

import zstandard

_LEVEL = 3
_local = threading.local()


def pack(body: bytes) -> bytes:
    """The body as it is stored (zstd, level 3, with its length and a checksum)."""
    compressor = getattr(_local, "compressor", None)
    if compressor is None:
        # Compressors are not safe to share between threads, and costly to make anew.
        compressor = _local.compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    return bytes(compressor.compress(body))


def unpack(stored: bytes) -> bytes:
    """The very bytes that were packed."""
    decompressor = getattr(_local, "decompressor", None)
    if decompressor is None:
        decompressor = _local.decompressor = zstandard.ZstdDecompressor()
    return bytes(decompressor.decompress(stored))
