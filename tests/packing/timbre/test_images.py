"""What is seen in the pictures: a tone lies in its row, silence is black, and a frame shows itself only."""

import numpy as np
import pytest

from musicnet_build.choices import TIMBRE_FRAME_LENGTHS, TIMBRE_HOPS
from musicnet_build.errors import DatasetError
from musicnet_build.packing.timbre.images import (
    TIMBRE_SAMPLE_RATE,
    ImageSettings,
    colour_table,
    coloured,
    pictures,
    row_frequencies_hz,
)


def tone(hz: float, length: int = 8192, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(length) / TIMBRE_SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("spectrogram", ["log", "mel", "cqt"])
@pytest.mark.parametrize("hz", [440.0, 1000.0, 6000.0])
def test_a_tone_lies_in_its_row(spectrogram: str, hz: float) -> None:
    picture = pictures(tone(hz)[None], ImageSettings(spectrogram, 8192, 512))[0]
    rows = row_frequencies_hz(spectrogram)
    row = picture[:, 256].argmax()
    assert abs(row - np.abs(rows - hz).argmin()) <= 1
    assert picture[row, 256] == pytest.approx(1.0, abs=0.04)  # full scale is 0 dB, within 3 dB


@pytest.mark.parametrize("spectrogram", ["log", "mel", "cqt"])
def test_twenty_decibels_less_are_a_quarter_of_the_range_less(spectrogram: str) -> None:
    loud, soft = pictures(np.stack([tone(1000, amplitude=0.5), tone(1000, amplitude=0.05)]), ImageSettings(spectrogram))
    assert loud[:, 256].max() - soft[:, 256].max() == pytest.approx(0.25, abs=0.002)


@pytest.mark.parametrize("frame_length", TIMBRE_FRAME_LENGTHS)
@pytest.mark.parametrize("hop", TIMBRE_HOPS)
@pytest.mark.parametrize("spectrogram", ["log", "mel", "cqt"])
def test_pictures_are_128_by_512_and_black_for_silence(spectrogram: str, hop: int, frame_length: int) -> None:
    picture = pictures(np.zeros((2, frame_length), np.float32), ImageSettings(spectrogram, frame_length, hop))
    assert picture.shape == (2, 128, 512)
    assert picture.dtype == np.float32
    assert not picture.any()


def test_a_low_tone_is_sharp_with_constant_q_and_blurred_by_short_windows() -> None:
    def rows_within_6_db(spectrogram: str) -> int:
        column = pictures(tone(110.0)[None], ImageSettings(spectrogram, 8192, 512))[0, :, 256]
        return int((column > column.max() - 6 / 80).sum())

    assert rows_within_6_db("cqt") <= 3
    assert rows_within_6_db("log") >= 6


@pytest.mark.parametrize("spectrogram", ["log", "cqt"])
def test_the_hop_changes_the_detail_and_not_the_place_of_things(spectrogram: str) -> None:
    click = np.zeros((1, 8192), np.float32)
    click[0, 4096] = 1.0
    for hop in TIMBRE_HOPS:
        column = pictures(click, ImageSettings(spectrogram, 8192, hop))[0, 100].argmax()
        assert abs(column - 255.5) <= 3


def test_colours_are_those_of_the_table_and_can_be_turned_back() -> None:
    table = colour_table()
    assert table.shape == (256, 3)
    assert len(np.unique(table, axis=0)) == 256
    image = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16)
    np.testing.assert_array_equal(coloured(image, table).reshape(-1, 3), table)


@pytest.mark.parametrize("wrong", [{"hop": 100}, {"frame_length": 1000}, {"spectrogram": "chroma"}])
def test_what_is_not_among_the_choices_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match="choose one of"):
        ImageSettings(**wrong)
