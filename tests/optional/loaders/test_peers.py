"""The field's own loaders, unchanged, on what we write.

    PEERS=FOLDER python -m pytest tests/optional/loaders

FOLDER holds checkouts of the peers by the names of their repositories (``mt3``, ``Transkun``, ...); mirdata, jams,
datasets, note_seq and tensorflow are taken from the environment. What is not there is skipped, with the reason. Nothing
of a peer's code stands here.
"""

import contextlib
import dataclasses
import importlib
import json
import os
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_corpus import write_corpus

from musicnet_build.audio.io import read_audio
from musicnet_build.corpora import maps
from musicnet_build.corpora.layouts import find_recordings
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.notes import NoteTable
from musicnet_build.packing.peers.maestro import MaestroSettings, pack_maestro
from musicnet_build.packing.peers.notesequence import NoteSequenceSettings, pack_notesequence
from musicnet_build.packing.peers.parquet import pack_parquet
from musicnet_build.packing.peers.transcription import pack_transcription
from musicnet_build.packing.peers.webdataset import pack_webdataset
from musicnet_build.packing.peers.yourmt3 import pack_yourmt3


@contextlib.contextmanager
def peer(name: str, *folders: str) -> Iterator[None]:
    """Let modules of a checkout be imported."""
    root = Path(os.environ.get("PEERS", "")) / name
    if not os.environ.get("PEERS") or not root.is_dir():
        pytest.skip(f"no checkout of {name}: name the folder that holds it in PEERS")
    sys.path[:0] = [str(root / folder) for folder in folders or ("",)]
    try:
        yield
    finally:
        del sys.path[: len(folders or ("",))]
        # The next one may have modules of the same names.
        for module in [name for name, one in sys.modules.items() if _is_below(one, root)]:
            del sys.modules[module]


def _is_below(module: types.ModuleType, root: Path) -> bool:
    path = getattr(module, "__path__", None)
    places = [getattr(module, "__file__", None), *(path if isinstance(path, list) else ())]
    return any(str(place).startswith(f"{root}{os.sep}") for place in places if place)


def module_without_models(package: str, name: str) -> types.ModuleType:
    """Import a module of a package whose ``__init__`` loads models that need librosa as it was years ago."""
    found = next(Path(place) / package for place in sys.path if (Path(place) / package / f"{name}.py").is_file())
    sys.modules[package] = types.ModuleType(package)
    sys.modules[package].__path__ = [str(found)]
    return importlib.import_module(f"{package}.{name}")


