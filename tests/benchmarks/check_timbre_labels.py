"""Do the labels of a timbre package say what sounds? Measures it on frames in which one instrument plays.

    python tests/benchmarks/check_timbre_labels.py SET PACKAGE

For every frame of one instrument alone the pitch with the strongest evidence is compared with the label; frames in
which the instrument begins or ends a note are left out. Frames of a pair are checked through the parts played alone:
in a set every part is rendered by itself, so what is absent adds nothing.
"""

import sys

import h5py
import numpy as np

from musicnet_build.audio import read_audio
from musicnet_build.datasets.audition import AUDIBLE_DBFS, level_dbfs, strongest_pitch
from musicnet_build.datasets.timbre_frames import ABSENT
from musicnet_build.datasets.timbre_images import SAMPLE_RATE
from musicnet_build.datasets.timbre_set import read_set


def main(folder: str, package: str) -> None:
    """Print the share of frames whose label is the pitch heard."""
    source = read_set(folder)
    with h5py.File(package) as file:
        pitch, start, piece = file["pitch"][...], file["start_sample"][...], file["piece"][...]
        boundary, length = file["boundary"][...].any(axis=1), int(file.attrs["frame_length"])
    silent_wrong = 0
    for i, instrument in enumerate(source.instruments):
        checked = agreed = 0
        others = np.delete(pitch, i, axis=1)
        for place, each in enumerate(source.pieces):
            frames = np.flatnonzero((piece == place) & ~boundary & (others == ABSENT).all(axis=1))
            if not len(frames) or each.subset != f"{instrument.name}_alone":
                continue
            audio = read_audio(source.audio_path(each), SAMPLE_RATE)
            for frame in frames:
                sound = audio[start[frame] : start[frame] + length]
                if pitch[frame, i] == ABSENT:
                    silent_wrong += level_dbfs(sound) >= AUDIBLE_DBFS
                else:
                    checked += 1
                    agreed += strongest_pitch(sound, SAMPLE_RATE) == pitch[frame, i]
        print(f"{instrument.name}: {agreed} of {checked} frames agree ({agreed / max(checked, 1):.2%})")
    print(f"frames labelled silent in which something sounds: {silent_wrong}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
