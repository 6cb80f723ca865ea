"""No text in a CSV file is a formula, for any separator."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.presenters.csv_files import escape_text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Ana Bolena", "Ana Bolena"),
        ("Anne-Marie O'Brien & Sons, Ltd.", "Anne-Marie O'Brien & Sons, Ltd."),
        ("Tea box - large + mug = fun", "Tea box - large + mug = fun"),
        ("Ana <ana@example.test>", "Ana <ana@example.test>"),
        ("Semi;=1+1;x", "Semi;'=1+1;x"),
        ("Semi; =1+1;- x", "Semi; '=1+1;'- x"),
        ("Tab\t=1+1", "Tab\t'=1+1"),
        ("Pipe|@SUM(1)", "Pipe|'@SUM(1)"),
        ("Comma,+1", "Comma,'+1"),
        ("Line\n-1", "Line\n'-1"),
        ("Space =1+1", "Space '=1+1"),
        ("\u00a0=1+1", "\u00a0'=1+1"),
        (" \t\u200b=1+1", " \t\u200b'=1+1"),
        ("1 =\u00a0", "1 '=\u00a0"),
        ("= 1", "'= 1"),
        ('"=1+1"', '"\'=1+1"'),
        (';"=1+1"', ';"\'=1+1"'),
        ("a_=1", "a_'=1"),
        ("'=1+1", "'=1+1"),
        ("=-+@", "'=-+@"),
        ("ＴＡＢ；＝１", "ＴＡＢ；'＝１"),
    ],
)
def test_a_formula_within_a_text_is_escaped(text: str, escaped: str) -> None:
    assert escape_text(text) == escaped


@given(
    st.text(st.sampled_from("=+-@＝a1 \t\n\r\u00a0\u200b;,|\"':_"), max_size=12),
    st.sampled_from(";,\t|: "),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_NONE]),
)
@settings(max_examples=300, deadline=None)
def test_no_cell_is_a_formula_with_any_separator(text: str, separator: str, quoting: int) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(["id", escape_text(text), "end"])
    lines = buffer.getvalue().splitlines()
    for line in csv.reader(lines, delimiter=separator, quoting=quoting):
        for cell in line:
            bare = cell.strip(' \t\n\r\u00a0\u200b"')
            # A sign alone is text.
            assert len(bare) == 1 or not bare.startswith(tuple("=+-@＝"))
