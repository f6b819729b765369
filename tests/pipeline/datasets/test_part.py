import os

from pipeline.datasets.part import PartFile


def test_bytes_are_on_the_disk_before_the_file_has_its_name(destination, monkeypatch):
    steps = []

    def fsync(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        steps.append(f"sync {os.path.basename(path)}")

    def replace(source, target):
        steps.append(f"rename {os.path.basename(source)}")
        rename(source, target)

    rename = os.replace
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    part = PartFile(destination)
    with part.append() as file:
        file.write(b"whole")
    part.place()
    folder = os.path.basename(os.path.dirname(destination))
    assert steps == ["sync data.zip.part", "rename data.zip.part", f"sync {folder}"]
    assert os.listdir(os.path.dirname(destination)) == ["data.zip"]
