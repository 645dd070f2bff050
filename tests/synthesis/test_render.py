import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tiny_soundfont import SINE_HZ, SINE_PITCH, write_soundfont

from musicnet_build.errors import ScoreError, SoundfontError
from musicnet_build.notes import SAMPLE_RATE, empty_notes, sorted_by_onset
from musicnet_build.score.reader import CONTROL_DTYPE, PITCH_BEND, LostNotes, Part, Score, TempoMap
from musicnet_build.synthesis import render
from musicnet_build.synthesis.render import MAX_TAIL_S, synthesize
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont

PIANO = Part("piano", 0, False)


def make_score(
    notes: Sequence[tuple[float, float, int, int]],
    controls: Sequence[tuple[float, int, int, int]] = (),
    parts: Sequence[Part] = (PIANO,),
    velocity: int = 100,
) -> Score:
    """Build a score of notes (onset_s, offset_s, pitch, part) and controls (time_s, part, number, value)."""
    table = empty_notes(len(notes))
    for row, (onset_s, offset_s, pitch, part) in zip(table, notes, strict=True):
        row["onset_s"], row["offset_s"], row["pitch"], row["part"] = onset_s, offset_s, pitch, part
        row["program"], row["is_drum"], row["velocity"] = parts[part].program, parts[part].is_drum, velocity
    rows = [(time_s, 2 * time_s, part, number, value) for time_s, part, number, value in controls]
    tempo_map = TempoMap(np.zeros(1), np.zeros(1), np.full(1, 0.5))
    array = np.array(rows, dtype=CONTROL_DTYPE)
    return Score(sorted_by_onset(table), array, tuple(parts), tempo_map, (), LostNotes(), "test", ())


@pytest.fixture(scope="module")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Soundfont]:
    folder = tmp_path_factory.mktemp("soundfonts")
    melodic = [(0, program) for program in range(128)]
    return {
        "step": choose_soundfont(write_soundfont(folder / "step.sf2", [*melodic, (128, 0)])),
        "sine": choose_soundfont(write_soundfont(folder / "sine.sf2", melodic, wave="sine")),
        "silence": choose_soundfont(write_soundfont(folder / "silence.sf2", melodic, wave="silence")),
        "cello": choose_soundfont(write_soundfont(folder / "cello.sf2", [(0, 0), (0, 42)], keys=(36, 96))),
    }


@pytest.fixture(scope="module")
def timgm() -> Soundfont:
    return choose_soundfont("TimGM6mb")


def starts(audio: np.ndarray) -> np.ndarray:
    """Samples at which sound sets in after silence."""
    sounding = np.abs(audio) > 1e-6
    return np.flatnonzero(sounding & ~np.concatenate([[False], sounding[:-1]]))


def level(audio: np.ndarray, at_s: float) -> float:
    """RMS in 20 ms from a time on."""
    start = round(at_s * SAMPLE_RATE)
    return float(np.sqrt(np.mean(audio[start : start + 882].astype(np.float64) ** 2)))


def frequency_hz(audio: np.ndarray, start_s: float, end_s: float) -> float:
    """Frequency of a sine from its rising zero crossings."""
    piece = audio[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)].astype(np.float64)
    before = np.flatnonzero((piece[:-1] < 0) & (piece[1:] >= 0))
    crossings = before - piece[before] / (piece[before + 1] - piece[before])
    return (len(crossings) - 1) / (crossings[-1] - crossings[0]) * SAMPLE_RATE


def test_every_onset_is_within_half_a_block_of_its_time_up_to_the_end_of_a_score_with_a_tempo_a_beat(
    fonts: dict[str, Soundfont],
) -> None:
    seconds_per_beat = np.random.default_rng(3).uniform(0.2, 0.9, 400)
    onsets_s = np.concatenate([[0.0], np.cumsum(seconds_per_beat)[:-1]])
    score = make_score([(t, t + 0.1, 60, 0) for t in onsets_s])
    measured = starts(synthesize(score, fonts["step"]).audio)
    errors = measured - onsets_s * SAMPLE_RATE
    assert np.abs(errors).max() <= 34
    assert abs(errors.mean()) < 5
    assert abs(errors[-50:].mean() - errors[:50].mean()) < 10


def test_the_first_note_of_a_score_is_not_cut_and_earlier_times_count_as_zero(fonts: dict[str, Soundfont]) -> None:
    audio = synthesize(make_score([(-0.5, 0.2, 60, 0)]), fonts["step"]).audio
    assert starts(audio)[0] <= 2
    assert level(audio, 0.1) > 0.01


