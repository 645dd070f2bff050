"""The draw as the page plays it: one note over its recording, at its label or, unknown to the page, beside it."""

from functools import lru_cache
from typing import Any

import numpy as np

from musicnet_build.listening.judgements import Event, Judgements, found_row, judgements_of, rows_by_place, standing
from musicnet_build.listening.rating.heard import heard_clips
from musicnet_build.listening.rating.sample_file import SAMPLE_FILE, Sample, Unit, read_sample
from musicnet_build.listening.rating.sampling import uniforms
from musicnet_build.listening.rating.trials import Trial, trials_for
from musicnet_build.listening.streams import Stream
from musicnet_build.listening.web.session import Session
from musicnet_build.notes import SAMPLE_RATE, NoteTable, pitch_name
from musicnet_build.score.programs import PROGRAM_NAMES

CONTEXT_SAMPLES = 2 * SAMPLE_RATE
"""What is heard before and after a note."""


class Blind:
    """The draw of a session's dataset.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stream = lru_cache(4)(self._made_stream)
        self._trials = lru_cache(8)(self._made_trials)
        folder = session.catalogue.judgements
        self.sample: Sample | None = read_sample(folder) if (folder / SAMPLE_FILE).is_file() else None

    @property
    def offered(self) -> bool:
        """Whether there is something to judge here."""
        return self.sample is not None

    def trial(self, reviewer: str, key: str) -> tuple[Trial, NoteTable]:
        """Return a trial and its note, moved as the trial has it.

        Raises
        ------
        KeyError
            When there is no such trial, or its note is no longer in the labels.
        """
        return self._trials(reviewer)[key]

    def listed(self, reviewer: str, events: list[Event]) -> list[dict[str, Any]]:
        """Return what the page shows of each trial: not whether the tone is moved, nor how sure we are."""
        judged = {key: event["value"] for event in standing(events) for key in [_key(event, reviewer)] if key}
        return [
            {
                "key": key,
                "recording": trial.recording,
                **_shown(note[0]),
                "value": judged.get(key),
            }
            for key, (trial, note) in self._trials(reviewer).items()
        ]

    def clips(self, reviewer: str, events: list[Event]) -> list[dict[str, Any]]:
        """Return the clips of the draw in the reviewer's order, with their labels and what was said of them."""
        if self.sample is None or self.sample.unit != "clip":
            return []
        stand = standing(events)
        held = {one: self._held(reviewer, one, stand) for one in self._recordings()}
        units = [unit for unit in self.sample.units if unit.recording in held]
        ids = [f"{reviewer}/{unit.recording}@{unit.start_sample}" for unit in units]
        order: list[int] = np.argsort(uniforms(ids, self.sample.seed, 1)[:, 0]).tolist() if ids else []
        return [self._clip(units[i], *held[units[i].recording]) for i in order]

    def _held(self, reviewer: str, recording: str, events: list[Event]) -> tuple[Judgements, set[object]]:
        labels = self._session.label_set(recording)
        said = judgements_of(events, reviewer, recording, labels.notes, labels.sha256)
        return said, heard_clips(events, reviewer, recording, labels.sha256)

    def _clip(self, unit: Unit, said: Judgements, heard: set[object]) -> dict[str, Any]:
        notes = self._session.label_set(unit.recording).notes
        onset = np.rint(notes["onset_s"] * SAMPLE_RATE).astype(np.int64)
        rows = np.flatnonzero((onset >= unit.start_sample) & (onset < unit.end_sample)).tolist()
        return {
            "recording": unit.recording,
            "begin": unit.start_sample,
            "end": unit.end_sample,
            "value": "heard" if (unit.start_sample, unit.end_sample) in heard else None,
            "notes": [
                {**_shown(notes[row]), "row": row, "value": said.notes.get(row, {}).get("value")} for row in rows
            ],
        }

    def stream(self, reviewer: str, key: str) -> Stream:
        """Return the stream of a recording with the tone of one note."""
        return self._stream(reviewer, key)

    def _made_stream(self, reviewer: str, key: str) -> Stream:
        trial, note = self.trial(reviewer, key)
        return Stream(self._session.recording(trial.recording).sound, note)

    def _made_trials(self, reviewer: str) -> dict[str, tuple[Trial, NoteTable]]:
        if self.sample is None or self.sample.unit != "note":
            return {}
        rows = {one: rows_by_place(self._session.label_set(one).notes) for one in self._recordings()}
        found = {}
        for key, trial in trials_for(self.sample, reviewer).items():
            if trial.recording in rows:
                notes = self._session.label_set(trial.recording).notes
                row = found_row(trial.note.model_dump(), rows[trial.recording], notes)
                if row is not None:
                    found[key] = (trial, _moved(notes[row : row + 1], trial.shift_ms or 0))
        return found

    def _recordings(self) -> list[str]:
        drawn = {unit.recording for unit in self.sample.units} if self.sample else set()
        return [one for one in self._session.items if one in drawn]


def _shown(note: np.void) -> dict[str, Any]:
    return {
        "onset": round(float(note["onset_s"]) * SAMPLE_RATE),
        "pitch": pitch_name(int(note["pitch"])),
        "instrument": PROGRAM_NAMES[int(note["program"])],
    }


def _moved(note: NoteTable, shift_ms: int) -> NoteTable:
    moved = note.copy()
    for field in ("onset_s", "offset_s"):
        moved[field] = np.maximum(moved[field] + shift_ms / 1000, 0.0)
    return moved


def _key(event: Event, reviewer: str) -> str | None:
    key = event.get("trial")
    return key if event.get("reviewer") == reviewer and isinstance(key, str) else None
