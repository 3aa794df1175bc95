"""Rows of a workbook survive being kept as bytes: whatever a cell holds, the mapping sees the same."""

from datetime import date, datetime

from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.mappings.records.row_bytes import row_bytes, row_record
from hocba_hub.mappings.records.rows import RowRecord

CELLS = st.one_of(
    st.text(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.booleans(),
    st.dates(), st.datetimes(), st.sampled_from(["2026-06-20", "@day", "#MERGED!"]),
)  # fmt: skip
ROWS = st.dictionaries(st.text(), CELLS)


@given(st.dictionaries(st.text(), st.one_of(CELLS, ROWS.filter(lambda row: len(row) != 1), st.lists(CELLS))))
def test_a_card_is_the_same_again(node):
    assert row_record(row_bytes(RowRecord(node, {})), {}) == RowRecord(node, {})


def test_a_day_is_not_a_text():
    cells = {"born": date(2015, 9, 2), "at": datetime.fromisoformat("2015-09-02T07:00:00"), "text": "2015-09-02"}
    assert [type(cell) for cell in row_record(row_bytes(RowRecord(cells, {})), {}).node.values()] == [
        date,
        datetime,
        str,
    ]
