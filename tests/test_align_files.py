"""What the labels were made from is what was read; scores sound as the settings say."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Music
from small_dataset import Material

from musicnet_build.align_files import align_files, excerpt, made_from, transposed, whole_semitones
from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.errors import AlignmentError, AudioError
from musicnet_build.labels.files import labelled
from musicnet_build.recipe import RecipeSettings
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import choose_soundfont


def test_the_report_names_the_bytes_that_were_read_and_counts_what_the_list_holds(music: Music) -> None:
    aligned = align_files(music.recording, music.score, RecipeSettings(preset="musicnet"))
    report = aligned.report()
    files = {"recording": music.recording, "score": music.score, "soundfont": choose_soundfont().path}
    for name, path in files.items():
        assert report[name]["sha256"] == aligned.sha256[name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert report["notes"] == len(labelled(aligned.notes))
    assert report["verdict"] is None


def test_what_is_odd_about_the_recordings_file_is_in_the_report(material: Material, tmp_path: Path) -> None:
    recording = tmp_path / "short.wav"
    write_audio(recording, read_audio(material.folder / "1.flac"), subtype="PCM_16")
    content = bytearray(recording.read_bytes())
    place = content.index(b"data") + 4
    stated = int.from_bytes(content[place : place + 4], "little") + 44
    recording.write_bytes(content[:place] + stated.to_bytes(4, "little") + content[place + 4 :])
    settings = RecipeSettings(preset="musicnet", soundfont=str(material.folder / "tiny.sf2"))
    report = align_files(recording, material.folder / "1.mid", settings).report()
    assert report["warnings"][0].startswith(f"{recording} lacks the last 44 of the {stated} bytes")


def test_every_setting_but_the_name_of_the_soundfont_decides_the_labels() -> None:
    sha256 = {"recording": "a", "score": "b", "soundfont": "c"}
    settings = RecipeSettings()
    others = [
        replace(settings, preset="musicnet"),
        replace(settings, strict=True),
        replace(settings, structure="never"),
        replace(settings, order="1-2"),
        replace(settings, transposition=1),
        replace(settings, tuning_cents=5.0),
        replace(settings, start_s=1.0),
        replace(settings, end_s=1.0),
        replace(settings, witness_offsets=True),
    ]
    sources = [made_from(sha256, one) for one in (settings, *others)]
    assert all(source not in sources[:place] for place, source in enumerate(sources))
    assert made_from(sha256, replace(settings, soundfont="elsewhere/a.sf2")) == sources[0]
    assert made_from(sha256 | {"score": "d"}, settings) != sources[0]


@pytest.mark.parametrize("wrong", [{"preset": "best"}, {"structure": "maybe"}, {"start_s": 2.0, "end_s": 1.0}])
def test_a_setting_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(AlignmentError):
        RecipeSettings(**wrong)  # type: ignore[arg-type]


def test_an_excerpt_is_in_the_recording(material: Material) -> None:
    audio = read_audio(material.folder / "1.flac")
    part = excerpt(audio, RecipeSettings(start_s=0.5, end_s=1.5), Path("a.flac"))
    assert len(part) == 44_100
    with pytest.raises(AudioError, match=r"a\.flac lasts .* is not in it"):
        excerpt(audio, RecipeSettings(start_s=900.0), Path("a.flac"))


def test_a_score_is_transposed_as_it_sounds(material: Material) -> None:
    score = read_score(material.folder / "1.mid")
    assert (transposed(score, -12).notes["pitch"] == score.notes["pitch"] - 12).all()
    with pytest.raises(AlignmentError, match="leaves the range of MIDI"):
        transposed(score, 60)


@pytest.mark.parametrize(
    ("stated", "semitones", "cents"), [(0, 0, 0), (30, 0, 30), (-101, -1, -1), (99.4, 1, -0.6), (-60, -1, 40)]
)
def test_a_tuning_is_whole_semitones_and_what_remains(stated: float, semitones: int, cents: float) -> None:
    assert whole_semitones(stated) == (semitones, pytest.approx(cents))
