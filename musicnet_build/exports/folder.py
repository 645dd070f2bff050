"""``write_exports``: a folder with everything that an alignment knows besides its labels."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from musicnet_build.alignment import Alignment
from musicnet_build.errors import MusicnetBuildError, ScoreError
from musicnet_build.exports import beats, midi, musicxml, note_tables
from musicnet_build.exports.names import AS_PLAYED_XML, EXPORTS, TEMPO_MAPPED
from musicnet_build.exports.performed import PerformedScore, performed_score
from musicnet_build.files import read_bounded, replacing
from musicnet_build.score.beats import TOLERANCE_BEATS, end_beats, measure_starts, measures_of
from musicnet_build.score.model import Score
from musicnet_build.score.notation import MAX_NOTATION_BYTES
from musicnet_build.score.order import PlayingOrder


def write_exports(
    folder: str | os.PathLike[str], alignment: Alignment, written: Score, score_path: str | os.PathLike[str]
) -> tuple[list[Path], tuple[str, ...]]:
    """Write what an alignment knows: beats, MIDI with the bar lines of the music, the score as played, note tables.

    Parameters
    ----------
    folder : str or PathLike
        Made where it is missing; files of these names in it are replaced.
    alignment : Alignment
    written : Score
        The score that was aligned, in the order in which it is written.
    score_path : str or PathLike
        Its file: MusicXML is written out as MusicXML.

    Returns
    -------
    list of Path
        The files written.
    tuple of str
        Why a file that might be expected is missing, a sentence each.

    Examples
    --------
    >>> import musicnet_build as mb
    >>> from musicnet_build.exports.folder import write_exports
    >>> score = mb.read_score("score.mid")
    >>> alignment = mb.align(mb.read_audio("recording.flac"), score, mb.choose_soundfont("TimGM6mb"))
    >>> paths, remarks = write_exports("known", alignment, score, "score.mid")
    >>> sorted(path.name for path in paths)[:4]
    ['align.csv', 'alignment.match', 'as_played.mid', 'beats.csv']
    >>> print(open("known/beats.csv").readline().strip())
    time_s,measure,beat,is_downbeat,score_beats,notes
    """
    performed = performed_score(alignment, written)
    contents, remarks = dict(_texts(performed, Path(score_path).stem)), []
    contents["as_played.mid"] = midi.score_midi(performed.score)
    try:
        contents[TEMPO_MAPPED] = midi.tempo_mapped_midi(performed)
    except MusicnetBuildError as error:
        remarks.append(f"{TEMPO_MAPPED} is not written: {error}")
    if Path(score_path).suffix.lower() in musicxml.SUFFIXES:
        try:
            contents[AS_PLAYED_XML] = _musicxml(alignment, written, performed, Path(score_path)).encode()
        except MusicnetBuildError as error:
            remarks.append(f"{AS_PLAYED_XML} is not written: {error}")
    paths = [Path(folder) / name for name in EXPORTS if name in contents]
    for path, name in zip(paths, (name for name in EXPORTS if name in contents), strict=True):
        with replacing(path) as temporary:
            temporary.write_bytes(contents[name])
    return paths, tuple(remarks)


def _musicxml(alignment: Alignment, written: Score, performed: PerformedScore, path: Path) -> str:
    if alignment.warping.order and not _in_whole_measures(alignment.warping.order, written):
        raise ScoreError("a passage begins or ends inside a measure.")
    data = read_bounded(path, MAX_NOTATION_BYTES, what="a score", error=ScoreError)
    return musicxml.score_as_played(data, performed.measures, len(set(measures_of(written).written.tolist())))


def _in_whole_measures(order: PlayingOrder, written: Score) -> bool:
    bars = np.append(measure_starts(written), end_beats(written))
    edges = [edge for span in order.spans for edge in (span.start_beats, span.end_beats)]
    return all(np.abs(bars - edge).min() < TOLERANCE_BEATS for edge in edges)


def _texts(performed: PerformedScore, name: str) -> Iterator[tuple[str, bytes]]:
    counted = beats.beats_of(performed)
    yield "beats.csv", beats.beats_csv(counted).encode()
    yield "measures.csv", beats.measures_csv(performed).encode()
    yield "alignment.match", note_tables.match_file(performed, name).encode()
    yield "note_alignment.tsv", note_tables.note_alignment_tsv(performed).encode()
    for file, text in note_tables.parangonada(performed).items():
        yield f"parangonada/{file}", text.encode()
    levels = {
        "notes": beats.note_marks(performed),
        "events": beats.event_marks(performed),
        "beats": beats.beat_marks(counted),
    }
    for level, marks in levels.items():
        yield f"sonic_visualiser/{level}.csv", beats.sonic_visualiser(marks).encode()
        yield f"audacity/{level}.txt", beats.audacity(marks).encode()
