"""Tests of Ogg files: damage and loss that libsndfile reads over."""

from pathlib import Path

import pytest
from made_sound import tone, with_bytes, written

from musicnet_build.audio.io import read_audio
from musicnet_build.errors import AudioError


def test_several_ogg_streams_in_a_row_are_refused_because_only_the_first_would_be_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ogg", tone())
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(AudioError, match=r"several Ogg streams .* `ffmpeg -i "):
        read_audio(path)


def test_one_wrong_bit_is_found(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ogg", tone())
    middle = path.stat().st_size // 2
    with_bytes(path, middle, bytes([path.read_bytes()[middle] ^ 1]))
    with pytest.raises(AudioError, match=r"damaged or cut short at byte \d+ of"):
        read_audio(path)
