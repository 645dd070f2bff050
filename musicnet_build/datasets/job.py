"""The job of one recording: align it, write its labels, audio and quality report, and record what was done.

A job may be run any number of times, by anyone, and be killed at any moment. It looks at the bytes of its inputs and
outputs: where the record of an earlier run fits, nothing is made again. Which jobs there are, and what is written once
all are done, belongs to ``build``.
"""

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import math
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build import __version__
from musicnet_build._typing import Audio
from musicnet_build.alignment import Alignment, align
from musicnet_build.audio.io import audio_info, read_audio, write_audio
from musicnet_build.corpora import musicnet
from musicnet_build.errors import AlignmentError, AudioError, DatasetError
from musicnet_build.files import digests_of, read_json, sha256_of, write_json
from musicnet_build.labels.files import labelled, write_labels
from musicnet_build.listening.judgements import condemned_rows
from musicnet_build.listening.overlay import overlay
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.order import parse_order
from musicnet_build.score.reader import Score, read_score
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.fluidsynth import library_version
from musicnet_build.synthesis.soundfonts import choose_soundfont

ACCEPTED, REVIEW, REJECTED, FAILED = "accepted", "review", "rejected", "failed"
STATES = (ACCEPTED, REVIEW, REJECTED, FAILED)

RECORDS_FOLDER = ".build"
OVERLAY_CLIPS = ("start", "middle", "end")
CLIP_S = 10.0

# Peak memory of a job by its preset: at any length, and for each second of its recording. Estimates from above of what
# tests/benchmarks/bench_memory.py measures; the preset musicnet also keeps the score's sound, here of up to twice the
# recording's length.
_PEAK_BYTES = {"precise": (450_000_000, 1_250_000), "musicnet": (300_000_000, 650_000)}
# Of a sound file that does not say how long it is: as few as most have.
_LEAST_BYTES_PER_SECOND = 16_000

_LIBRARIES = ("numpy", "scipy", "numba", "soundfile", "soxr")


