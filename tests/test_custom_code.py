"""Objects in the user's own files."""

import pytest

from dlcli import custom_code
from dlcli.problems import ConfigError


def test_object_is_loaded_from_its_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def double(x):\n    return 2 * x\n")
    assert custom_code.load(f"{file}:double")(4) == 8
    assert custom_code.call(f"{file}:double", {"x": 4}) == 8
    assert custom_code.file_of(f"{file}:double") == file


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("mine.py", "", "does not name an object"),
        ("other.py:f", "", "there is no file"),
        ("mine.py:f", "g = 1", "has no f"),
        ("mine.py:f", "1 / 0", "ZeroDivisionError"),
        ("mine.py:f", "def f(:", "SyntaxError"),
        ("mine.py:f", "def f(): raise KeyError(3)", "KeyError"),
    ],
)
def test_what_is_wrong_with_it_is_a_problem(tmp_path, code, text, words):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(ConfigError, match=words):
        custom_code.call(f"{tmp_path}/{code}", {})
