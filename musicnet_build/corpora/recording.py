"""A labelled recording, whatever corpus it is from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from musicnet_build.choices import SPLITS as SPLITS


@dataclass(frozen=True)
class Recording:
    """A sound file and its labels.

    Attributes
    ----------
    name : str
        Unique in its corpus, without slashes; the id in MusicNet.
    audio : Path
    labels : Path
        A .txt file of MAPS, a MIDI file played on one keyboard, or a MusicNet CSV.
    bank : str
        Instrument and room in MAPS, the year in MAESTRO, ``musicnet`` in MusicNet.
    category : str
        Of MAPS; ``MUS`` elsewhere.
    piece : str
        Equal where the same piece is played.
    split : str
        One of ``SPLITS`` where the corpus says so, else empty.
    metadata : mapping of str to str
        What the corpus tells of the recording, under MusicNet's names; empty where it tells nothing.
    """

    name: str
    audio: Path
    labels: Path
    bank: str
    category: str
    piece: str
    split: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The name, as MusicNet calls it."""
        return self.name

    @property
    def title(self) -> str:
        """Composition and movement, as far as the corpus tells them."""
        return ": ".join(filter(None, (self.metadata.get(name, "") for name in ("composition", "movement"))))

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that it consists of."""
        return {"audio": self.audio, "labels": self.labels}

    @property
    def facts(self) -> dict[str, object]:
        """All that is known of it but its files, as plain values."""
        names = ("name", "bank", "category", "piece", "split")
        return {name: getattr(self, name) for name in names} | {"metadata": dict(self.metadata)}