@dataclasses.dataclass(frozen=True)
class Task:
    """What one recording's job is told; all of it can be written as JSON.

    Attributes
    ----------
    dataset : str
        The dataset's folder.
    id, split : str
    recording, score, soundfont : str
        Paths of the inputs.
    start_s, end_s : float
        The part of the recording to use; None for all of it.
    preset : str
    order : str
        The playing order as in the manifest; empty where the program is to find it.
    transposition : int
        Semitones.
    tuning_cents : float
    strict, with_confidence, overlay : bool
        As in ``musicnet-build align``; ``overlay`` asks for three short clips.
    include : tuple of str
        States in which a recording goes into the sets.
    check : str
        Why the pair is doubtful, empty where it is not.
    verdict : str
        What a person said, empty where nobody did.
    reason : str
        Why the person said so.
    condemned : tuple of str
        Judgements about its notes, as JSON; notes that should not be there are left out of the labels.
    """

    dataset: str
    id: str
    split: str
    recording: str
    score: str
    soundfont: str
    start_s: float = 0.0
    end_s: float | None = None
    preset: str = "precise"
    order: str = ""
    transposition: int = 0
    tuning_cents: float = 0.0
    strict: bool = False
    with_confidence: bool = False
    overlay: bool = False
    include: tuple[str, ...] = (ACCEPTED, REVIEW)
    check: str = ""
    verdict: str = ""
    reason: str = ""
    condemned: tuple[str, ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """What, besides the inputs' bytes, decides the output."""
        excerpt, score = ("start_s", "end_s"), ("order", "transposition", "tuning_cents")
        names = (*excerpt, *score, "preset", "strict", "with_confidence", "overlay")
        settings = {name: getattr(self, name) for name in names}
        # Only where it matters: what was built without it stays as it is.
        return settings | ({"condemned": self.condemned} if self.condemned else {})


@dataclasses.dataclass(frozen=True)
class Row:
    """How one recording came out: its state, why, whether it is in the sets, and whether it was made in this run."""

    id: str
    state: str
    reasons: tuple[str, ...]
    included: bool
    made: bool

    @property
    def reason(self) -> str:
        """All reasons on one line."""
        return "; ".join(reason.removesuffix(".") for reason in self.reasons)


def make_recording(**fields: Any) -> bool:
    """Do the job of one recording.

    Parameters
    ----------
    **fields
        Those of ``Task``.

    Returns
    -------
    bool
        Whether anything had to be made: False where all of it was there already.

    Raises
    ------
    MusicnetBuildError
        When the recording or the score cannot be used.
    """
    tuples: dict[str, Any] = {name: tuple(fields[name]) for name in ("include", "condemned") if name in fields}
    task = Task(**(fields | tuples))
    soundfont = choose_soundfont(task.soundfont)
    inputs = {
        "recording": sha256_of(task.recording),
        "score": sha256_of(task.score),
        "soundfont": soundfont.sha256(),
    }
    key = _key(inputs, task.settings)
    record = read_record(Path(task.dataset), task.id)
    if record is not None and record.get("key") == key and _settled(task, record):
        return False
    _make(task, inputs, key)
    return True


def memory_needed(task: Task) -> int:
    """Estimate from above how much memory the job of a recording takes at its peak, in bytes.

    Parameters
    ----------
    task : Task

    Returns
    -------
    int
    """
    at_any_length, per_second = _PEAK_BYTES[task.preset]
    try:
        duration_s = audio_info(task.recording).duration_s
        if duration_s is None:
            duration_s = Path(task.recording).stat().st_size / _LEAST_BYTES_PER_SECOND
    except (AudioError, OSError):
        # Nor will the job read it: it ends early, with the reason.
        return at_any_length
    return at_any_length + round(duration_s * per_second)


def record_path(dataset: Path, recording_id: str) -> Path:
    """Return where the record of a recording's job is kept."""
    return dataset / RECORDS_FOLDER / f"{recording_id}.json"


def read_record(dataset: Path, recording_id: str) -> dict[str, Any] | None:
    """Return the record of a recording's job, None where there is none."""
    path = record_path(dataset, recording_id)
    try:
        record = read_json(path) if path.is_file() else None
    except DatasetError:
        # A record that cannot be read proves nothing: the job is done again.
        return None
    return record if isinstance(record, dict) else None


def state_of(task: Task, record: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the state of a recording, and why: a person's word first, then the program's, doubtful pairs at best
    for review.
    """
    if task.verdict:
        why = f": {task.reason}" if task.reason else ""
        return task.verdict, [f"{task.verdict} by a person's verdict{why}"]
    reasons = list(record["reasons"])
    if not task.check:
        return record["verdict"], reasons
    state = REVIEW if record["verdict"] == ACCEPTED else record["verdict"]
    return state, [f"the pair is doubtful: {task.check}", *reasons]


def machine_verdict(alignment: Alignment) -> tuple[str, list[str], dict[str, Any] | None]:
    """Return what the alignment says of its own quality: state, reasons, and the measures behind it."""
    if alignment.quality is None:
        return REVIEW, ["its quality was not measured"], None
    state = {"accept": ACCEPTED, "review": REVIEW, "reject": REJECTED}[alignment.quality.verdict]
    return state, list(alignment.quality.reasons), alignment.quality.as_dict()


# ---------------------------------------------------------------------------------------------------------------------
# What is there already


def _key(inputs: dict[str, str], settings: dict[str, Any]) -> str:
    made_from = {"inputs": inputs, "settings": settings, "program": [__version__, library_version()]}
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def _settled(task: Task, record: dict[str, Any]) -> bool:
    """Move what an earlier run made to where it belongs now; False where something is missing or damaged."""
    included = state_of(task, record)[0] in task.include
    outputs = record["outputs"]
    wanted = {**_label_places(task, included), **(_audio_places(task) if included else {})}
    fixed = {musicnet.quality_path(task.id): "quality", **{path: path for path in _clip_paths(task)}}
    root = Path(task.dataset)
    for path, (name, elsewhere) in wanted.items():
        if not outputs.get(name) or not _moved(root, path, elsewhere, outputs[name][0]):
            return False
    if not included:
        _remove(root, _audio_places(task, anywhere=True))
    return all(name in outputs and _is_whole(root / path, outputs[name][0]) for path, name in fixed.items())


def _label_places(task: Task, included: bool) -> dict[str, tuple[str, list[str]]]:
    places = [*(musicnet.labels_path(split, task.id) for split in musicnet.SPLITS), musicnet.left_out_path(task.id)]
    place = musicnet.labels_path(task.split, task.id) if included else musicnet.left_out_path(task.id)
    return {place: ("labels", [other for other in places if other != place])}


def _audio_places(task: Task, *, anywhere: bool = False) -> dict[str, tuple[str, list[str]]]:
    places = [musicnet.audio_path(split, task.id) for split in musicnet.SPLITS]
    if anywhere:
        return {place: ("audio", []) for place in places}
    place = musicnet.audio_path(task.split, task.id)
    return {place: ("audio", [other for other in places if other != place])}


def _clip_paths(task: Task) -> list[str]:
    names = OVERLAY_CLIPS if task.overlay else ()
    return [f"{musicnet.OVERLAYS_FOLDER}/{task.id}_{name}.flac" for name in names]


def _moved(root: Path, path: str, elsewhere: list[str], sha256: str) -> bool:
    for other in elsewhere:
        if not (root / path).exists() and _is_whole(root / other, sha256):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / other).replace(root / path)
    _remove(root, elsewhere)
    return _is_whole(root / path, sha256)


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


def _remove(root: Path, paths: Iterable[str]) -> None:
    for path in paths:
        (root / path).unlink(missing_ok=True)


# ---------------------------------------------------------------------------------------------------------------------
# Making it


def _make(task: Task, inputs: dict[str, str], key: str) -> None:
    root = Path(task.dataset)
    # What is about to be overwritten is no longer what the record says.
    record_path(root, task.id).unlink(missing_ok=True)
    semitones, cents = whole_semitones(task.tuning_cents)
    score = prepared_score(read_score(task.score), task.transposition + semitones)
    order = parse_order(task.order, score) if task.order else None
    audio = _excerpt(task, read_audio(task.recording))
    _check_space(root, audio.nbytes)
    alignment = align(
        audio,
        score,
        choose_soundfont(task.soundfont),
        preset=task.preset,
        order=order,
        options=Options(strict=task.strict, tuning_cents=cents if task.tuning_cents else None),
    )
    verdict, reasons, measures = machine_verdict(alignment)
    heard = condemned_rows(map(json.loads, task.condemned), task.id, alignment.notes)
    alignment = dataclasses.replace(alignment, notes=np.delete(alignment.notes, sorted(heard)))
    record = {
        "id": task.id,
        "key": key,
        "inputs": inputs,
        "settings": task.settings,
        "versions": versions(),
        "samples": len(audio),
        "notes": len(labelled(alignment.notes)),
        "instruments": sorted({int(program) + 1 for program in alignment.notes["program"]}),
        "overlaps_in_score": musicnet.count_overlaps(labelled(alignment.warping.score.notes)),
        "verdict": verdict,
        "reasons": reasons,
    }
    report = {
        **{name: record[name] for name in ("id", "verdict", "reasons", "notes", "overlaps_in_score")},
        "drum_notes": alignment.drum_notes,
        **({"condemned_notes": len(heard)} if task.condemned else {}),
        "lost_notes": dataclasses.asdict(score.lost),
        "offset_s": alignment.offset_s,
        "tempo_ratio": alignment.tempo_ratio if math.isfinite(alignment.tempo_ratio) else None,
        "warnings": list(alignment.warnings),
        "measures": measures,
    }
    record["outputs"] = _write_outputs(task, state_of(task, record)[0] in task.include, audio, alignment, report)
    write_json(record_path(root, task.id), record)


def whole_semitones(tuning_cents: float) -> tuple[int, float]:
    """Return a tuning as whole semitones, which transpose the score, and the cents that remain."""
    semitones = round(tuning_cents / 100)
    return semitones, tuning_cents - 100 * semitones


def prepared_score(score: Score, transposition: int) -> Score:
    """Return the score as it sounds in the recording.

    Parameters
    ----------
    score : Score
    transposition : int
        Semitones; drums stay as they are.

    Returns
    -------
    Score

    Raises
    ------
    AlignmentError
        When a note leaves the range of MIDI.
    """
    notes = score.notes.copy()
    notes["pitch"][~notes["is_drum"]] += transposition
    if notes["pitch"].min() < 0 or notes["pitch"].max() > 127:
        raise AlignmentError(f"{score.name}: a transposition of {transposition} semitones leaves the range of MIDI.")
    return dataclasses.replace(score, notes=notes)


def _excerpt(task: Task, audio: Audio) -> Audio:
    first = round(task.start_s * SAMPLE_RATE)
    end = len(audio) if task.end_s is None else round(task.end_s * SAMPLE_RATE)
    if first >= len(audio) or end > len(audio) + SAMPLE_RATE:
        raise AudioError(
            f"{task.recording} lasts {len(audio) / SAMPLE_RATE:.1f} s: the excerpt from {task.start_s:g} s to "
            f"{end / SAMPLE_RATE:g} s is not in it."
        )
    return audio[first:end]


def _check_space(root: Path, needed_bytes: int) -> None:
    """Say that the disk is full before the work, not after it."""
    free_bytes = shutil.disk_usage(root).free
    if free_bytes < needed_bytes:
        raise DatasetError(
            f"there is no space left in {root} ({free_bytes / 1e6:.0f} MB, {needed_bytes / 1e6:.0f} MB needed): make "
            "room and run again."
        )


def _write_outputs(
    task: Task, included: bool, audio: Audio, alignment: Alignment, report: dict[str, Any]
) -> dict[str, tuple[str, str]]:
    """Write all files of the recording; return the hashes of each by name."""
    root, written = Path(task.dataset), {}
    ((path, (_, elsewhere)),) = _label_places(task, included).items()
    write_labels(root / path, alignment.notes, with_confidence=task.with_confidence)
    written["labels"] = path
    _remove(root, elsewhere)
    _remove(
        root,
        set(_audio_places(task, anywhere=True)) - ({musicnet.audio_path(task.split, task.id)} if included else set()),
    )
    if included:
        written["audio"] = musicnet.audio_path(task.split, task.id)
        write_audio(root / written["audio"], audio, SAMPLE_RATE)
    written["quality"] = musicnet.quality_path(task.id)
    write_json(root / written["quality"], report)
    for path, (first, end) in zip(_clip_paths(task), _clip_spans(alignment, len(audio)), strict=False):
        clip = overlay(audio, alignment.notes, span_s=(first / SAMPLE_RATE, end / SAMPLE_RATE))
        write_audio(root / path, clip, SAMPLE_RATE)
        written[path] = path
    digests = {name: digests_of(root / path) for name, path in written.items()}
    return {name: (digest.sha256, digest.md5) for name, digest in digests.items()}


def _clip_spans(alignment: Alignment, samples: int) -> Iterator[tuple[int, int]]:
    """The first, middle and last ten seconds between the first onset and the last offset."""
    first = round(float(alignment.notes["onset_s"].min()) * SAMPLE_RATE)
    last = round(float(alignment.notes["offset_s"].max()) * SAMPLE_RATE)
    length = min(round(CLIP_S * SAMPLE_RATE), samples)
    for start in (first, (first + last - length) // 2, last - length):
        start = min(max(start, 0), samples - length)
        yield start, start + length


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of everything that touches the samples and the labels."""
    libraries = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"musicnet_build": __version__, "fluidsynth": library_version(), **libraries}
