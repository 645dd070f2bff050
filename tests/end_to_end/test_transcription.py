"""The commands about transcriptions, run as a user runs them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import as_json, done, misused, refused
from small_corpus import split_recordings, write_corpus
from tunes import a_scale

from musicnet_build.corpora.maps import read_maps_txt
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.labels.pianoroll import label_rolls
from musicnet_build.labels.posteriorgram import Posteriorgram, write_posteriorgram
from musicnet_build.labels.witness import HeardProbabilities, read_witness
from musicnet_build.packing.segments import SegmentsSettings, pack_segments


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("first", "second"):
        write_labels(tmp_path / "truth" / f"{name}.csv", a_scale())
    (tmp_path / "scores").mkdir()
    for name, count in (("first", 40), ("second", 20)):
        scores = label_rolls(a_scale(count), 250, 0.032).frame.astype(np.float32)
        write_posteriorgram(tmp_path / "scores" / f"{name}.npz", Posteriorgram(scores, 31.25))
    return tmp_path


def test_a_folder_of_posteriorgrams_is_evaluated_piece_by_piece(folder: Path) -> None:
    found = as_json("evaluate", "transcription", folder / "truth", folder / "scores", "--plot", folder / "plot.png")
    assert [piece["note"]["f1"] for piece in found["pieces"]] == [1.0, pytest.approx(2 / 3)]
    assert found["average_precision"]["all"] == pytest.approx(0.75, abs=0.02)
    assert (folder / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert "all frames together" in done("evaluate", "transcription", folder / "truth", folder / "scores")


def test_the_tolerance_is_in_milliseconds(folder: Path) -> None:
    late = a_scale()
    late["onset_s"] += 0.03
    write_labels(folder / "late.mid", late)
    for tolerance, f1 in ((50, 1.0), (25, 0.0)):
        found = as_json(
            "evaluate", "transcription", folder / "truth/first.csv", folder / "late.mid", "--tolerance", str(tolerance)
        )
        assert found["pieces"][0]["note"]["f1"] == f1


def test_bad_input_is_named_in_one_line(folder: Path) -> None:
    (folder / "bad.npz").write_bytes(b"no archive")
    truth = folder / "truth" / "first.csv"
    assert "bad.npz: is not a whole .npz file" in refused("evaluate", "transcription", truth, folder / "bad.npz")
    assert "must both be files" in misused("evaluate", "transcription", folder / "truth", truth)
    (folder / "scores" / "second.npz").unlink()
    assert "has no labels of second" in refused("evaluate", "transcription", folder / "truth", folder / "scores")


def test_a_recording_is_transcribed_by_a_run_and_the_notes_are_evaluated(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")
    from musicnet_build.baselines.models.reconstruction import PRESETS
    from musicnet_build.baselines.training import train

    torch.set_num_threads(1)
    corpus, package = write_corpus(tmp_path / "corpus"), tmp_path / "segments.h5"
    pack_segments(split_recordings(corpus), package, SegmentsSettings(keep_test_pieces=True))
    settings = replace(
        PRESETS["reconstruction-baseline"]["small"],
        steps=40,
        batch_size=4,
        frames=32,
        channels=(4,),
        learning_rate=1e-2,
    )
    train("reconstruction-baseline", package, tmp_path / "run", settings=settings)
    recording = next(corpus.rglob("MAPS_MUS-one_SynSinAa.wav"))
    outputs = [part for name in ("notes.mid", "notes.tsv", "heard.npz") for part in ("-o", tmp_path / name)]
    printed = as_json("transcribe", tmp_path / "run", recording, *outputs)
    assert printed["model"] == "reconstruction-baseline"
    assert len(read_labels(tmp_path / "notes.mid")) == printed["notes"] > 0
    truth = recording.with_suffix(".csv")
    write_labels(truth, read_maps_txt(recording.with_suffix(".txt")))
    found = as_json("evaluate", "transcription", truth, tmp_path / "heard.npz")["pieces"][0]
    assert found["average_precision"]["all"] > 0.5
    witness = read_witness(tmp_path / "heard.npz")
    assert isinstance(witness, HeardProbabilities)
    assert witness.onset.any()
    assert "--force replaces it" in misused("transcribe", tmp_path / "run", recording, "-o", tmp_path / "notes.mid")
    assert "holds no finished training" in refused("transcribe", corpus, recording, "-o", tmp_path / "other.mid")