def test_the_same_score_gives_the_same_bytes_twice(timgm: Soundfont) -> None:
    score = make_score([(0.1 * k, 0.1 * k + 0.3, 50 + k, 0) for k in range(20)])
    first, second = (synthesize(score, timgm).audio for _ in range(2))
    assert first.dtype == np.float32
    assert first.tobytes() == second.tobytes()


def test_a_held_pedal_keeps_notes_sounding_until_it_is_lifted(fonts: dict[str, Soundfont]) -> None:
    notes = [(0.0, 0.2, 60, 0)]
    held = synthesize(make_score(notes, [(0.1, 0, 64, 127), (1.0, 0, 64, 0)]), fonts["step"]).audio
    assert level(held, 0.9) > 0.01
    assert level(np.pad(held, (0, SAMPLE_RATE)), 1.1) < 1e-4
    assert level(np.pad(synthesize(make_score(notes), fonts["step"]).audio, (0, SAMPLE_RATE)), 0.3) < 1e-4


def test_a_pedal_that_is_never_lifted_ends_with_the_longest_tail(fonts: dict[str, Soundfont]) -> None:
    audio = synthesize(make_score([(0.0, 0.2, 60, 0)], [(0.1, 0, 64, 127)]), fonts["step"]).audio
    assert 0.2 + MAX_TAIL_S < len(audio) / SAMPLE_RATE < 0.2 + MAX_TAIL_S + 2.1
    assert abs(audio[-1]) < 1e-4


def test_a_release_is_heard_to_its_end_and_not_much_longer(timgm: Soundfont) -> None:
    audio = synthesize(make_score([(0.0, 1.0, 60, 0)]), timgm).audio
    assert len(audio) / SAMPLE_RATE < 3.0
    assert np.abs(audio[-441:]).max() <= np.abs(audio).max() * 1e-4


@pytest.mark.parametrize(("range_semitones", "value", "cents"), [(2, 8191, 200), (2, -4096, -100), (12, 4096, 600)])
def test_a_pitch_bend_moves_the_frequency_by_the_right_cents(
    fonts: dict[str, Soundfont], range_semitones: int, value: int, cents: float
) -> None:
    controls = [(0.0, 0, 101, 0), (0.0, 0, 100, 0), (0.0, 0, 6, range_semitones), (1.0, 0, PITCH_BEND, value)]
    audio = synthesize(make_score([(0.0, 2.0, SINE_PITCH, 0)], controls), fonts["sine"]).audio
    before, after = frequency_hz(audio, 0.2, 0.9), frequency_hz(audio, 1.2, 1.9)
    assert before == pytest.approx(SINE_HZ, abs=0.1)
    # FluidSynth scales the range of the bend by 127/128.
    assert 1200 * np.log2(after / before) == pytest.approx(cents, rel=0.01)


def test_a_bend_in_one_part_leaves_another_of_the_same_program_alone(fonts: dict[str, Soundfont]) -> None:
    score = make_score([(0.0, 1.0, SINE_PITCH, 1)], [(0.0, 0, PITCH_BEND, 8191)], [PIANO, PIANO])
    assert frequency_hz(synthesize(score, fonts["sine"]).audio, 0.2, 0.9) == pytest.approx(SINE_HZ, abs=0.1)


def test_volume_and_expression_of_a_part_are_heard(fonts: dict[str, Soundfont]) -> None:
    for number in (7, 11):
        controls = [(0.0, 0, number, 100), (1.0, 0, number, 50)]
        audio = synthesize(make_score([(0.0, 2.0, 60, 0)], controls), fonts["step"]).audio
        assert level(audio, 1.5) == pytest.approx(level(audio, 0.5) * 0.25, rel=0.05)


def test_pan_and_mono_modes_do_not_change_what_is_heard(fonts: dict[str, Soundfont]) -> None:
    notes = [(0.0, 1.0, 60, 0), (0.2, 1.0, 64, 1)]
    controls = [(0.0, 0, 10, 0), (0.0, 0, 126, 1), (0.5, 0, 120, 0), (0.0, 1, 0, 5)]
    plain = synthesize(make_score(notes, parts=[PIANO, PIANO]), fonts["step"]).audio
    assert np.array_equal(synthesize(make_score(notes, controls, [PIANO, PIANO]), fonts["step"]).audio, plain)