@pytest.fixture(scope="module")
def maestro(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maestro")
    pack_maestro(dataset, folder, MaestroSettings(flac=True))
    return folder


def strokes(labels: NoteTable) -> list[tuple[int, float]]:
    return sorted({(int(note["pitch"]), round(float(note["onset_s"]), 3)) for note in labels})


def labels_of(dataset: Path, name: str) -> NoteTable:
    return read_labels(next(dataset.glob(f"*_labels/{name}.csv")))


def cells(notes: NoteTable, frames: int) -> np.ndarray:
    """Sounding cells as onsets-and-frames has them: 32 ms, rounded."""
    roll = np.zeros((frames, 88), bool)
    for note in notes:
        first, last = (round(note[name] * 16_000 / 512) for name in ("onset_s", "offset_s"))
        roll[first : max(last, first + 1), note["pitch"] - 21] = True
    return roll


def test_onsets_and_frames_reads_maestro(maestro: Path, dataset: Path) -> None:
    pytest.importorskip("torch")
    with peer("onsets-and-frames"):
        module = module_without_models("onsets_and_frames", "dataset")
        data = module.MAESTRO(str(maestro), ["train", "test"], device="cpu")
    assert [Path(one["path"]).stem for one in data.data] == ["1", "2", "3"]
    for one in data.data:
        frame = one["label"].numpy() > 1
        expected = cells(labels_of(dataset, Path(one["path"]).stem), len(frame))
        assert (frame != expected).sum() <= 0.01 * expected.sum()


def test_onsets_and_frames_reads_maps(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    corpus = write_corpus(tmp_path / "maps")
    pack_transcription(corpus, tmp_path / "out")
    with peer("onsets-and-frames"):
        module = module_without_models("onsets_and_frames", "dataset")
        data = module.MAPS(str(tmp_path / "out"), ["SynSinAa", "SynSinBb"], device="cpu")
    assert len(data) == 6
    for one in data.data:
        stem = Path(one["path"]).stem
        notes = maps.read_maps_txt(corpus / maps.folder_of(stem) / f"{stem}.txt")
        frame = one["label"].numpy() > 1
        assert (frame != cells(notes, len(frame))).sum() == 0


def test_high_resolution_piano_transcription_reads_every_note_off(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sox")
    pack_transcription(dataset, tmp_path)
    with peer("piano_transcription", "utils", "pytorch"):
        module = importlib.import_module("data_generator")
    hdf5s = tmp_path / "hdf5s" / "musicnet"
    sampler = module.Sampler(str(hdf5s), "train", 1.0, 0.25, 4, False)
    assert {name for _, name, _ in sampler.segment_list} == {"1.h5", "2.h5"}
    reader = module.MaestroDataset(str(hdf5s), 1.0, 100)
    for year, name, start_s in sampler.segment_list:
        frame = reader[[year, name, start_s]]["frame_roll"] > 0
        labels = labels_of(dataset, Path(name).stem)
        # A frame either side of an edge is a matter of rounding; a note that never ends is not.
        for pitch in range(21, 109):
            own = labels[labels["pitch"] == pitch]
            times_s = start_s + np.flatnonzero(frame[:, pitch - 21]) / 100
            assert all(np.any((own["onset_s"] - 0.011 <= t) & (t <= own["offset_s"] + 0.011)) for t in times_s)


def test_its_packer_of_maestro_opens_ours(maestro: Path, dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    h5py = pytest.importorskip("h5py")
    with peer("piano_transcription", "utils"):
        module = importlib.import_module("features")
        module.pack_maestro_dataset_to_hdf5(types.SimpleNamespace(dataset_dir=str(maestro), workspace=str(tmp_path)))
    with h5py.File(tmp_path / "hdf5s" / "maestro" / "0000" / "1.h5") as file:
        events = [event.decode().split(" ") for event in file["midi_event"][:]]
        assert file.attrs["split"].decode() == "train"
    starts = sorted(
        int(event[2].split("=")[1]) for event in events if event[0] == "note_on" and event[3] != "velocity=0"
    )
    assert starts == [pitch for pitch, _ in strokes(labels_of(dataset, "1"))]


def test_its_packer_of_maps_opens_generated_midi(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with peer("piano_transcription", "utils"):
        module = importlib.import_module("utilities")
    corpus = os.environ.get("MAPS")
    if not corpus:
        pytest.skip("no generated corpus: name one in MAPS")
    files = maps.maps_files(corpus, ["MUS", "ISOL"])[:40]
    for file in files:
        events = module.read_maps_midi(str(file.audio.with_suffix(".mid")))
        starts = [
            time_s
            for text, time_s in zip(events["midi_event"], events["midi_event_time"], strict=True)
            if text.startswith("note_on") and "velocity=0 " not in text
        ]
        np.testing.assert_allclose(sorted(starts), maps.read_maps_txt(file.labels)["onset_s"], atol=1e-5)


def test_transkun_reads_maestro(maestro: Path, dataset: Path) -> None:
    pytest.importorskip("torch")
    with peer("Transkun"):
        module = importlib.import_module("transkun.Data")
    samples = module.createDatasetMaestroCSV(str(maestro), str(maestro / "maestro-v3.0.0.csv"))
    for sample in samples:
        notes = [note for note in sample["notes"] if note.pitch > 0]
        expected = strokes(labels_of(dataset, Path(sample["audio_filename"]).stem))
        assert sorted(note.pitch for note in notes) == [pitch for pitch, _ in expected]
        np.testing.assert_allclose(
            sorted(note.start for note in notes), sorted(start for _, start in expected), atol=1e-3
        )
        assert (sample["fs"], sample["nChannel"]) == (44_100, 1)


def test_mirdata_validates_a_dataset_and_reads_its_tracks(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mirdata")
    module = importlib.import_module("mirdata_dataset")
    loader = module.Dataset(str(dataset))
    missing, invalid = loader.validate(verbose=False)
    assert not any(missing.values())
    assert not any(invalid.values())
    track, labels = loader.track("3"), labels_of(dataset, "3")
    assert (track.split, track.composition) == ("test", "Anon: Piece 3")
    np.testing.assert_allclose(track.notes.intervals[:, 0], labels["onset_s"])
    np.testing.assert_array_equal(track.notes.pitches, labels["pitch"])
    assert track.notes.to_matrix(np.arange(300) / 100, "s", np.arange(128), "midi").sum() > 0
    assert len(track.audio[0]) > 44_100
    module.main(str(dataset))
    assert "missing: 0, invalid: 0" in capsys.readouterr().out


def test_mirdata_tells_of_a_damaged_file(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("mirdata")
    shutil.copytree(dataset, tmp_path / "copy")
    (tmp_path / "copy" / "train_labels" / "1.csv").write_text("nothing")
    _, invalid = importlib.import_module("mirdata_dataset").Dataset(str(tmp_path / "copy")).validate(verbose=False)
    assert "1" in str(invalid)


def test_mirdata_reads_the_notes_of_maestro(maestro: Path, dataset: Path) -> None:
    module = pytest.importorskip("mirdata.datasets.maestro")
    notes = module.io.load_notes_from_midi(str(maestro / "0000" / "1.midi"))
    assert len(notes.pitches) == len(strokes(labels_of(dataset, "1")))


def test_datasets_opens_parquet_and_tars_without_code(dataset: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("pyarrow")
    pack_parquet(dataset, tmp_path / "parquet")
    loaded = datasets.load_dataset(str(tmp_path / "parquet"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 2, "test": 1}
    row = loaded["test"].cast_column("audio", datasets.Audio(decode=False))[0]
    labels = labels_of(dataset, "3")
    assert row["pitch"] == labels["pitch"].tolist()
    np.testing.assert_array_equal(row["onset"], labels["onset_s"])
    pack_webdataset(dataset, tmp_path / "tars")
    files = {"train": str(tmp_path / "tars" / "train-*.tar")}
    stream = datasets.load_dataset("webdataset", data_files=files, split="train", streaming=True)
    assert [sample["json"]["id"] for sample in stream.cast_column("flac", datasets.Audio(decode=False))] == ["1", "2"]


def test_jams_is_valid_and_equal(dataset: Path, tmp_path: Path) -> None:
    jams = pytest.importorskip("jams")
    labels = labels_of(dataset, "1")
    write_labels(tmp_path / "1.jams", labels)
    loaded = jams.load(str(tmp_path / "1.jams"), strict=True)
    times = sorted(note.time for one in loaded.annotations for note in one.data)
    np.testing.assert_allclose(times, labels["onset_s"])


def test_tensorflow_and_note_seq_read_notesequences(dataset: Path, tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    note_seq = pytest.importorskip("note_seq")
    pack_notesequence(dataset, tmp_path / "out")
    features = {
        "id": tf.io.FixedLenFeature([], tf.string),
        "sample_rate": tf.io.FixedLenFeature([], tf.float32),
        "audio": tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True),
        "sequence": tf.io.FixedLenFeature([], tf.string),
    }
    found = [str(path) for path in sorted((tmp_path / "out").glob("*.tfrecord-*"))]
    for raw in tf.data.TFRecordDataset(found):
        one = tf.io.parse_single_example(raw, features)
        name = one["id"].numpy().decode()
        sound = next(dataset.glob(f"*_data/{name}.wav"))
        np.testing.assert_array_equal(one["audio"].numpy(), read_audio(sound, int(one["sample_rate"])))
        sequence = note_seq.NoteSequence.FromString(one["sequence"].numpy())
        midi = note_seq.note_sequence_to_pretty_midi(sequence)
        labels = labels_of(dataset, name)
        assert [note.pitch for note in sequence.notes] == labels["pitch"].tolist()
        assert [note.start_time for note in sequence.notes] == labels["onset_s"].tolist()
        assert [note.program for note in sequence.notes] == labels["program"].tolist()
        assert sum(len(part.notes) for part in midi.instruments) == len(labels)


def test_note_seq_reads_the_wav_beside_notesequences(dataset: Path, tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    note_seq = pytest.importorskip("note_seq")
    pack_notesequence(dataset, tmp_path / "out", NoteSequenceSettings(audio="wav"))
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("audio", "sequence", "id", "velocity_range")}
    for raw in tf.data.TFRecordDataset(str(tmp_path / "out" / "train.tfrecord-00000-of-00001")):
        one = tf.io.parse_single_example(raw, features)
        sound = read_audio(dataset / "train_data" / f"{one['id'].numpy().decode()}.wav", 16_000)
        samples = note_seq.audio_io.wav_data_to_samples(one["audio"].numpy(), 16_000)
        np.testing.assert_allclose(samples, sound, atol=2 / 32767)
        velocities = note_seq.protobuf.music_pb2.VelocityRange.FromString(one["velocity_range"].numpy())
        assert (velocities.min, velocities.max) == (64, 64)


def test_mt3_takes_the_notes_of_notesequences(dataset: Path, tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    note_seq = pytest.importorskip("note_seq")
    pytest.importorskip("seqio")
    pack_notesequence(dataset, tmp_path / "out")
    with peer("mt3"):
        module = module_without_models("mt3", "note_sequences")
        features = importlib.import_module("mt3.datasets").MUSICNET_CONFIG.features
    for raw in tf.data.TFRecordDataset(str(tmp_path / "out" / "train.tfrecord-00000-of-00001")):
        one = tf.io.parse_single_example(raw, features)
        sequence = note_seq.NoteSequence.FromString(one["sequence"].numpy())
        module.validate_note_sequence(sequence)
        times, events = module.note_sequence_to_onsets_and_offsets_and_programs(sequence)
        labels = labels_of(dataset, one["id"].numpy().decode())
        began = sorted(
            (event.program, event.pitch, time_s)
            for time_s, event in zip(times, events, strict=True)
            if event.velocity > 0
        )
        assert began == sorted(labels[["program", "pitch", "onset_s"]].tolist())


def test_yourmt3_slices_segments_of_sound_and_events(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("einops")
    pack_yourmt3(dataset, tmp_path / "data")
    (tmp_path / "amt" / "src").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "amt" / "src")
    index = json.loads((tmp_path / "data" / "yourmt3_indexes" / "dataset_train_file_list.json").read_text())
    with peer("YourMT3", "amt/src"):
        audio, events = importlib.import_module("utils.audio"), importlib.import_module("utils.note2event")
        back = importlib.import_module("utils.event2note")
        for entry in index.values():
            samples = audio.load_audio_file(entry["mix_audio_file"], dtype=np.float32)
            assert len(samples) == entry["n_frames"]
            labels = labels_of(dataset, entry["musicnet_id"])
            known = np.load(entry["note_events_file"], allow_pickle=True).tolist()["note_events"]
            own = np.load(entry["notes_file"], allow_pickle=True).tolist()["notes"]
            assert events.note2note_event(own) == known
            notes, faults = back.note_event2note(known)
            assert not any(faults.values())
            assert [(note.program, note.pitch, note.onset) for note in events.sort_notes(notes)] == sorted(
                labels[["program", "pitch", "onset_s"]].tolist(), key=lambda note: (note[2], note[0], note[1])
            )
            sliced = events.slice_multiple_note_events_and_ties_to_bundle(known, [0.5, 1.0], 1.0)
            assert all(sliced["note_events"])
            assert any(sliced["tie_note_events"])


@pytest.fixture
def torchaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Newer versions load sound by another package, which needs FFmpeg, and have no build for every PyTorch.

    So libsndfile reads sound here; where torchaudio cannot be imported, modules stand in for what is named of it.
    """
    torch = pytest.importorskip("torch")
    try:
        importlib.import_module("torchaudio")
    except (ImportError, OSError):
        for name in ("torchaudio", "torchaudio.datasets", "torchaudio.datasets.utils"):
            monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
        monkeypatch.setattr(sys.modules["torchaudio.datasets.utils"], "_extract_zip", None, raising=False)

    def load(path: str) -> tuple[object, int]:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return torch.from_numpy(audio.T), rate

    monkeypatch.setattr(sys.modules["torchaudio"], "load", load, raising=False)


@pytest.mark.usefixtures("torchaudio")
def test_audioloader_reads_maestro(maestro: Path, dataset: Path, tmp_path: Path) -> None:
    # It puts files of its own beside ours.
    shutil.copytree(maestro, tmp_path / "maestro-v2.0.0")
    with peer("AudioLoader"):
        module = importlib.import_module("AudioLoader.music.amt")
        data = module.MAESTRO(str(tmp_path), ["train", "test"], download=False)
        assert len(data) == 3
        for place, (audio, tsv) in enumerate(data._walker):
            labels = labels_of(dataset, Path(audio).stem)
            known = sorted((int(note), round(onset, 3)) for onset, _, note, _ in np.loadtxt(tsv))
            assert known == strokes(labels)
            item = data[place]
            assert len(item["audio"]) == soundfile.info(audio).frames
            assert set(np.flatnonzero(item["onset"].numpy().any(0)) + 21) == set(labels["pitch"].tolist())


@pytest.mark.usefixtures("torchaudio")
def test_audioloader_reads_a_dataset_folder(dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "musicnet")
    with peer("AudioLoader"):
        module = importlib.import_module("AudioLoader.music.amt")
        data = module.MusicNet(str(tmp_path), ["train", "test"])
        assert len(data) == 3
        for place, audio in enumerate(data._walker):
            labels = labels_of(dataset, Path(audio).stem)
            exact, _ = soundfile.read(next(dataset.glob(f"*_data/{Path(audio).stem}.wav")), dtype="float32")
            np.testing.assert_array_equal(data[place]["audio"].numpy(), exact)
            table = np.loadtxt(Path(audio).with_suffix(".tsv"), skiprows=1)
            np.testing.assert_allclose(np.sort(table[:, 0]), labels["onset_s"], atol=1e-6)


def test_pytorch_musicnet_reads_a_dataset_folder(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("six")
    shutil.copytree(dataset, tmp_path / "musicnet")
    # What it would download, and has extracted.
    (tmp_path / "musicnet" / "raw").mkdir()
    (tmp_path / "musicnet" / "raw" / "musicnet.tar.gz").write_bytes(b"")
    with peer("pytorch_musicnet"):
        module = importlib.import_module("musicnet")
        data = module.MusicNet(str(tmp_path / "musicnet"), train=True, download=True, normalize=False, mmap=False)
    labels = labels_of(dataset, "1")
    exact, _ = soundfile.read(dataset / "train_data" / "1.wav", dtype="float32")
    with data:
        for start in range(0, len(exact) - data.window, 5000):
            audio, target = data.access(1, start)
            np.testing.assert_array_equal(audio, exact[start : start + data.window])
            middle = start + data.window / 2
            on, off = (np.rint(labels[name] * 44_100) for name in ("onset_s", "offset_s"))
            assert set(np.flatnonzero(target)) == set(labels["pitch"][(on <= middle) & (middle < off)].tolist())


@pytest.mark.parametrize("name", ["ICPR2020", "ReconVAT"])
def test_icpr2020_and_reconvat_read_maps(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("pandas")
    corpus = write_corpus(tmp_path / "maps")
    pack_transcription(corpus, tmp_path / "out")
    with peer(name):
        module = module_without_models("model", "dataset")
        data = module.MAPS(str(tmp_path / "out"), ["SynSinAa", "SynSinBb"], device="cpu")
    assert len(data) == 6
    for one in data.data:
        stem = Path(one["path"]).stem
        notes = maps.read_maps_txt(corpus / maps.folder_of(stem) / f"{stem}.txt")
        frame = one["label"].numpy() > 1
        assert (frame != cells(notes, len(frame))).sum() == 0


def test_icpr2020_reads_musicnet(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pack_transcription(dataset, tmp_path)
    with peer("ICPR2020"):
        module = module_without_models("model", "dataset")
        data = module.MusicNet(str(tmp_path), ["train", "test"], device="cpu")
    assert [Path(one["path"]).stem for one in data.data] == ["1", "2", "3"]
    for one in data.data:
        frame = one["label"].numpy() > 1
        labels = labels_of(dataset, Path(one["path"]).stem)
        assert (frame != cells(labels, len(frame))).sum() <= 0.01 * frame.sum()


def test_reconvat_reads_musicnet_by_ensembles(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("pandas")
    ensembles = {"1": "Solo Violin", "2": "String Quartet", "3": "Solo Cello"}
    recordings = [
        dataclasses.replace(one, metadata={**one.metadata, "ensemble": ensembles[one.name]})
        for one in find_recordings(dataset)
    ]
    pack_transcription(recordings, tmp_path)
    with peer("ReconVAT"):
        module = module_without_models("model", "dataset")
        data = module.MusicNet(str(tmp_path), ["train_violin_l", "train_violin_ul"], device="cpu")
    assert [Path(one["path"]).stem for one in data.data] == ["1", "2"]


def test_hft_transformer_lists_and_reads_maestro(maestro: Path, dataset: Path, tmp_path: Path) -> None:
    for folder in ("LIST", "wav", "midi"):
        (tmp_path / folder).mkdir()
    with peer("hFT-Transformer", "corpus"):
        corpus = Path(os.environ["PEERS"]) / "hFT-Transformer" / "corpus"
        table = maestro / "maestro-v3.0.0.csv"
        listing = [sys.executable, corpus / "make_list_maestro.py", "-i", table, "-d_list", tmp_path / "LIST"]
        subprocess.run(listing, check=True)
        renaming = ["-d_i", maestro, "-d_o", tmp_path, "-d_list", tmp_path / "LIST"]
        subprocess.run([sys.executable, corpus / "rename_maestro.py", *renaming], check=True)
        module = importlib.import_module("conv_midi2note")
        config = json.loads((corpus / "config.json").read_text())
        files = sorted((tmp_path / "midi").iterdir())
        assert [path.stem for path in files] == ["test_000", "train_000", "train_001"]
        for path in files:
            notes = module.midi2note(config, str(path))
            labels = labels_of(dataset, path.resolve().stem)
            np.testing.assert_allclose([note["onset"] for note in notes], np.sort(_onsets(labels)), atol=1e-3)


def _onsets(labels: NoteTable) -> np.ndarray:
    return np.array([onset_s for _, onset_s in strokes(labels)])


def test_omnizart_reads_labels(dataset: Path) -> None:
    with peer("omnizart"):
        pytest.importorskip("omnizart.constants.datasets", exc_type=ImportError)
        module = importlib.import_module("omnizart.constants.datasets")
        for name in ("1", "2", "3"):
            labels = labels_of(dataset, name)
            known = module.MusicNetStructure.load_label(str(next(dataset.glob(f"*_labels/{name}.csv"))))
            np.testing.assert_allclose([label.start_time for label in known], labels["onset_s"])
            assert [label.note for label in known] == labels["pitch"].tolist()


def test_amt_tools_reads_maestro(maestro: Path, dataset: Path) -> None:
    module = pytest.importorskip("amt_tools.datasets.MAESTRO", exc_type=ImportError)
    data = module.MAESTRO_V3(
        base_dir=str(maestro), splits=["train", "test"], sample_rate=44_100, save_data=False, store_data=False
    )
    assert sorted(data.tracks) == ["0000/1", "0000/2", "0000/3"]
    for track in data.tracks:
        known = data.load(track)
        notes = known["notes"]
        pitches, intervals = notes
        found = sorted(
            (round(float(pitch)), round(float(start), 3)) for pitch, (start, _) in zip(pitches, intervals, strict=True)
        )
        assert found == strokes(labels_of(dataset, Path(track).stem))
