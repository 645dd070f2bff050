"""What every form of a dataset costs: size and processor seconds of one command each.

    python tests/benchmarks/bench_forms.py FOLDER [--recordings 30] [--seconds 120] [--form parquet ...]

Makes a dataset of decaying sines with random notes in FOLDER (kept), packs it in every form and prints the table of
docs/loaders.md.
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from musicnet_build.audio.io import write_audio
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import SAMPLE_RATE, empty_notes

NOTES_PER_S = 4
FORMS = {
    "musicnet": "musicnet.h5",
    "musicnet --samples int16 --gzip": "int16.h5",
    "musicnet (.npz)": "musicnet.npz",
    "transcription": "transcription",
    "maestro": "maestro",
    "parquet": "parquet",
    "webdataset": "webdataset",
    "notesequence": "notesequence",
    "notesequence --audio wav": "notesequence-wav",
    "yourmt3": "yourmt3",
    "frames": "frames.h5",
    "segments": "segments.h5",
    "thumbnails": "thumbnails.h5",
}


def write_dataset(folder: Path, recordings: int, duration_s: int) -> None:
    """Write recordings into three sets: one in ten tests, one in ten validates."""
    random = np.random.default_rng(0)
    for number in range(1, recordings + 1):
        split = {0: "test", 5: "validation"}.get(number % 10, "train")
        notes = empty_notes(NOTES_PER_S * duration_s)
        notes["onset_s"] = np.sort(random.uniform(0.2, duration_s - 1, len(notes)))
        notes["offset_s"] = notes["onset_s"] + random.uniform(0.1, 0.6, len(notes))
        notes["pitch"] = random.integers(36, 96, len(notes))
        notes["program"] = random.choice([0, 40, 41], len(notes))
        audio = 0.001 * random.standard_normal(duration_s * SAMPLE_RATE)
        for onset_s, offset_s, pitch in notes[["onset_s", "offset_s", "pitch"]].tolist():
            first, end = round(onset_s * SAMPLE_RATE), round(offset_s * SAMPLE_RATE)
            time_s = np.arange(end - first) / SAMPLE_RATE
            hz = 440 * 2 ** ((pitch - 69) / 12)
            audio[first:end] += 0.05 * np.sin(2 * np.pi * hz * time_s) * np.exp(-3 * time_s)
        write_audio(folder / f"{split}_data" / f"{number}.wav", audio)
        write_labels(folder / f"{split}_labels" / f"{number}.csv", notes)


def size_of(path: Path) -> int:
    """Bytes of a file, or of the files of a folder."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def pack(form: str, dataset: Path, output: Path) -> float:
    """Run the command of a form; return the processor seconds that it and its workers took."""
    words = [word for word in form.split() if word != "(.npz)"]
    command = [str(Path(sys.executable).with_name("musicnet-build")), "pack", words[0], str(dataset), "-o", str(output)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, *words[1:]], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recordings", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--form", action="append", choices=FORMS, help="only this one; all by default")
    options = parser.parse_args()
    dataset = options.folder / "dataset"
    if not dataset.is_dir():
        write_dataset(dataset, options.recordings, options.seconds)
    print("| form | MB | CPU s |\n|---|---:|---:|")
    for form in options.form or FORMS:
        name = FORMS[form]
        seconds = pack(form, dataset, options.folder / name)
        print(f"| `{form}` | {size_of(options.folder / name) / 1e6:.0f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