def test_forty_parts_of_forty_programs_all_sound(fonts: dict[str, Soundfont]) -> None:
    parts = [Part(f"part {program}", program, False) for program in range(40)]
    score = make_score([(0.2 * k, 0.2 * k + 0.1, 60, k) for k in range(40)], parts=parts)
    assert len(starts(synthesize(score, fonts["step"]).audio)) == 40


def test_nine_hundred_voices_sound_together(fonts: dict[str, Soundfont]) -> None:
    parts = [PIANO] * 10
    one = synthesize(make_score([(0.0, 0.5, 60, 0)], velocity=60), fonts["step"]).audio
    chord = [(0.0, 0.5, 20 + key, part) for part in range(10) for key in range(90)]
    many = synthesize(make_score(chord, parts=parts, velocity=60), fonts["step"]).audio
    assert level(many, 0.3) == pytest.approx(900 * level(one, 0.3), rel=1e-3)


def test_chords_that_take_all_the_few_voices_sound_as_with_more(
    fonts: dict[str, Soundfont], monkeypatch: pytest.MonkeyPatch
) -> None:
    chords = [(0.5 * k, 0.5 * k + 0.3, 50 + key, 0) for k in range(2) for key in range(1 + 10 * k)]

    def played(voices: int) -> np.ndarray:
        monkeypatch.setattr(render, "FEW_VOICES", voices)
        return synthesize(make_score(chords), fonts["step"]).audio

    with_more = played(render.MOST_VOICES)
    assert all(np.array_equal(played(voices), with_more) for voices in (1, 8, 11, 12, 64))


def test_a_score_with_more_parts_than_channels_is_refused(fonts: dict[str, Soundfont]) -> None:
    with pytest.raises(ScoreError, match="257 parts"):
        synthesize(make_score([(0.0, 1.0, 60, 0)], parts=[PIANO] * 257), fonts["step"])


def test_drums_sound_on_any_part_and_the_tenth_part_is_not_drums(timgm: Soundfont) -> None:
    parts = [Part("drums", 0, True), *[PIANO] * 12]
    drums = synthesize(make_score([(0.0, 0.5, 38, 0)], parts=parts), timgm).audio
    tenth = synthesize(make_score([(0.0, 0.5, 38, 9)], parts=parts), timgm).audio
    piano = synthesize(make_score([(0.0, 0.5, 38, 0)]), timgm).audio
    assert np.abs(drums).max() > 0.01
    assert not np.array_equal(drums[:10_000], piano[:10_000])
    assert np.array_equal(tenth[:10_000], piano[:10_000])


def test_a_key_that_two_notes_hold_sounds_until_the_later_one_ends(fonts: dict[str, Soundfont]) -> None:
    audio = synthesize(make_score([(0.0, 1.0, 60, 0), (0.3, 0.5, 60, 0)]), fonts["step"]).audio
    assert level(audio, 0.8) == pytest.approx(level(audio, 0.2), rel=0.01)
    assert level(np.pad(audio, (0, SAMPLE_RATE)), 1.1) < 1e-4


def test_a_key_struck_again_as_it_is_released_sounds_on(fonts: dict[str, Soundfont]) -> None:
    audio = synthesize(make_score([(0.0, 0.5, 60, 0), (0.5, 1.0, 60, 0)]), fonts["step"]).audio
    assert level(audio, 0.8) > 0.01


def test_two_voices_on_one_key_at_once_are_one_stroke(fonts: dict[str, Soundfont]) -> None:
    single = synthesize(make_score([(0.0, 1.0, 60, 0)]), fonts["step"]).audio
    double = synthesize(make_score([(0.0, 1.0, 60, 0), (0.0, 0.4, 60, 0)]), fonts["step"]).audio
    assert np.array_equal(double, single)


def test_a_note_shorter_than_a_sample_still_ends(fonts: dict[str, Soundfont]) -> None:
    audio = synthesize(make_score([(0.0, 1e-6, 60, 0), (1.0, 1.1, 72, 0)]), fonts["step"]).audio
    assert level(audio, 0.5) < 1e-4


def test_a_missing_program_is_played_by_its_family_with_a_warning(fonts: dict[str, Soundfont]) -> None:
    score = make_score([(0.0, 0.5, 60, 0)], parts=[Part("bass", 43, False)])
    warnings = synthesize(score, fonts["cello"]).warnings
    assert warnings == ("program 43 (contrabass) is missing in cello: 42 (cello) is used.",)


