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
