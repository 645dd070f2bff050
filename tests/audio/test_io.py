import errno
import resource
import struct
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from made_sound import RATE, cut, tone, with_bytes, written
from scipy.io import wavfile

from musicnet_build.audio.io import audio_blocks, audio_info, read_audio, write_audio
from musicnet_build.errors import AudioError

# What is read


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.ogg", "a.mp3"])
def test_any_kind_of_file_is_read_as_mono_float32_of_its_length(tmp_path: Path, name: str) -> None:
    audio = tone()
    read = read_audio(written(tmp_path / name, np.stack([audio, audio], axis=1)))
    assert (read.dtype, read.ndim) == (np.float32, 1)
    assert len(read) == len(audio)
    assert np.corrcoef(read, audio)[0, 1] > 0.99


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000])
def test_another_rate_moves_no_onset(tmp_path: Path, rate: int) -> None:
    clicks = np.zeros(20 * rate, np.float32)
    clicks[np.arange(1, 20) * rate] = 0.9
    read = read_audio(written(tmp_path / "clicks.wav", clicks, rate))
    assert abs(len(read) - 20 * RATE) <= 1
    for second in range(1, 20):
        around = read[second * RATE - 1000 : second * RATE + 1000]
        assert abs(int(np.abs(around).argmax()) - 1000) <= 1


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = np.full(1000, 0.5, np.float32), np.full(1000, 0.1, np.float32)
    path = written(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT")
    assert read_audio(path) == pytest.approx(0.3)


@pytest.mark.parametrize("shared", [0.0, 0.003])
def test_channels_that_cancel_are_not_mixed_but_the_loudest_is_read(tmp_path: Path, shared: float) -> None:
    noise = shared * np.random.default_rng(3).standard_normal(2 * RATE).astype(np.float32)
    path = written(tmp_path / "a.wav", np.stack([0.8 * tone() + noise, noise - tone()], axis=1), subtype="FLOAT")
    with pytest.warns(UserWarning, match=r"a\.wav: its channels cancel each other for 100% .* channel 2 of 2"):
        read = read_audio(path)
    assert np.array_equal(read, noise - tone())


def test_a_sound_file_that_no_library_here_decodes_is_answered_with_a_command(tmp_path: Path) -> None:
    path = tmp_path / "My tape.wma"
    path.write_bytes(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(1000))
    with pytest.raises(AudioError, match=r"`ffmpeg -i '.*My tape\.wma' '.*My tape\.flac'` makes a file"):
        read_audio(path)


def test_a_file_longer_than_a_block_is_read_without_a_seam(tmp_path: Path) -> None:
    audio = tone(14.0)
    path = written(tmp_path / "a.wav", audio, subtype="FLOAT")
    assert np.array_equal(read_audio(path), audio)
    assert np.array_equal(np.concatenate(list(audio_blocks(path)))[:, 0], audio)
    one_piece = read_audio(written(tmp_path / "b.wav", audio[: 2**18 - 1], 48_000, subtype="FLOAT"))
    assert np.allclose(
        read_audio(written(tmp_path / "c.wav", audio, 48_000, subtype="FLOAT"))[:200_000],
        one_piece[:200_000],
        atol=1e-5,
    )


def test_info_tells_rate_channels_and_length_without_reading_the_sound(tmp_path: Path) -> None:
    info = audio_info(written(tmp_path / "a.wav", np.zeros((48_000, 2)), 48_000))
    assert (info.sample_rate, info.channels, info.duration_s) == (48_000, 2, 1.0)


# What is refused


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.ogg", "a.mp3"])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AudioError, match=rf"{name} (is cut short|is damaged)"):
        read_audio(cut(written(tmp_path / name, tone(5.0))))


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3"])
def test_a_file_with_damage_in_its_middle_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, tone(5.0))
    middle = path.stat().st_size // 2
    with pytest.raises(AudioError, match=rf"{name} is damaged"):
        read_audio(with_bytes(path, middle, b"\x55" * 2000))


def test_silence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="silent"):
        read_audio(written(tmp_path / "a.wav", np.zeros(RATE)))
    with pytest.raises(AudioError, match="silent"):
        read_audio(written(tmp_path / "b.wav", 2e-5 * tone(), subtype="FLOAT"))


def test_a_very_quiet_recording_is_not_silence(tmp_path: Path) -> None:
    assert len(read_audio(written(tmp_path / "a.wav", 1e-3 * tone(), subtype="FLOAT"))) == 2 * RATE


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused_with_their_place(tmp_path: Path, value: float) -> None:
    audio = tone(20.0)
    audio[700_000] = value
    with pytest.raises(AudioError, match=r"not finite near 1\d\.\d s"):
        read_audio(written(tmp_path / "a.wav", audio, subtype="FLOAT"))


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="0 samples"):
        read_audio(written(tmp_path / "a.wav", np.zeros(0)))


def test_a_recording_of_more_than_six_hours_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", np.zeros(7 * 3600, dtype=np.int16), 1)
    with pytest.raises(AudioError, match="longer than 6 hours"):
        read_audio(path)


def test_a_sample_rate_that_no_recording_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="states a sample rate of 1 Hz"):
        read_audio(written(tmp_path / "a.wav", tone(0.1), 1))


