"""Rows of a workbook survive being kept as bytes: whatever a cell holds, the mapping sees the same."""

from datetime import date, datetime

from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.mappings.records.row_bytes import row_bytes, row_record
from hocba_hub.mappings.records.rows import RowRecord
from hocba_hub.mappings.records.sheet_head import SheetHead

CELLS = st.one_of(
    st.text(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.booleans(),
    st.dates(), st.datetimes(), st.sampled_from(["2026-06-20", "@day", "#MERGED!"]),
)  # fmt: skip
NAMES = st.text().filter(lambda name: name != "@head")
ROWS = st.dictionaries(NAMES, CELLS)
HEADS = st.dictionaries(st.sampled_from(["A1", "B2", "AA30"]), CELLS).map(SheetHead)


@given(
    st.dictionaries(NAMES, st.one_of(CELLS, ROWS.filter(lambda row: len(row) != 1), st.lists(CELLS)), min_size=2), HEADS
)
def test_a_card_is_the_same_again(node, head):
    record = RowRecord(node, {}, head)
    again = row_record(row_bytes(record), {})
    assert again == record
    assert [type(cell) for cell in again.head.values()] == [type(cell) for cell in head.values()]


def test_a_day_is_not_a_text():
    cells = {"born": date(2015, 9, 2), "at": datetime.fromisoformat("2015-09-02T07:00:00"), "text": "2015-09-02"}
    assert [type(cell) for cell in row_record(row_bytes(RowRecord(cells, {})), {}).node.values()] == [
        date,
        datetime,
        str,
    ]
