"""What a reviewer hears of a draw: its notes in an order of chance, and between them trials of the reviewer's ear."""

import hashlib
from dataclasses import dataclass

from musicnet_build.listening.rating.listener import SHIFTS_MS
from musicnet_build.listening.rating.sample_file import NoteName, Sample

NOTES_PER_SHAM = 10
LEAST_SHAMS = 2 * len(SHIFTS_MS)

_TRUSTED = ("sure", "unknown")


@dataclass(frozen=True)
class Trial:
    """A note to be judged.

    Attributes
    ----------
    key : str
        By which the page names it; it does not tell whether the tone is moved.
    recording : str
    note : NoteName
    shift_ms : int or None
        By which the tone is moved; None where the label itself is judged.
    """

    key: str
    recording: str
    note: NoteName
    shift_ms: int | None


def trials_for(sample: Sample, reviewer: str) -> dict[str, Trial]:
    """Return what a reviewer hears, in order.

    Parameters
    ----------
    sample : Sample
        Of notes.
    reviewer : str
        Each has an order of their own, which a longer draw does not change.

    Returns
    -------
    dict
        Key to trial.
    """
    units = [(unit, unit.note) for unit in sample.units if unit.note]
    trials = [_trial(sample, reviewer, unit.recording, note, None) for unit, note in units]
    trusted = [
        _trial(sample, reviewer, unit.recording, note, 0)
        for stratum in _TRUSTED
        for unit, note in units
        if unit.stratum == stratum
    ]
    wanted = max(len(units) // NOTES_PER_SHAM, LEAST_SHAMS)
    shams = [
        _trial(sample, reviewer, one.recording, one.note, SHIFTS_MS[i % len(SHIFTS_MS)])
        for i, one in enumerate(trusted[:wanted])
    ]
    return {trial.key: trial for trial in sorted([*trials, *shams], key=lambda trial: trial.key)}


def _trial(sample: Sample, reviewer: str, recording: str, note: NoteName, shift_ms: int | None) -> Trial:
    text = f"{sample.seed}/{reviewer}/{recording}/{note.row}/{shift_ms}"
    key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return Trial(key, recording, note, shift_ms)
