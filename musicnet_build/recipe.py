"""What decides the labels of a recording besides the bytes of its files: one object from the command to the record.

A command fills it from its options, a manifest from its columns; ``labelling.label`` works by it, and a job is made
again where it differs from what the record names. What only decides how results are *shown* (columns, clips, pictures)
is no part of it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from musicnet_build.choices import ALIGNMENT_PRESETS, STRUCTURES
from musicnet_build.errors import AlignmentError


@dataclass(frozen=True)
class RecipeSettings:
    """How a recording is labelled.

    Attributes
    ----------
    preset : str
        One of ``choices.ALIGNMENT_PRESETS``.
    soundfont : str or None
        Name or file; None takes the best one found.
    strict : bool
        Fail where the soundfont lacks a preset that the score asks for.
    structure : {"search", "never"}
        Whether to find out which passages were left out or played again.
    order : str
        The order in which the passages of the score are played, such as ``1-24,9-48``, where it is known.
    anchors : str
        Places of the score whose time in the recording somebody has heard, such as ``12.5=33:1``, with commas between.
    transposition : int
        Semitones by which the recording sounds above the score as written.
    tuning_cents : float
        Cents by which the recording is tuned above A4 = 440 Hz, where it is known; whole semitones of it transpose the
        score, as ``transposition`` does.
    start_s, end_s : float
        The part of the recording to label; all of it by default.
    witness_offsets : bool
        Let piano notes end where a witness hears them end.

    Raises
    ------
    AlignmentError
        When a value is none of those that may be chosen.

    Examples
    --------
    >>> RecipeSettings(preset="musicnet").deciding()["preset"]
    'musicnet'
    >>> RecipeSettings(preset="exact")
    Traceback (most recent call last):
    musicnet_build.errors.AlignmentError: preset 'exact' is not known: choose from precise, musicnet.
    """

    preset: str = ALIGNMENT_PRESETS[0]
    soundfont: str | None = None
    strict: bool = False
    structure: str = STRUCTURES[0]
    order: str = ""
    transposition: int = 0
    tuning_cents: float = 0.0
    start_s: float = 0.0
    end_s: float | None = None
    anchors: str = ""
    witness_offsets: bool = False

    def __post_init__(self) -> None:
        for name, choices in (("preset", ALIGNMENT_PRESETS), ("structure", STRUCTURES)):
            if getattr(self, name) not in choices:
                raise AlignmentError(f"{name} {getattr(self, name)!r} is not known: choose from {', '.join(choices)}.")
        if self.start_s < 0 or (self.end_s is not None and self.end_s <= self.start_s):
            raise AlignmentError(f"there is no recording from {self.start_s:g} s to {self.end_s:g} s.")

    def deciding(self) -> dict[str, Any]:
        """Return the settings as plain values, for a record; the soundfont is named by its bytes instead."""
        values = asdict(self)
        if not self.anchors:
            del values["anchors"]  # records without any stay as they were
        return {name: value for name, value in values.items() if name != "soundfont"}
