"""Labels as MIDI files in the places in which users of MusicNet-EM and of spectrogram diffusion look for them."""

from collections.abc import Sequence
from pathlib import Path

from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.recording import Recording
from musicnet_build.labels.files import write_labels


def write_em(recordings: Sequence[Recording], folder: Path) -> list[Path]:
    """Write ``musicnet_em/ID.mid`` of every recording, and the same again as ``{train,…}_labels_midi/ID.mid``.

    Parameters
    ----------
    recordings : sequence of Recording
    folder : Path

    Returns
    -------
    list of Path
        The folders that were written to.
    """
    for recording in recordings:
        notes = read_notes(recording)
        for place in ("musicnet_em", f"{recording.split or 'train'}_labels_midi"):
            write_labels(folder / place / f"{recording.name}.mid", notes)
    splits = sorted({recording.split or "train" for recording in recordings})
    return [folder / "musicnet_em", *(folder / f"{split}_labels_midi" for split in splits)]
