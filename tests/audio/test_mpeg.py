"""Tests of MP3: every frame is read whatever the first one states, and onsets stay where they are."""

from pathlib import Path

import numpy as np
import pytest
from made_sound import RATE, position_of, tone, with_bytes, written

from musicnet_build.audio.io import read_audio
from musicnet_build.audio.mpeg import _DECODER_DELAY
from musicnet_build.errors import AudioError

CLICKS_S = (1.0, 4.0, 7.5)


def click_samples(audio: np.ndarray) -> list[int]:
    """Where the loudest sample lies within half a second of each click."""
    half = RATE // 2
    centres = [round(at * RATE) for at in CLICKS_S]
    return [centre - half + int(np.abs(audio[centre - half : centre + half]).argmax()) for centre in centres]


@pytest.fixture(params=["CONSTANT", "VARIABLE"])
def mp3(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Quiet first and loud later, so that the first frames tell nothing of the length; and clicks at known times."""
    audio = np.concatenate([np.zeros(5 * RATE), 0.05 * np.random.default_rng(1).standard_normal(5 * RATE)])
    audio[[round(at * RATE) for at in CLICKS_S]] = 0.95
    return written(tmp_path / "a.mp3", audio, bitrate_mode=request.param, compression_level=0.5)


def info_at(path: Path) -> int:
    return position_of(path, next(marker for marker in (b"Xing", b"Info") if marker in path.read_bytes()))


def without_first_frame(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[content.index(b"\xff\xfb", info_at(path)) :])
    return path


def test_clicks_are_where_they_were_recorded(mp3: Path) -> None:
    assert click_samples(read_audio(mp3)) == pytest.approx([at * RATE for at in CLICKS_S], abs=2)


@pytest.mark.parametrize("stated", [0, 40])
def test_a_number_of_frames_that_is_0_or_too_small_is_mended_and_the_delay_stays(mp3: Path, stated: int) -> None:
    whole = read_audio(mp3)
    with_bytes(mp3, info_at(mp3) + 8, stated.to_bytes(4, "big"))
    if stated:
        with pytest.warns(UserWarning, match=r"a\.mp3 states 41 MPEG frames and holds \d+; it was read to its end"):
            read = read_audio(mp3)
    else:
        read = read_audio(mp3)
    assert np.array_equal(read[: len(whole)], whole)
    assert click_samples(read) == click_samples(whole)


def test_without_a_stated_number_every_frame_is_read_with_the_delay_of_encoder_and_decoder(mp3: Path) -> None:
    read = read_audio(without_first_frame(mp3))
    delays = np.subtract(click_samples(read), [at * RATE for at in CLICKS_S])
    # LAME's own delay is 576 samples; other programs decode such a file with the same two delays.
    assert delays == pytest.approx(576 + _DECODER_DELAY, abs=2)
    assert len(read) >= 10 * RATE


def test_fewer_frames_than_stated_are_a_file_cut_short(mp3: Path) -> None:
    with_bytes(mp3, info_at(mp3) + 8, (10_000).to_bytes(4, "big"))
    with pytest.raises(
        AudioError, match=r"a\.mp3 is cut short: it holds \d+ MPEG frames where its header states 10001"
    ):
        read_audio(mp3)


def test_an_mp3_with_tags_at_both_ends_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp3", tone())
    path.write_bytes(b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128) + path.read_bytes() + b"TAG" + bytes(125))
    assert len(read_audio(path)) == 2 * RATE
