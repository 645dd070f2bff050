"""Generated corpora: what is in them, how exact their labels are, and what survives a bad night."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
from bad_midi import event, midi, note
from tiny_soundfont import write_soundfont

from musicnet_build.audio.io import read_audio
from musicnet_build.choices import CORPUS_PRESETS
from musicnet_build.corpora import maps
from musicnet_build.errors import DatasetError, SoundfontError
from musicnet_build.generation import maps as maps_generation
from musicnet_build.generation import maps_plan as maps_pieces
from musicnet_build.generation.maps import DESCRIPTION, generate_maps, make_sounds
from musicnet_build.generation.maps_recipe import Bank, Recipe, files_per_bank, read_recipe
from musicnet_build.labels.pianoroll import on_one_keyboard, sustained
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import choose_soundfont

BANK = "SynStpDr"


@pytest.fixture(scope="module")
def soundfont(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A step at full level from the first sample on: an onset cannot be missed."""
    return write_soundfont(tmp_path_factory.mktemp("soundfont") / "step.sf2", [(0, 0)])


def recipe_of(soundfont: Path, **changes: Any) -> Recipe:
    content: dict[str, Any] = {
        "banks": [{"name": BANK, "soundfont": str(soundfont)}],
        "isolated": {"styles": ["ST"], "loudness": {"F": [80, 100]}, "pitches": [60, 64], "pedal": "both"},
        "random_chords": {"polyphony": [3], "pitches": [[50, 70]], "velocities": [[32, 96]], "count": 2},
        "usual_chords": {"chords": [[0, 4, 7]], "velocities": [[60, 68]], "count": 1},
    }
    return Recipe.model_validate(content | changes)


def make(recipe: Recipe, folder: Path) -> Path:
    """Make all sounds in this process."""
    for bank in recipe.banks:
        tasks = [*maps_pieces.plans(recipe, bank), *maps_pieces.piece_scores(recipe).items()]
        make_sounds(tasks, bank, choose_soundfont(bank.soundfont), recipe.seed, recipe.lead_in_s, folder, "wav")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Recipes


@pytest.mark.parametrize("preset", CORPUS_PRESETS)
def test_the_recipes_of_the_package_are_valid(preset: str) -> None:
    recipe = read_recipe(preset)
    sounds = sum(1 for _ in maps_pieces.plans(recipe, recipe.banks[0]))
    assert 100 < sounds <= files_per_bank(recipe)


