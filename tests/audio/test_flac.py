"""Tests of FLAC: a length that is not stated, wrong, or of several files."""

from pathlib import Path

import numpy as np
import pytest
from made_sound import RATE, cut, tone, written

from musicnet_build.audio.io import audio_info, read_audio
from musicnet_build.errors import AudioError


def stating(path: Path, samples: int) -> Path:
    """State another number of samples: the last 36 bits of the first 26 bytes."""
    content = path.read_bytes()
    word = int.from_bytes(content[18:26], "big") >> 36 << 36 | samples
    path.write_bytes(content[:18] + word.to_bytes(8, "big") + content[26:])
    return path


@pytest.fixture
def flac(tmp_path: Path) -> Path:
    return written(tmp_path / "a.flac", tone(5.0))


@pytest.mark.parametrize("tag", [b"", b"ID3\3\0\0\0\0\0\x0a" + bytes(10)])
def test_a_length_that_a_pipe_left_unstated_is_found_and_everything_read(flac: Path, tag: bytes) -> None:
    whole = read_audio(flac)
    flac.write_bytes(tag + stating(flac, 0).read_bytes())
    assert audio_info(flac).duration_s == 5.0
    assert np.array_equal(read_audio(flac), whole)


def test_a_file_that_was_cut_off_is_found_where_the_length_is_unstated(flac: Path) -> None:
    with pytest.raises(AudioError, match=r"a\.flac is cut short within its last frame"):
        read_audio(cut(stating(flac, 0)))


def test_more_sound_than_is_stated_is_read_with_a_warning(flac: Path) -> None:
    whole = read_audio(flac)
    with pytest.warns(UserWarning, match=r"states 88200 samples and holds 220500; it was read to its end"):
        assert np.array_equal(read_audio(stating(flac, 2 * RATE)), whole)


def test_less_sound_than_is_stated_is_a_file_cut_short(flac: Path) -> None:
    with pytest.raises(AudioError, match="is cut short or damaged"):
        read_audio(stating(flac, 6 * RATE))


def test_joined_files_are_refused_because_only_the_first_would_be_read(flac: Path) -> None:
    flac.write_bytes(flac.read_bytes() * 2)
    with pytest.raises(AudioError, match=r"several FLAC files joined.*`ffmpeg -i \S+a\.flac \S+a-mended\.flac`"):
        read_audio(flac)
