"""Tests of WAV and its relatives: what a header states beside what the file holds."""

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from made_sound import RATE, chunk, cut, position_of, tone, wav, with_bytes, written

from musicnet_build.audio.io import read_audio
from musicnet_build.errors import AudioError

SAMPLES = 2 * RATE
BYTES = 2 * SAMPLES


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> None:
    warnings.simplefilter("error")


@pytest.mark.parametrize("stated", [0xFFFFFFFF, 0xFFFFFFDB, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0x80000024])
def test_a_length_that_a_pipe_left_unstated_is_that_of_the_file(tmp_path: Path, stated: int) -> None:
    assert len(read_audio(wav(tmp_path / "a.wav", tone(), stated=stated))) == SAMPLES


def test_a_header_that_was_never_completed_is_read_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"a\.wav states a length of 0 and was read to its end"):
        assert len(read_audio(wav(tmp_path / "a.wav", tone(), stated=0))) == SAMPLES


def test_a_file_without_sound_before_its_tags_stays_empty(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", np.zeros(0), behind=chunk(b"LIST", b"INFOISFT\4\0\0\0abc\0"))
    with pytest.raises(AudioError, match="0 samples"):
        read_audio(path)


@pytest.mark.parametrize("missing", [44, 700])
def test_a_few_hundred_bytes_less_than_stated_are_a_warning(tmp_path: Path, missing: int) -> None:
    with pytest.warns(UserWarning, match=rf"a\.wav lacks the last {missing} of the {BYTES + missing} bytes"):
        assert len(read_audio(wav(tmp_path / "a.wav", tone(), stated=BYTES + missing))) == SAMPLES


def test_a_second_less_than_stated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=rf"a\.wav is cut short: it holds {BYTES} of {BYTES + 88_200} bytes"):
        read_audio(wav(tmp_path / "a.wav", tone(), stated=BYTES + 88_200))


def test_sound_behind_what_is_stated_is_refused_with_the_command_that_reads_it(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"states 0\.8 s of sound and holds 1\.2 s more.*`ffmpeg -ignore_length 1 -i "):
        read_audio(wav(tmp_path / "a.wav", tone(), stated=BYTES * 2 // 5 // 2 * 2))


def test_a_few_bytes_behind_what_is_stated_are_a_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="holds 44 bytes behind the sound that it states"):
        assert len(read_audio(wav(tmp_path / "a.wav", tone(), stated=BYTES - 44))) == SAMPLES - 22


@pytest.mark.parametrize(
    "behind",
    [chunk(b"LIST", bytes(90_000)), chunk(b"id3 ", b"ID3" + bytes(8)), b"TAG" + bytes(125), bytes(90_000), b"\0"],
    ids=["list", "id3", "tag", "zeros", "padding"],
)
def test_tags_and_padding_behind_the_sound_are_no_sound(tmp_path: Path, behind: bytes) -> None:
    assert len(read_audio(wav(tmp_path / "a.wav", tone(), behind=behind))) == SAMPLES


@pytest.mark.parametrize("again", ["file", "chunk"])
def test_joined_sound_is_refused_because_only_the_first_would_be_read(tmp_path: Path, again: str) -> None:
    other = wav(tmp_path / "b.wav", tone()).read_bytes()
    behind = other if again == "file" else other[36:]
    with pytest.raises(AudioError, match="several files joined"):
        read_audio(wav(tmp_path / "a.wav", tone(), behind=behind))


@pytest.mark.parametrize(
    "before",
    [
        b"fact" + struct.pack("<II", 4, SAMPLES) + b"PEAK" + struct.pack("<I", 16) + b"\1\0\0\0" + bytes(12),
        b"LIST" + struct.pack("<I", 15) + b"INFOISFT" + struct.pack("<I", 3) + b"abc",
    ],
    ids=["a bad PEAK chunk", "an odd chunk without padding"],
)
def test_chunks_that_libsndfile_takes_offence_at_do_not_keep_the_sound_from_being_read(
    tmp_path: Path, before: bytes
) -> None:
    plain = read_audio(wav(tmp_path / "plain.wav", tone()))
    assert np.array_equal(read_audio(wav(tmp_path / "a.wav", tone(), before=before)), plain)


@pytest.mark.parametrize("name", [b"RF64", b"BW64"])
@pytest.mark.parametrize("stated", [BYTES, 0, 2**64 - 1])
def test_a_64_bit_header_is_believed_where_it_states_a_length(tmp_path: Path, name: bytes, stated: int) -> None:
    plain = wav(tmp_path / "a.wav", tone()).read_bytes()
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, stated, 0, 0))
    whole = name + b"\xff" * 4 + b"WAVE" + ds64 + plain[12:40] + b"\xff" * 4 + plain[44:]
    (tmp_path / "a.wav").write_bytes(whole)
    if stated == 0:
        with pytest.warns(UserWarning, match="length of 0"):
            assert len(read_audio(tmp_path / "a.wav")) == SAMPLES
    else:
        assert len(read_audio(tmp_path / "a.wav")) == SAMPLES


@pytest.mark.parametrize("name", ["a.w64", "a.caf", "a.au", "a.aiff"])
def test_relatives_of_wav_are_whole_or_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, tone())
    assert len(read_audio(path)) == SAMPLES
    with pytest.raises(AudioError, match=rf"{name} is cut short: it holds \d+ of \d+ bytes"):
        read_audio(cut(path))


@pytest.mark.parametrize(
    ("name", "marker", "offset", "unstated"),
    [
        ("a.w64", b"data", 16, b"\xff" * 8),
        ("a.caf", b"data", 4, b"\xff" * 8),
        ("a.au", b".snd", 8, b"\xff" * 4),
        ("a.aiff", b"SSND", 4, struct.pack(">I", 0x7F000008)),
    ],
)
def test_relatives_of_wav_may_leave_their_length_unstated(
    tmp_path: Path, name: str, marker: bytes, offset: int, unstated: bytes
) -> None:
    path = written(tmp_path / name, tone())
    assert len(read_audio(with_bytes(path, position_of(path, marker) + offset, unstated))) == SAMPLES


@pytest.mark.parametrize("name", ["a.w64", "a.au"])
def test_sound_behind_what_a_relative_of_wav_states_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, tone())
    path.write_bytes(path.read_bytes() + tone().tobytes())
    with pytest.raises(AudioError, match=r"states 2\.0 s of sound and holds 4\.0 s more"):
        read_audio(path)