def test_the_large_recipe_has_every_kind_of_sound_in_nine_banks() -> None:
    recipe = read_recipe("maps")
    assert len(recipe.banks) == 9
    stems = [plan.stem for plan in maps_pieces.plans(recipe, recipe.banks[0])]
    assert len(set(stems)) == len(stems)
    assert all(maps.parse_stem(stem) for stem in stems)
    kinds = {stem.split("_")[2].rstrip("0123456789.") for stem in stems if "_ISOL_" in stem}
    assert kinds == {"NO", "LG", "ST", "RE", "CHa", "CHd", "TR"}
    assert sum("_ISOL_NO_P_" in stem for stem in stems) == 88
    assert sum("_ISOL_TR2_P_" in stem for stem in stems) == 86
    assert sum("_RAND_P7_M36-95_I60-68_" in stem for stem in stems) == 50


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("banks: []", "banks"),
        ("[1, 2]", "no recipe"),
        ("banks: [{name: tooshort1}]", "name"),
        ("banks: [{name: ../../ab}]", "name"),
        ("banks: [{name: SynGrdDr}, {name: SynGrdDr}]", "same name"),
        ("banks: [{name: SynGrdDr, rooms: 1}]", "rooms"),
        ("banks: [{name: SynGrdDr}]\nisolated: {styles: [XX]}", "styles"),
        ("banks: [{name: SynGrdDr}]\nisolated: {loudness: {P: [90, 30]}}", "range 90 to 30 is empty"),
        ("banks: [{name: SynGrdDr}]\nusual_chords: {chords: [[4, 7]]}", "rising distances"),
        ("banks: [{name: SynGrdDr}]\nrandom_chords: {pitches: [[60, 62]], polyphony: [4]}", "fewer pitches"),
        ("banks: [{name: SynGrdDr}]\nrandom_chords: {count: 10000}", "at most"),
        ("banks: [&a {name: SynGrdDr}, *a]", "aliases"),
        ("banks: [", "line 1"),
        ("banks: \0", "not YAML"),
        ("!!python/object/apply:os.system [ls]", "not YAML"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_key(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(DatasetError, match=words) as error:
        read_recipe(tmp_path / "r.yaml")
    assert str(error.value).startswith(f"{tmp_path / 'r.yaml'}: ")


def test_the_style_no_is_not_a_negation_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("banks: [{name: SynGrdDr}]\nisolated: {styles: [NO]}\npieces: [a.mid]")
    recipe = read_recipe(tmp_path / "r.yaml")
    assert recipe.isolated is not None
    assert recipe.isolated.styles == ("NO",)
    assert recipe.pieces == (str(tmp_path / "a.mid"),)


# What is played


def test_usual_chords_have_two_to_five_notes_and_all_positions() -> None:
    chords = maps_pieces.usual_chords()
    assert {len(chord) for chord in chords} == {2, 3, 4, 5}
    assert {(0, 4, 7), (0, 3, 8), (0, 5, 9), (0, 24)} <= set(chords)
    assert len(set(chords)) == len(chords) < 100
    assert list(maps_pieces.positions((0, 4, 7, 10)))[1:] == [(0, 3, 6, 8), (0, 3, 5, 9), (0, 2, 6, 9)]


def test_repeated_notes_get_faster_and_scales_run_over_the_range() -> None:
    random = np.random.default_rng(0)
    onsets = np.array([strike[0] for strike in maps_pieces.isolated(random, "RE", 60, (60, 68))])
    assert (np.diff(onsets, 2) < 0).all()
    trill = maps_pieces.isolated(random, "TR2", 60, (60, 68))
    assert [pitch for _, _, pitch, _ in trill[:4]] == [60, 62, 60, 62]
    assert [pitch for _, _, pitch, _ in maps_pieces.scale(random, "CHd", 0.1, (60, 64), (60, 68))] == [
        64,
        63,
        62,
        61,
        60,
    ]
    assert [pitch for _, _, pitch, _ in maps_pieces.scale(random, "CH", 0.1, (60, 62), (60, 68))] == [
        60,
        61,
        62,
        61,
        60,
    ]
    long_s = [maps_pieces.isolated(random, "LG", pitch, (60, 68))[0][1] for pitch in (21, 108)]
    assert long_s == [20.0, 3.0]


# Sounds and labels


def test_labels_of_dry_notes_are_exact(soundfont: Path, tmp_path: Path) -> None:
    folder = make(recipe_of(soundfont), tmp_path)
    files = maps.maps_files(folder)
    assert len(files) == 5 * 2 + 2 + 1
    for file in files:
        audio, rate = soundfile.read(file.audio)
        assert (rate, audio.ndim) == (SAMPLE_RATE, 1)
        labels = maps.read_maps_txt(file.labels)
        first = int(np.flatnonzero(np.abs(audio) > 1e-3)[0])
        # The preset's own attack is 0 samples: FluidSynth's interpolation needs a few.
        assert abs(first - labels["onset_s"][0] * SAMPLE_RATE) <= 64
        assert labels["onset_s"][0] == pytest.approx(0.5, abs=0.001)


def test_the_pedal_lengthens_label_and_sound_alike(soundfont: Path, tmp_path: Path) -> None:
    folder = make(recipe_of(soundfont), tmp_path)
    for pedal, length_s in ((0, 0.1), (1, 1.1)):
        path = folder / BANK / "ISOL" / "ST" / f"MAPS_ISOL_ST_F_S{pedal}_M60_{BANK}.wav"
        labels = maps.read_maps_txt(path.with_suffix(".txt"))
        assert labels["offset_s"][0] - labels["onset_s"][0] == pytest.approx(length_s, abs=0.002)
        audio = np.abs(soundfile.read(path)[0])
        steady = audio[: round(labels["offset_s"][0] * SAMPLE_RATE)].max()
        end = round(labels["offset_s"][0] * SAMPLE_RATE)
        assert audio[end - 64 * 3] > 0.9 * steady
        assert audio[end + 64 * 10 :].max() < 0.5 * steady


def test_the_midi_file_plays_what_the_text_file_says(soundfont: Path, tmp_path: Path) -> None:
    (tmp_path / "piece.mid").write_bytes(
        midi(
            event(0, 0xB0, 64, 127) + note(0, 480, 60) + note(240, 480, 60) + event(100, 0xB0, 64, 0) + note(0, 1, 64),
            note(480, 961, 60, channel=1) + note(0, 480, 72, channel=1) + event(0, 0xB1, 64, 127),
        )
    )
    recipe = recipe_of(soundfont, isolated=None, random_chords=None, usual_chords=None, pieces=[str(tmp_path)])
    folder = make(recipe, tmp_path / "corpus")
    (file,) = maps.maps_files(folder)
    assert file.name.piece == "piece"
    labels, score = maps.read_maps_txt(file.labels), read_score(file.audio.with_suffix(".mid"))
    np.testing.assert_array_equal(on_one_keyboard(score.notes)["offset_s"], score.notes["offset_s"])
    played = sustained(score.notes, score.controls)
    np.testing.assert_allclose(labels["onset_s"], played["onset_s"], atol=1e-6)
    np.testing.assert_allclose(labels["offset_s"], played["offset_s"], atol=1e-6)
    np.testing.assert_array_equal(labels["pitch"], played["pitch"])
    assert len(score.parts) == 1


def test_rooms_noise_and_tuning_change_the_sound_and_not_the_onset(tmp_path: Path) -> None:
    sine = write_soundfont(tmp_path / "sine.sf2", [(0, 0)], wave="sine")
    effects = {"room": {"decay_s": 0.5, "level_db": -3}, "noise_dbfs": -60, "detune_cents": 50}
    banks = [{"name": "SynSinDr", "soundfont": str(sine)}, {"name": "SynSinRm", "soundfont": str(sine)} | effects]
    isolated = {"styles": ["NO"], "loudness": {"F": [96, 96]}, "pitches": [69, 69], "pedal": "off"}
    recipe = recipe_of(sine, banks=banks, isolated=isolated, random_chords=None, usual_chords=None)
    dry, wet = maps.maps_files(make(recipe, tmp_path / "corpus"))
    assert dry.labels.read_bytes() == wet.labels.read_bytes()
    sounds = [soundfile.read(file.audio)[0] for file in (dry, wet)]
    assert len(sounds[1]) > len(sounds[0])
    onset = round(0.5 * SAMPLE_RATE)
    assert np.abs(sounds[0][: onset - 64]).max() == 0
    assert 1e-4 < np.abs(sounds[1][: onset - 64]).max() < 0.01
    assert np.abs(sounds[1][onset : onset + 300]).max() > 0.05
    hz = [np.abs(np.fft.rfft(sound[onset : onset + SAMPLE_RATE])).argmax() for sound in sounds]
    assert hz == [440, pytest.approx(440 * 2 ** (50 / 1200), abs=1)]


def test_nothing_is_clipped(soundfont: Path, tmp_path: Path) -> None:
    banks = [{"name": BANK, "soundfont": str(soundfont), "gain_db": 30}]
    recipe = recipe_of(soundfont, banks=banks, isolated=None, usual_chords=None)
    for file in maps.maps_files(make(recipe, tmp_path)):
        assert np.abs(soundfile.read(file.audio)[0]).max() == pytest.approx(maps_generation.PEAK, abs=1e-4)


def test_pieces_are_dealt_in_turn_so_that_banks_differ(soundfont: Path) -> None:
    banks = [{"name": f"SynStpD{i}", "soundfont": str(soundfont)} for i in range(2)]
    recipe = recipe_of(soundfont, banks=banks, demo_pieces=True, pieces_per_bank=3)
    pieces = maps_pieces.piece_scores(recipe)
    hands = [set(maps_pieces.dealt(pieces, recipe, bank)) for bank in recipe.banks]
    assert [len(hand) for hand in hands] == [3, 3]
    assert hands[0] | hands[1] == set(pieces)


def test_two_files_that_would_be_one_piece_are_refused(soundfont: Path, tmp_path: Path) -> None:
    for name in ("a b.mid", "a_b.mid"):
        (tmp_path / name).write_bytes(midi(note(0, 480)))
    with pytest.raises(DatasetError, match="both piece a_b"):
        maps_pieces.piece_scores(recipe_of(soundfont, pieces=[str(tmp_path)]))
    with pytest.raises(DatasetError, match="does not exist"):
        maps_pieces.piece_scores(recipe_of(soundfont, pieces=[str(tmp_path / "none")]))


def test_a_piece_for_drums_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "drums.mid").write_bytes(midi(note(0, 480, 38, channel=9)))
    with pytest.raises(DatasetError, match="drums has no notes that a keyboard could play"):
        maps_pieces.performance_of_score(read_score(tmp_path / "drums.mid"), 0.5)


# Runs

RUN = """
import os, signal, sys
from musicnet_build.generation.maps import generate_maps
from musicnet_build.generation.maps_recipe import read_recipe

def killed(stage, fraction):
    os.killpg(0, signal.SIGKILL)

if __name__ == "__main__":
    generate_maps(read_recipe(sys.argv[1]), sys.argv[2], workers=2, progress=killed)
"""
"""Kills itself and its workers when the first dozen is done."""


@pytest.fixture(scope="module")
def whole(soundfont: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A corpus of a few dozen sounds, made by one worker."""
    recipe = recipe_of(soundfont, usual_chords=None, random_chords={"polyphony": [2, 3], "count": 5})
    folder = tmp_path_factory.mktemp("whole")
    result = generate_maps(recipe, folder, workers=1)
    assert (result.sounds, result.made, result.failed) == (50, 50, ())
    return recipe, folder


def test_two_workers_make_the_same_bytes_as_one(whole: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, folder = whole
    generate_maps(recipe, tmp_path, workers=2)
    assert contents(tmp_path) == contents(folder)
    assert str(tmp_path) not in (tmp_path / DESCRIPTION).read_text()


def test_flac_holds_the_samples_of_the_wav_and_is_found_by_readers(whole: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, corpus = whole
    made = generate_maps(recipe, tmp_path / "flac", audio="flac")
    assert made.failed == ()
    assert not list((tmp_path / "flac").rglob("*.wav"))
    ours, theirs = maps.maps_files(tmp_path / "flac"), maps.maps_files(corpus)
    assert [one.name.stem for one in ours] == [one.name.stem for one in theirs]
    for one, other in list(zip(ours, theirs, strict=True))[::12]:
        np.testing.assert_array_equal(read_audio(one.audio), read_audio(other.audio))
        assert one.labels.read_bytes() == other.labels.read_bytes()
    with pytest.raises(DatasetError, match="with --audio otherwise"):
        generate_maps(recipe, tmp_path / "flac")


def test_a_killed_run_is_continued_to_the_same_bytes(whole: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, folder = whole
    text = json.dumps(recipe.model_dump(mode="json"))
    (tmp_path / "run.py").write_text(RUN)
    (tmp_path / "r.yaml").write_text(text)
    corpus = tmp_path / "corpus"
    command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path / "r.yaml"), str(corpus)]
    killed = subprocess.run(command, start_new_session=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    for path in corpus.rglob("MAPS_*.wav"):
        assert path.read_bytes() == (folder / path.relative_to(corpus)).read_bytes()
    made_before = len(list(corpus.rglob("MAPS_*.wav")))
    assert 12 <= made_before < 50
    result = generate_maps(recipe, corpus, workers=1)
    assert 50 - made_before <= result.made <= 50  # sounds are made by the dozen
    assert contents(corpus) == contents(folder)


def test_a_sound_that_was_changed_is_made_again_and_no_other_dozen(whole: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, folder = whole
    shutil.copytree(folder, tmp_path / "corpus")
    assert generate_maps(recipe, tmp_path / "corpus").made == 0
    sound = next((tmp_path / "corpus").rglob("MAPS_RAND*.wav"))
    sound.write_bytes(sound.read_bytes()[:-1] + b"x")
    assert 0 < generate_maps(recipe, tmp_path / "corpus").made < 50
    assert contents(tmp_path / "corpus") == contents(folder)


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file of this process and its children grow beyond 50 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("spawned", "small_files")
def test_a_full_disk_is_told_and_leaves_no_half_sound(whole: tuple[Recipe, Path], tmp_path: Path) -> None:
    result = generate_maps(whole[0], tmp_path, workers=1)
    assert result.made == 0
    assert result.failed
    assert all("wav" in (outcome.reason or "") for outcome in result.failed)
    assert not list(tmp_path.rglob("*.wav"))


def test_a_folder_never_holds_two_recipes(whole: tuple[Recipe, Path], soundfont: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="another recipe"):
        generate_maps(recipe_of(soundfont), whole[1])
    stem = "MAPS_MUS-a_ENSTDkCl"
    (tmp_path / maps.folder_of(stem)).mkdir(parents=True)
    (tmp_path / maps.folder_of(stem) / f"{stem}.wav").touch()
    with pytest.raises(DatasetError, match="another origin"):
        generate_maps(recipe_of(soundfont), tmp_path)


def test_a_missing_soundfont_is_told_before_anything_is_made(soundfont: Path, tmp_path: Path) -> None:
    recipe = recipe_of(soundfont, banks=[{"name": BANK, "soundfont": "nosuchfont"}])
    with pytest.raises(SoundfontError, match="nosuchfont"):
        generate_maps(recipe, tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_midi_files_have_one_track_that_begins_with_the_tempo(whole: tuple[Recipe, Path]) -> None:
    """Packers of MAPS insist on both."""
    paths = sorted(whole[1].rglob("*.mid"))
    assert len(paths) > 20
    for path in paths[::5]:
        (track,) = mido.MidiFile(path).tracks
        assert track[0].type == "set_tempo"


def test_each_piece_is_dealt_to_one_bank_unless_all_or_a_number_is_asked_for() -> None:
    banks = tuple(Bank(name=f"SynBnk0{number}") for number in range(3))
    pieces: dict[str, Path | int] = {f"p{number}": number for number in range(8)}
    by_bank = [set(maps_pieces.dealt(pieces, Recipe(banks=banks), bank)) for bank in banks]
    assert sorted(piece for bank in by_bank for piece in bank) == sorted(pieces)
    assert [len(bank) for bank in by_bank] == [3, 3, 2]
    assert all(maps_pieces.dealt(pieces, Recipe(banks=banks, pieces_per_bank="all"), bank) == pieces for bank in banks)
    assert [len(maps_pieces.dealt({"p": 0}, Recipe(banks=banks), bank)) for bank in banks] == [1, 1, 1]
