"""What a generated MAPS-style corpus is made of: a YAML file, read, checked and completed.

Two recipes come with the package: ``tiny`` (two banks, minutes) and ``maps`` (nine banks, as large as MAPS without its
pieces). docs/formats.md describes every key.
"""

import itertools
import math
import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from musicnet_build.choices import CORPUS_PRESETS
from musicnet_build.corpora.maps import BANK_PATTERN
from musicnet_build.errors import DatasetError
from musicnet_build.labels.pianoroll import PIANO

MAX_RECIPE_BYTES = 2**20
MAX_FILES_PER_BANK = 200_000

Style = Literal["NO", "LG", "ST", "RE", "CH", "CHa", "CHd", "TR1", "TR2"]
Loudness = Literal["P", "M", "F"]
Pedal = Literal["drawn", "both", "off"]

_LOUDNESS: dict[Loudness, tuple[int, int]] = {"P": (36, 44), "M": (60, 68), "F": (88, 96)}


def _rising(ends: tuple[int, int]) -> tuple[int, int]:
    if ends[0] > ends[1]:
        raise ValueError(f"the range {ends[0]} to {ends[1]} is empty")
    return ends


def _not_empty(chord: tuple[int, ...]) -> tuple[int, ...]:
    if chord[0] != 0 or any(b <= a for a, b in itertools.pairwise(chord)) or chord[-1] > PIANO[1] - PIANO[0]:
        raise ValueError("a chord is its rising distances from the lowest note in semitones, such as [0, 4, 7]")
    return chord


_Velocity = Annotated[int, Field(ge=1, le=127)]
_Pitch = Annotated[int, Field(ge=PIANO[0], le=PIANO[1])]
VelocityRange = Annotated[tuple[_Velocity, _Velocity], AfterValidator(_rising)]
PitchRange = Annotated[tuple[_Pitch, _Pitch], AfterValidator(_rising)]
Chord = Annotated[tuple[int, ...], Field(min_length=2, max_length=10), AfterValidator(_not_empty)]


class _Loader(yaml.SafeLoader):
    """YAML 1.2's idea of truth, ``true`` and ``false`` only, so that the style NO is no negation; and no aliases."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        # A few nested aliases stand for billions of values, and no recipe needs one.
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Room(_Part):
    """Reverberation: see :func:`musicnet_build.audio.effects.impulse_response`."""

    decay_s: float = Field(ge=0.05, le=10)
    level_db: float = Field(ge=-60, le=20)


class Bank(_Part):
    """An instrument in a room.

    Attributes
    ----------
    name : str
        Eight letters or digits; ends every file's name.
    soundfont : str or None
        File or name; None takes the best that is installed.
    program : int
        General MIDI program, 0 to 127.
    room : Room or None
        None is dry.
    noise_dbfs : float or None
        RMS level of a noise floor.
    detune_cents : float
        Constant deviation from A4 = 440 Hz.
    gain_db : float
        Applied to everything. A file that would still exceed full scale is turned down by itself.
    """

    name: Annotated[str, Field(pattern=f"^{BANK_PATTERN}$")]
    soundfont: str | None = None
    program: int = Field(default=0, ge=0, le=127)
    room: Room | None = None
    noise_dbfs: float | None = Field(default=None, ge=-120, le=-20)
    detune_cents: float = Field(default=0.0, ge=-200, le=199)
    gain_db: float = Field(default=6.0, ge=-60, le=40)


class Isolated(_Part):
    """Isolated notes (ISOL); ``pedal`` is one drawn state a note as in MAPS, both states, or always off."""

    styles: tuple[Style, ...] = ("NO", "LG", "ST", "RE", "CHa", "CHd", "TR1", "TR2")
    loudness: dict[Loudness, VelocityRange] = Field(default=_LOUDNESS, min_length=1)
    pitches: PitchRange = PIANO
    pitch_step: int = Field(default=1, ge=1, le=87)
    spacings_s: tuple[Annotated[float, Field(ge=0.02, le=2)], ...] = (0.05, 0.1, 0.3)
    pedal: Pedal = "drawn"


class RandomChords(_Part):
    """Random chords (RAND): ``count`` for each polyphony, pitch range and loudness range."""

    polyphony: tuple[Annotated[int, Field(ge=2, le=10)], ...] = (2, 3, 4, 5, 6, 7)
    pitches: tuple[PitchRange, ...] = (PIANO, (36, 95))
    velocities: tuple[VelocityRange, ...] = ((60, 68), (32, 96))
    count: int = Field(default=50, ge=1, le=10_000)
    pedal: Pedal = "drawn"

    @model_validator(mode="after")
    def _enough_pitches(self) -> "RandomChords":
        if any(high - low + 1 < count for low, high in self.pitches for count in self.polyphony):
            raise ValueError("a pitch range has fewer pitches than the polyphony asks for")
        return self


class UsualChords(_Part):
    """Usual chords (UCHO): ``count`` for each chord and loudness range, on roots that are drawn."""

    chords: Literal["all"] | tuple[Chord, ...] = "all"
    velocities: tuple[VelocityRange, ...] = ((60, 68), (32, 96))
    count: int = Field(default=15, ge=1, le=10_000)
    pedal: Pedal = "drawn"


class Recipe(_Part):
    """All of a corpus.

    Attributes
    ----------
    seed : int
        Settles all that is drawn.
    lead_in_s : float
        Silence before the first note.
    banks : tuple of Bank
    isolated, random_chords, usual_chords : or None
        None leaves the category out.
    pieces : tuple of str
        MIDI files, or folders of them, relative to the recipe.
    demo_pieces : bool
        Also play the four excerpts of the package's own demonstration score.
    pieces_per_bank : int, "all" or None
        None deals each piece to one bank, so that no piece is in training and test where banks are held out; a number
        deals so many to each bank in turn, as in MAPS, where banks share some; ``all`` plays all in every bank.
    """

    seed: int = Field(default=2010, ge=0, lt=2**63)
    lead_in_s: float = Field(default=0.5, ge=0.35, le=10)
    banks: tuple[Bank, ...] = Field(min_length=1, max_length=100)
    isolated: Isolated | None = None
    random_chords: RandomChords | None = None
    usual_chords: UsualChords | None = None
    pieces: tuple[str, ...] = ()
    demo_pieces: bool = False
    pieces_per_bank: Annotated[int, Field(ge=1)] | Literal["all"] | None = None

    @model_validator(mode="after")
    def _banks_differ(self) -> "Recipe":
        names = [bank.name for bank in self.banks]
        if len(set(names)) < len(names):
            raise ValueError("two banks have the same name")
        return self


def read_recipe(path_or_preset: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path_or_preset : str or Path
        A YAML file, or one of ``CORPUS_PRESETS``.

    Returns
    -------
    Recipe
        Its pieces are paths that do not depend on where the recipe is.

    Raises
    ------
    DatasetError
        When the file cannot be read or says something that a recipe cannot; the message names the key.
    """
    if path_or_preset in CORPUS_PRESETS:
        source = resources.files("musicnet_build.generation") / "recipes" / f"{path_or_preset}.yaml"
        return _checked(str(path_or_preset), yaml.load(source.read_text(encoding="utf-8"), _Loader))
    path = Path(path_or_preset)
    recipe = _checked(str(path), _content(path))
    return recipe.model_copy(update={"pieces": tuple(str(path.parent / piece) for piece in recipe.pieces)})


