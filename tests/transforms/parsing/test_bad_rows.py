import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.base.errors import UserError
from transforms.parsing import bad_rows
from transforms.parsing.bad_rows import (
    BadRow,
    BadRows,
    Problem,
    line_numbers,
    merge,
    need_a_look,
    set_aside,
)
from transforms.parsing.input_files import open_input


def is_x(line):
    return Problem("", "is x") if line == b"x" else None


def test_lines_are_kept_with_their_ends_or_described_up_to_the_bound():
    kept, found = set_aside(b"a\r\nx\n\nx\r\nb\nx", 10, "file", is_x, 2)
    assert kept == b"a\r\n\nb\n"
    problem = Problem("", "is x")
    assert found == BadRows(
        3, [BadRow("file", 13, problem, b"x"), BadRow("file", 16, problem, b"x")]
    )


def test_without_a_bound_the_first_one_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"header\nlines\na\nx\nx\n")
    with pytest.raises(UserError, match=r"file:4: is x; mend the row or remove it$"):
        set_aside(b"a\nx\nx\n", 13, str(tmp_path / "file"), is_x, 0)


@given(st.lists(st.integers(0, 12), max_size=8), st.booleans())
def test_a_long_line_is_seen_wherever_it_is(lengths, ends):
    lines = b"\n".join(b"9" * length for length in lengths) + b"\n" * ends
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bad_rows, "LINE_BYTES", 8)
        assert need_a_look(lines) == any(length > 8 for length in lengths)


@pytest.mark.parametrize("lines", [b"1\0\n", b"1\r2\n", b"1\n\r2", b"1\r\r\n", b"\xef\xbb\xbf1"])
def test_what_parsers_differ_on_gets_a_look(lines):
    assert need_a_look(lines)
    assert not need_a_look(b"1\r\n2\n\n3")


def test_merging_keeps_the_first_rows_in_any_order():
    rows = [BadRow(path, at, Problem("", ""), b"") for path in "ab" for at in range(10)]
    parts = [BadRows(1, [row]) for row in rows] + [BadRows(5, ())]
    random.Random(0).shuffle(parts)
    merged = merge([merge(parts[:7], 4), merge(parts[7:], 4)], 4)
    assert merged == BadRows(25, rows[:4])


def test_lines_are_numbered_in_one_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(bad_rows, "_CHUNK", 3)
    content = b"a\n\nlonger\r\nb\nc"
    (tmp_path / "file").write_bytes(content)
    offsets = range(len(content))
    expected = [content.count(b"\n", 0, at) + 1 for at in offsets]
    assert list(line_numbers(str(tmp_path / "file"), offsets)) == expected


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(UserError, match=rf"^{tmp_path}: cannot be read \(Is a directory\)"):
        open_input(str(tmp_path))