def test_what_is_no_sound_file_is_refused_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("This is a text and not a sound file.")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "score.wav").write_bytes(b"MThd\0\0\0\6\0\1\0\1\1\xe0")
    for name, reason in {
        "score.wav": "is a MIDI file, not a recording",
        "text.wav": "is not a sound file",
        "empty.wav": "is an empty file",
        "missing.wav": "does not exist",
        "": "is a folder",
    }.items():
        with pytest.raises(AudioError, match=reason):
            read_audio(tmp_path / name)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([b"RIFF", b"RF64", b"FORM", b"OggS", b"ID3", b"\xff\xfb\x90\x64", b"fLaC"]), st.binary())
def test_hostile_bytes_are_an_error_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile"
    kind = {b"RIFF": b"\x10\0\0\0WAVE", b"RF64": b"\xff\xff\xff\xffWAVEds64", b"FORM": b"\0\0\0\x10AIFF"}.get(head, b"")
    path.write_bytes(head + kind + tail)
    with pytest.raises(AudioError):
        read_audio(path)


# m4a


def test_without_the_extra_an_m4a_is_answered_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not there
    (tmp_path / "a.m4a").write_bytes(struct.pack(">I", 24) + b"ftypM4A " + bytes(12))
    with pytest.raises(AudioError, match=r"pip install 'musicnet_build\[m4a\]'"):
        read_audio(tmp_path / "a.m4a")


@pytest.fixture
def m4a(tmp_path: Path) -> Path:
    av = pytest.importorskip("av", reason="the m4a extra is not installed")
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE)
        frame = av.AudioFrame.from_ndarray(tone(5.0)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_an_m4a_is_read_with_its_onsets_in_place(m4a: Path) -> None:
    read = read_audio(m4a)
    assert len(read) == pytest.approx(5 * RATE, abs=2048)
    assert np.corrcoef(read[: 4 * RATE], tone(5.0)[: 4 * RATE])[0, 1] > 0.99


def test_a_damaged_m4a_is_refused(m4a: Path) -> None:
    with pytest.raises(AudioError, match=r"a\.m4a is"):
        read_audio(cut(m4a))


# What is written


def test_wav_is_float32_as_musicnets_loaders_want_it(tmp_path: Path) -> None:
    audio = tone()
    write_audio(tmp_path / "a.wav", audio)
    rate, read = wavfile.read(tmp_path / "a.wav")
    assert (rate, read.dtype) == (RATE, np.float32)
    assert np.array_equal(read, audio)
    assert np.array_equal(read_audio(tmp_path / "a.wav"), audio)


@pytest.mark.parametrize(("name", "subtype"), [("a.wav", None), ("a.wav", "PCM_16"), ("a.flac", "PCM_24")])
def test_the_same_audio_gives_the_same_bytes_a_second_later(tmp_path: Path, name: str, subtype: str | None) -> None:
    write_audio(tmp_path / name, tone(), subtype=subtype)
    first = (tmp_path / name).read_bytes()
    time.sleep(1.1)
    write_audio(tmp_path / name, tone(), subtype=subtype)
    assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize(("subtype", "bits"), [("PCM_16", 16), ("PCM_24", 24)])
def test_flac_keeps_every_bit_it_has_room_for_and_clips_the_rest(tmp_path: Path, subtype: str, bits: int) -> None:
    audio = np.concatenate([tone(), np.float32([1.5, -1.5, 1.0, -1.0])])
    write_audio(tmp_path / "a.flac", audio, 16_000, subtype=subtype)
    read, rate = soundfile.read(tmp_path / "a.flac", dtype="float64")
    step = 2.0 ** (1 - bits)
    assert (rate, soundfile.info(tmp_path / "a.flac").subtype) == (16_000, subtype)
    assert np.abs(read[:-4] - audio[:-4]).max() <= step / 2
    assert read[-4:].tolist() == [1 - step, -1, 1 - step, -1]


def test_two_channels_stay_two(tmp_path: Path) -> None:
    both = np.stack([tone(), -tone()], axis=1)
    for name in ("a.wav", "a.flac"):
        write_audio(tmp_path / name, both)
        assert soundfile.read(tmp_path / name)[0] == pytest.approx(both, abs=2**-15)


@pytest.mark.parametrize(
    ("name", "audio", "subtype", "reason"),
    [
        ("a.mp3", np.ones(9), None, "must end in"),
        ("a.flac", np.ones(9), "FLOAT", "choose one of PCM_16, PCM_24"),
        ("a.wav", np.array([np.nan]), None, "not finite"),
        ("a.wav", np.zeros(0), None, "empty"),
        ("a.flac", np.ones((4, 9)), None, "cannot be written"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, name: str, audio: np.ndarray, subtype: str | None, reason: str
) -> None:
    with pytest.raises(AudioError, match=reason):
        write_audio(tmp_path / name, audio, subtype=subtype)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "subtype"), [("a.flac", None), ("a.wav", "PCM_16"), ("a.wav", "FLOAT")])
def test_a_full_disk_is_named_with_the_file_and_leaves_nothing(tmp_path: Path, name: str, subtype: str | None) -> None:
    """A limit to the size of files stands for it: libsndfile calls either "System error" and names nothing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(OSError, check=lambda error: error.errno == errno.EFBIG) as caught:
            write_audio(tmp_path / name, 0.1 * np.random.default_rng(0).standard_normal(2 * RATE), subtype=subtype)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
