"""The columns of a manifest: what a line may say of a recording, and what it may not."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from musicnet_build.choices import ALIGNMENT_PRESETS
from musicnet_build.errors import ScoreError
from musicnet_build.recipe import RecipeSettings
from musicnet_build.remote.urls import shown
from musicnet_build.score.order import read_passages

_Text = Annotated[str, StringConstraints(max_length=1000)]
_Place = Annotated[str, StringConstraints(max_length=4000)]  # signed URLs are long


class Entry(BaseModel):
    """One recording of a manifest.

    Attributes
    ----------
    id : str
        A whole number, as in MusicNet: its loaders take the names of the files for numbers.
    recording, score : str
        Paths from the manifest's folder, or URLs. The score may be missing where there are labels.
    labels : str
        Labels by hand (CSV, MIDI, TSV, JAMS, Audacity), taken as they are; times count from ``start_s``.
    witness : str
        What a transcriber heard in the whole recording (see ``labels.witness``), one more opinion on the onsets.
    split : {"train", "validation", "test"}
    composer, composition, movement, ensemble, source, transcriber, catalog_name : str
        The columns of MusicNet's metadata.
    licence, performer : str
        Of the recording.
    start_s, end_s : float
        The part of the recording to use; all of it by default.
    soundfont, preset : str
        Where this recording needs others than the rest.
    order : str
        The order in which the passages of the score are played, such as ``1-24,9-48``, where it is not as written.
    anchors : str
        A CSV file of places of the score whose time somebody has heard (see ``anchors.read_anchors``); times count from
        ``start_s``.
    transposition : int
        Semitones by which the recording sounds above the score as written.
    tuning_cents : float
        Cents by which the recording is tuned above A = 440 Hz, where that is known; whole semitones of it transpose
        the score, as ``transposition`` does.
    check : str
        Why a person should look at this line before trusting it; empty once that is done.
    paired_by : str
        How ``init`` found the pair: ``name``, or ``content`` with the distance.
    verdict : {"", "accept", "review", "reject"}
        What a person found when listening; counts more than what the program finds.
    reason : str
        Why, in the person's words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    id: Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,8})$")]
    recording: Annotated[_Place, StringConstraints(min_length=1)]
    score: _Place = ""
    split: Literal["train", "validation", "test"] = "train"
    composer: _Text = ""
    composition: _Text = ""
    movement: _Text = ""
    ensemble: _Text = ""
    source: _Text = ""
    transcriber: _Text = ""
    catalog_name: _Text = ""
    licence: _Text = ""
    performer: _Text = ""
    start_s: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    end_s: Annotated[float, Field(gt=0, le=1e6)] | None = None
    soundfont: _Text = ""
    preset: _Text = ""
    order: _Text = ""
    anchors: _Text = ""
    transposition: Annotated[int, Field(ge=-36, le=36)] = 0
    tuning_cents: Annotated[float, Field(ge=-200, le=200)] = 0.0
    labels: _Place = ""
    witness: _Place = ""
    paired_by: _Text = ""
    check: _Text = ""
    verdict: Literal["", "accept", "review", "reject"] = ""
    reason: _Text = ""

    @field_validator("*")
    @classmethod
    def _is_printable(cls, value: Any) -> Any:
        if isinstance(value, str) and not value.isprintable():
            raise ValueError("holds a line break or another control character")
        return value

    @field_validator("preset")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value and value not in ALIGNMENT_PRESETS:
            raise ValueError(f"is none of {', '.join(ALIGNMENT_PRESETS)}")
        return value

    @field_validator("order")
    @classmethod
    def _is_a_playing_order(cls, value: str) -> str:
        if value:
            try:
                read_passages(value)
            except ScoreError as error:
                raise ValueError(str(error).removesuffix(".")) from error
        return value

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Entry":
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"end_s {self.end_s:g} is not after start_s {self.start_s:g}")
        return self

    def named(self, column: str) -> str:
        """Return the file that a column names as it may be shown: of a URL nothing that should be kept secret."""
        return shown(getattr(self, column))

    def settings(self, default: RecipeSettings) -> RecipeSettings:
        """Return how this recording is labelled: as the others, but for what its line says."""
        return replace(
            default,
            preset=self.preset or default.preset,
            soundfont=self.soundfont or default.soundfont,
            order=self.order or default.order,
            transposition=self.transposition,
            tuning_cents=self.tuning_cents,
            start_s=self.start_s,
            end_s=self.end_s,
        )


COLUMNS = tuple(Entry.model_fields)
