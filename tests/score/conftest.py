"""What the tests of scores share: bytes read as a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from musicnet_build.score.model import Score
from musicnet_build.score.reader import read_score


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Score]:
    """Read the bytes of a score as if they were a file."""

    def read_bytes(data: bytes, name: str = "piece.mid") -> Score:
        path = tmp_path / name
        path.write_bytes(data)
        return read_score(path)

    return read_bytes
