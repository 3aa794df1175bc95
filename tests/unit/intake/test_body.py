"""Reading bodies: records exactly as sent, whatever the chunks; bombs and broken bodies refused by code."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.api.http.body import Body, BodyLimits
from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.split.json import JsonSplitter
from hocba_hub.intake.split.splitter import split_stream, splitter_for

LIMITS = BodyLimits(bytes=5_000_000, record_bytes=100_000, records=100, gzip_ratio=50)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def cut(body: bytes, media_type: str, *, size: int = 7, zipped: bool = False, limits: BodyLimits = LIMITS):
    async def run():
        async def stream():
            for start in range(0, len(body), size):
                yield body[start : start + size]

        opened = Body(stream(), gzip=zipped, limits=limits)
        has_lines = media_type == "application/x-ndjson"
        splitter = splitter_for(None, limits.record_bytes, is_xml=False, has_lines=has_lines)
        found = split_stream(opened.chunks(), splitter, limits.record_bytes, limits.records)
        return [record async for record in found], opened

    return asyncio.run(run())


@given(st.lists(JSON_VALUES, max_size=8), st.sampled_from([None, 1]), st.integers(1, 50))
def test_array_elements_come_back_byte_for_byte(values: list[object], indent: int | None, size: int):
    texts = [json.dumps(value, ensure_ascii=False, indent=indent) for value in values]
    body = ("[" + " ,\n".join(texts) + " ]").encode("utf-8", "surrogatepass")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return
    assert JsonSplitter((), 100_000).feed(body, final=True) == [text.encode() for text in texts]
    records, opened = cut(b" \n" + body, "application/json", size=size)
    assert records == [text.encode() for text in texts]
    assert opened.size == len(body) + 2


@given(st.lists(JSON_VALUES, max_size=8), st.integers(1, 50))
def test_lines_come_back_whatever_the_chunks(values: list[object], size: int):
    lines = [json.dumps(value).encode() for value in values]
    body = b"\r\n\n".join(lines)
    records, opened = cut(body, "application/x-ndjson", size=size)
    assert records == lines
    assert opened.sha256 == hashlib.sha256(body).hexdigest()


def test_a_single_record_keeps_its_bytes():
    body = b'{"a" :  1,\n "b": "\xc4\x90"}'
    assert cut(body, "application/json")[0] == [body]


def test_gzip_is_undone_and_the_digest_is_of_what_it_held():
    body = b'{"a":1}\n' * 50
    packed = gzip.compress(body[:100]) + gzip.compress(body[100:])
    records, opened = cut(packed, "application/x-ndjson", zipped=True)
    assert len(records) == 50
    assert opened.sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("body", "media_type", "zipped", "code"),
    [
        (b"[1, 2", "application/json", False, "body.not-json"),
        (b"[1 2]", "application/json", False, "body.not-json"),
        (b"[1,]", "application/json", False, "body.not-json"),
        (b"[1] x", "application/json", False, "body.not-json"),
        (b"[" * 100_000, "application/json", False, "body.not-json"),
        (b"[\xff]", "application/json", False, "body.not-json"),
        (b"x" * 200_000, "application/x-ndjson", False, "body.record-too-large"),
        (b"1\n" * 101, "application/x-ndjson", False, "body.too-many-records"),
        (b" " * 5_000_001, "application/json", False, "body.too-large"),
        (b"1" * 100_001, "application/json", False, "body.record-too-large"),
        (b'[1, "' + b"x" * 200_000, "application/json", False, "body.record-too-large"),
        (b'[{"a": x' + b" " * 50_000, "application/json", False, "body.not-json"),
        (b"not gzip", "application/json", True, "body.gzip-broken"),
        (gzip.compress(b'{"a":1}' * 99, mtime=0)[:-9], "application/json", True, "body.gzip-broken"),
        (gzip.compress(b" " * 4_000_000, mtime=0), "application/json", True, "body.gzip-bomb"),
    ],
)
def test_what_cannot_be_read_is_refused_by_code(body: bytes, media_type: str, zipped: bool, code: str):
    with pytest.raises(SubmissionError) as refused:
        cut(body, media_type, zipped=zipped, size=4096)
    assert refused.value.code == code
