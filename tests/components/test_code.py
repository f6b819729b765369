import pytest

from components import code
from transforms.base.errors import UserError


@pytest.fixture
def sources(tmp_path, monkeypatch):
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "__init__.py").touch()
    (tmp_path / "components" / "a.py").write_text("def run():\n    from components import b\n")
    (tmp_path / "components" / "b.py").write_text("ONE = 1\n")
    monkeypatch.setattr(code, "_ROOT", tmp_path)
    return tmp_path / "components"


def test_other_code_than_was_compiled_is_refused_by_its_name(sources):
    compiled = code.image_fingerprint("components.a")
    code.check_code(compiled)
    (sources / "b.py").write_text("ONE = 2\n")
    with pytest.raises(UserError, match=r"^components.a: the code in this image is not that of"):
        code.check_code(compiled)


def test_what_runs_where_it_is_edited_is_not_checked(sources):
    for unchecked in ("", "code", code.fingerprint("components.a")):
        (sources / "b.py").write_text("ONE = 3\n")
        code.check_code(unchecked)


def test_sources_of_another_package_are_found_where_it_is_imported_from(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "spread").mkdir()
    for name in ("foreign/__init__.py", "foreign/steps.py", "alone.py", "spread/part.py"):
        (tmp_path / name).write_text("ONE = 1\n")
    assert code.source_file("foreign") == tmp_path / "foreign" / "__init__.py"
    assert code.source_file("foreign.steps") == tmp_path / "foreign" / "steps.py"
    assert code.source_file("alone") == tmp_path / "alone.py"
    before = code.fingerprint("foreign.steps")
    (tmp_path / "foreign" / "__init__.py").write_text("ONE = 2\n")
    assert code.fingerprint("foreign.steps") != before
    # Neither a folder without a file of its own nor what is not installed has a place.
    for name in ("spread", "nowhere_at_all", "nowhere_at_all.steps"):
        assert not code.source_file(name).exists()
