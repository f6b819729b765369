import types

import pytest

from pipeline.datasets import locate


@pytest.mark.parametrize(("total", "of_total"), [(3_000_000, " of 3.0"), (None, "")])
def test_a_download_is_told_of_every_five_seconds_and_at_its_end(
    total, of_total, monkeypatch, capsys
):
    now = [100.0]
    monkeypatch.setattr(locate, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    progress = locate._DownloadProgress("ml-1m")

    def told(seconds, done):
        now[0] = 100.0 + seconds
        progress(done, total)
        return capsys.readouterr().out

    assert told(4.9, 1_000_000) == ""
    assert told(5.0, 1_500_000) == f"ml-1m: 1.5{of_total} MB\n"
    assert told(9.9, 2_500_000) == ""
    # Of a file whose size the server does not tell, no byte is known to be the last.
    assert told(9.95, 3_000_000) == (f"ml-1m: 3.0{of_total} MB\n" if total else "")


def test_a_data_set_is_looked_for_where_told_and_warned_of_on_standard_error(capfd):
    class Catalog:
        def ensure(self, name, data_root, *, work_dir, allow_download, progress, warn):
            warn("a bad certificate")
            progress(2, 2)
            return f"{name} {data_root} {work_dir} {allow_download}"

    assert locate.locate(Catalog(), "mine", "data", "work", False) == "mine data work False"
    out, err = capfd.readouterr()
    assert (out, err) == ("mine: 0.0 of 0.0 MB\n", "warning: a bad certificate\n")
