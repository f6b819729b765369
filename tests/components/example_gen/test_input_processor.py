import os
import shutil

import pytest
from tfx.proto import example_gen_pb2

from components.example_gen.input_processor import ContentsInputProcessor
from transforms.parsing import input_files


def fingerprint(folder, *patterns):
    splits = [
        example_gen_pb2.Input.Split(name=f"s{at}", pattern=pattern)
        for at, pattern in enumerate(patterns)
    ]
    processor = ContentsInputProcessor(str(folder), splits)
    return processor.get_input_fingerprint(*processor.resolve_span_and_version())


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my [1]*"
    (folder / "ratings").mkdir(parents=True)
    (folder / "ratings.csv").write_text("1,1,5,1\n")
    (folder / "ratings" / "part-0.csv").write_text("2,1,5,1\n")
    (tmp_path / "my 1x").mkdir()
    (tmp_path / "my 1x" / "ratings.csv").write_text("3,1,5,1\n3")
    return folder


def test_other_contents_of_the_same_size_and_time_are_another_fingerprint(folder):
    before = fingerprint(folder, "*")
    assert before.startswith("files:2,bytes:16,digest:")
    for path in (folder / "ratings.csv", folder / "ratings" / "part-0.csv"):
        content, times = path.read_text(), os.stat(path)
        path.write_text(content.replace("5", "4"))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert fingerprint(folder, "*") != before
        path.write_text(content)
        assert fingerprint(folder, "*") == before


def test_a_copy_has_the_same_fingerprint_and_a_renamed_file_another(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert fingerprint(tmp_path / "copy", "*") == fingerprint(folder, "*")
    (tmp_path / "copy" / "ratings.csv").rename(tmp_path / "copy" / "ratings.tsv")
    assert fingerprint(tmp_path / "copy", "*") != fingerprint(folder, "*")


def test_a_file_alone_and_what_is_beside_it_count(folder):
    file = folder / "ratings.csv"
    before = fingerprint(file, "*")
    assert before.startswith("files:1,bytes:8,")
    (folder / "links.csv").write_text("x")
    assert fingerprint(file, "*") == before
    (folder / "Movies.csv").write_text("x")
    assert fingerprint(file, "*") != before
    # The parts of one.
    (folder / "ratings").rename(folder / "mine.csv")
    assert fingerprint(folder / "mine.csv", "*").startswith("files:2,bytes:9,")


def test_every_piece_of_a_file_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(input_files, "_PIECE", 4)
    content = b"0123456789"
    (tmp_path / "a.csv").write_bytes(content)
    found = {fingerprint(tmp_path, "*")}
    for at in range(len(content)):
        (tmp_path / "a.csv").write_bytes(content[:at] + b"x" + content[at + 1 :])
        found.add(fingerprint(tmp_path, "*"))
    assert len(found) == len(content) + 1
