import gzip
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pipeline.serve.tables
from pipeline.serve.tables import write_table
from transforms.base.errors import UserError

TABLE = pa.table({"a": [1, 2], "b": ["x,y", ""], "c": np.float32([0.5, 0.25])})
TEXT = 'a,b,c\n1,"x,y",0.5\n2,,0.25\n'


def test_csv_goes_to_standard_output_too(capsys):
    write_table(TABLE, "-", sys.stdout)
    assert capsys.readouterr().out == TEXT


def test_a_file_is_written_as_what_it_is_called(tmp_path):
    for name in ("out.csv", "out.csv.gz", "OUT.Parquet", "out"):
        write_table(TABLE, str(tmp_path / name), None)
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "out").read_text() == TEXT
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode() == TEXT
    assert pq.read_table(tmp_path / "OUT.Parquet").equals(TABLE)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_text("before")

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", broken)
    monkeypatch.setattr(pipeline.serve.tables, "_write_csv", broken)
    with pytest.raises(UserError, match="No space left"):
        write_table(TABLE, str(path), None)
    assert os.listdir(tmp_path) == [name] and path.read_text() == "before"
