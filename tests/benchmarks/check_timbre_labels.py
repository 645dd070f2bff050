"""Do the labels of a timbre package say what sounds? Every frame of an ascension is checked, those of pairs too.

    python tests/benchmarks/check_timbre_labels.py SET PACKAGE

Each instrument of each piece is rendered again by itself, after it has been made sure that these parts together are
the piece, sample for sample up to rounding. In every frame in which no note of an instrument begins or ends, the pitch
with the strongest evidence in its part alone is compared with its label, and where it is absent its part must be
silent.
"""

import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator

import h5py
import numpy as np
import soxr
from numpy.typing import NDArray

from musicnet_build.audio.io import read_audio
from musicnet_build.audio.loudness import level_dbfs
from musicnet_build.corpora.timbre_set import Piece, TimbreSet, read_set
from musicnet_build.generation.ascension import AscensionSettings, plan_ascension
from musicnet_build.generation.preset_check import AUDIBLE_DBFS, strongest_pitch
from musicnet_build.generation.rendering import PlannedPiece, mixed, stem_sounds
from musicnet_build.notes import SAMPLE_RATE as RENDERED_HZ
from musicnet_build.packing.timbre.frames import ABSENT
from musicnet_build.packing.timbre.images import TIMBRE_SAMPLE_RATE
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import find_soundfonts

Audio = NDArray[np.float32]


def planned_again(source: TimbreSet) -> dict[str, PlannedPiece]:
    """Return the plan of the set by the names of its pieces; in which order its soundfonts were given is not kept."""
    used = {font["sha256"] for font in source.soundfonts}
    fonts = [font for font in find_soundfonts() if font.sha256() in used]
    settings = AscensionSettings(source.instruments, **source.settings)
    records = {piece.name: source.folder / "records" / f"{piece.name}.json" for piece in source.pieces}
    made = {name: json.loads(path.read_text())["fingerprint"] for name, path in records.items()}
    for order in itertools.permutations(fonts):
        pieces = {piece.name: piece for piece in plan_ascension(order, settings).pieces}
        if all(made[name] == piece.fingerprint() for name, piece in pieces.items()):
            return pieces
    raise SystemExit(f"{source.folder} was not made with the soundfonts of this machine.")


def sounds(source: TimbreSet, piece: Piece, plan: PlannedPiece) -> dict[str, Audio]:
    """Return what each instrument of a piece plays, rendered alone; those without notes are left out."""
    score = read_score(source.folder / "midi" / f"{piece.name}.mid")
    parts: dict[str, list[Audio]] = {}
    for stem, sound in zip(plan.stems, stem_sounds(plan, score), strict=True):
        parts.setdefault(stem.instrument, []).append(sound)
    return {name: mixed(own) for name, own in parts.items()}


def checked(
    source: TimbreSet, file: h5py.File, place: int, parts: dict[str, Audio]
) -> Iterator[tuple[str, int, bool | None]]:
    """Yield instrument, label and whether it is right of every frame of a piece; None where a note begins or ends."""
    length = int(file.attrs["frame_length"])
    frames = np.flatnonzero(file["piece"][...] == place)
    start, pitch, boundary = (file[name][...][frames] for name in ("start_sample", "pitch", "boundary"))
    for i, instrument in enumerate(source.instruments):
        part = parts.get(instrument.name, np.zeros(0, np.float32))
        audio = np.pad(soxr.resample(part, RENDERED_HZ, TIMBRE_SAMPLE_RATE), (0, int(start.max()) + length))
        for at, label, crossed in zip(start.tolist(), pitch[:, i].tolist(), boundary[:, i], strict=True):
            sound = audio[at : at + length]
            yield instrument.name, label, None if crossed else _is_right(sound, label)


def _is_right(sound: Audio, label: int) -> bool:
    return level_dbfs(sound) < AUDIBLE_DBFS if label == ABSENT else strongest_pitch(sound, TIMBRE_SAMPLE_RATE) == label


def main(folder: str, package: str) -> None:
    """Print how many frames are labelled with what is heard, by part of the set and instrument."""
    source = read_set(folder)
    plan = planned_again(source)
    agreed: Counter[tuple[str, str, bool | None]] = Counter()
    with h5py.File(package) as file:
        for place, piece in enumerate(source.pieces):
            parts = sounds(source, piece, plan[piece.name])
            if not np.allclose(mixed(list(parts.values())), read_audio(source.audio_path(piece)), rtol=0, atol=1e-6):
                raise SystemExit(f"{piece.name} is not the sum of its parts.")
            for instrument, label, right in checked(source, file, place, parts):
                agreed[piece.subset, f"{instrument}{' absent' if label == ABSENT else ''}", right] += 1
    for subset, who in dict.fromkeys((subset, who) for subset, who, _ in agreed):
        right, wrong, crossed = (agreed[subset, who, kind] for kind in (True, False, None))
        share = right / max(right + wrong, 1)
        print(f"{subset:20} {who:16} {right} of {right + wrong} ({share:.2%}); {crossed} with a boundary left out")


if __name__ == "__main__":
    main(*sys.argv[1:3])
