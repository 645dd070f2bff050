"""``import musicnet_build`` costs nothing, and its names are there when they are used."""

import subprocess
import sys

import pytest

import musicnet_build


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, musicnet_build; print(*({'numpy', 'scipy', 'numba', 'librosa'} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == ""


@pytest.mark.parametrize("name", musicnet_build.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert callable(getattr(musicnet_build, name))
