"""The one exception tree: everything that can go wrong in a way the user can mend.

Each message is one plain sentence that names the file or value, says what is wrong with it and, where it is not
obvious, what to do. The command line prints it as it stands; nothing else in the package prints.
"""

NO_SPACE_LEFT = "there is no space left on the disk: make room and run again."
"""What is said of a full disk or quota."""


class MusicnetBuildError(Exception):
    """Base of all errors that this package raises on purpose."""


class ScoreError(MusicnetBuildError):
    """A MIDI file cannot be read as a score."""


class AudioError(MusicnetBuildError):
    """A sound file cannot be read, or is not fit to be labelled."""


class SoundfontError(MusicnetBuildError):
    """No usable soundfont, no FluidSynth library, or a preset that is missing."""


class AlignmentError(MusicnetBuildError):
    """A recording and a score cannot be aligned."""


class LabelError(MusicnetBuildError):
    """A label file cannot be read or written."""


class ManifestError(MusicnetBuildError):
    """A manifest is invalid."""


class DatasetError(MusicnetBuildError):
    """A dataset folder or package cannot be read or written."""


class TrainingError(MusicnetBuildError):
    """A network cannot be trained, or a training cannot be read."""