def test_strict_refuses_a_missing_program_and_accepts_one_that_is_there(fonts: dict[str, Soundfont]) -> None:
    with pytest.raises(SoundfontError, match=r"program 43 \(contrabass\) is missing in cello"):
        synthesize(make_score([(0.0, 0.5, 60, 0)], parts=[Part("bass", 43, False)]), fonts["cello"], strict=True)
    present = make_score([(0.0, 0.5, 60, 0)], parts=[Part("cello", 42, False)])
    assert synthesize(present, fonts["cello"], strict=True).warnings == ()


def test_notes_beyond_the_range_of_an_instrument_are_reported(fonts: dict[str, Soundfont]) -> None:
    score = make_score([(0.0, 0.5, 20, 0), (0.0, 0.5, 60, 0), (0.5, 1.0, 100, 0)])
    (warning,) = synthesize(score, fonts["cello"]).warnings
    assert warning == "2 notes of program 0 (acoustic grand piano) lie where cello has no sound for them."


def test_silence_where_the_score_has_notes_is_an_error(fonts: dict[str, Soundfont]) -> None:
    with pytest.raises(SoundfontError, match="silent"):
        synthesize(make_score([(0.0, 0.5, 60, 0)]), fonts["silence"])


def test_a_score_of_a_whole_day_is_refused_before_memory_is_taken(fonts: dict[str, Soundfont]) -> None:
    with pytest.raises(ScoreError, match="hours"):
        synthesize(make_score([(86_000.0, 86_400.0, 60, 0)]), fonts["step"])


def test_another_sample_rate_keeps_the_times(fonts: dict[str, Soundfont]) -> None:
    audio = synthesize(make_score([(1.0, 1.5, 60, 0)]), fonts["step"], sample_rate=16_000).audio
    assert abs(starts(audio)[0] - 16_000) <= 34


def test_a_damaged_soundfont_is_an_error_with_a_reason(tmp_path: Path, fonts: dict[str, Soundfont]) -> None:
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(fonts["step"].path.read_bytes().replace(b"shdr", b"shxx"))
    with pytest.raises(SoundfontError, match=r"cannot load the soundfont .*broken\.sf2: \S+"):
        synthesize(make_score([(0.0, 0.5, 60, 0)]), choose_soundfont(broken))


def test_a_soundfont_without_instruments_in_bank_0_is_named(tmp_path: Path) -> None:
    path = write_soundfont(tmp_path / "bank8.sf2", [(8, 0)])
    with pytest.raises(SoundfontError, match=r"bank8\.sf2 has no instrument in bank 0"):
        synthesize(make_score([(0.0, 0.5, 60, 0)]), choose_soundfont(path))


def test_a_soundfont_of_a_hundred_faulty_samples_is_one_warning(tmp_path: Path) -> None:
    path = write_soundfont(tmp_path / "faulty.sf2", [(0, 0)])
    content = path.read_bytes()
    start = content.index(b"shdr")
    real = content[start + 8 : start + 54]
    faulty = [b"bad %03d" % i + bytes(13) + struct.pack("<II", 0x7FFFFFFF, 0x7FFFFFFF) + real[28:] for i in range(100)]
    table = real + b"".join(faulty) + content[start + 54 :]
    pdta = content.index(b"pdta")
    whole = content[: start + 4] + struct.pack("<I", len(table)) + table
    whole = whole[: pdta - 4] + struct.pack("<I", len(whole) - pdta) + whole[pdta:]
    path.write_bytes(b"RIFF" + struct.pack("<I", len(whole) - 8) + whole[8:])
    found = synthesize(make_score([(0.0, 0.5, 60, 0)]), choose_soundfont(path)).warnings
    assert len(found) == 1
    assert found[0].startswith("FluidSynth complains while playing faulty: Sample 'bad ")
    assert found[0].endswith("(and 99 more like it).")


def test_fluidsynth_writes_nothing_to_the_terminal(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, fonts: dict[str, Soundfont]
) -> None:
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(fonts["step"].path.read_bytes().replace(b"pdta", b"xxxx"))
    with pytest.raises(SoundfontError, match="no list of presets"):
        synthesize(make_score([(0.0, 0.5, 60, 0)]), choose_soundfont(broken))
    synthesize(make_score([(0.0, 0.5, 60, 0)]), fonts["step"])
    assert capfd.readouterr() == ("", "")