def _content(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_RECIPE_BYTES + 1)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    if len(data) > MAX_RECIPE_BYTES:
        raise DatasetError(f"{path}: is larger than {MAX_RECIPE_BYTES >> 20} MiB, too large for a recipe.")
    try:
        return yaml.load(data, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        raise DatasetError(f"{path}: {place}is not YAML ({getattr(error, 'problem', None) or error}).") from error


def _checked(name: str, content: Any) -> Recipe:
    if not isinstance(content, dict):
        raise DatasetError(f"{name}: is no recipe: it must hold keys such as `banks`.")
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        fault = max(error.errors(include_url=False), key=lambda fault: len(_keys(fault["loc"])))
        key = ".".join(_keys(fault["loc"])) or "the recipe"
        raise DatasetError(f"{name}: {key}: {fault['msg'].removeprefix('Value error, ')}.") from error
    if files_per_bank(recipe) > MAX_FILES_PER_BANK:
        raise DatasetError(f"{name}: asks for {files_per_bank(recipe)} files a bank; at most {MAX_FILES_PER_BANK}.")
    return recipe


def _keys(place: tuple[int | str, ...]) -> list[str]:
    """Where a fault lies, without the names of types that pydantic puts in where several are allowed.

    The deepest fault is the cause; those above it (a list that is then too short) are its consequences.
    """
    return [str(step) for step in place if not set(str(step)) & set("[(")]


def files_per_bank(recipe: Recipe) -> int:
    """Return an upper limit of the sounds that a recipe makes in each bank, pieces left out."""
    states = {"drawn": 1, "both": 2, "off": 1}
    total = 0
    if (isolated := recipe.isolated) is not None:
        pitches = len(range(isolated.pitches[0], isolated.pitches[1] + 1, isolated.pitch_step))
        a_style = max(pitches * states[isolated.pedal], len(isolated.spacings_s))
        total += len(isolated.styles) * len(isolated.loudness) * a_style
    if (chords := recipe.random_chords) is not None:
        kinds = math.prod(map(len, (chords.polyphony, chords.pitches, chords.velocities)))
        total += kinds * chords.count * states[chords.pedal]
    if (usual := recipe.usual_chords) is not None:
        kinds = (100 if usual.chords == "all" else len(usual.chords)) * len(usual.velocities)
        total += kinds * usual.count * states[usual.pedal]
    return total
