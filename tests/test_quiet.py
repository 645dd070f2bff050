"""Tests of imports that print nothing."""

import sys
from pathlib import Path

import pytest

from musicnet_build.quiet import quietly_imported


def test_what_a_module_prints_while_it_is_imported_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "chatty_module.py").write_text("print('here I am')\nVALUE = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert quietly_imported("chatty_module").VALUE == 3
    assert capsys.readouterr().out == ""
    del sys.modules["chatty_module"]
