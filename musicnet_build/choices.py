"""The values that options may take, for the rooms that act on them and the commands that offer them.

Without imports, so that ``--help`` need not load the rooms.
"""

ALIGNMENT_PRESETS = ("precise", "musicnet")
"""Recipes of ``alignment.align``, the default first."""

BASELINES = {
    "musicnet-linear": "musicnet",
    "musicnet-mlp": "musicnet",
    "musicnet-avgpool": "musicnet",
    "musicnet-cnn": "musicnet",
    "label-noise": "label_noise",
    "label-noise-100": "label_noise",
    "transcriber": "transcriber",
    "reconstruction": "reconstruction",
    "reconstruction-baseline": "reconstruction",
    "thumbnails": "thumbnails",
    "thumbnails-simple": "thumbnails",
    "timbre": "timbre",
    "timbre-deep": "timbre",
}
"""Models of ``baselines.models``, and the module that describes each."""

BASELINE_PRESETS = ("small", "paper")
"""Sizes of models and studies: minutes on two cores, and those of the publication; the default first."""

CORPUS_PRESETS = ("tiny", "studies", "maps", "maps-names")
"""Recipes of piano corpora that come with the package."""

CORPUS_AUDIO = ("wav", "flac")
"""How the sounds of piano corpora are written, the default first."""

LABELLINGS = ("a", "b", "c", "d", "d_ceil", "e", "f")
"""Labelling functions; ``labels.pianoroll`` says what each does."""

MAPS_CATEGORIES = ("ISOL", "RAND", "UCHO", "MUS")
"""Isolated sounds, random chords, usual chords and pieces of music."""

NOTESEQUENCE_AUDIO = ("samples", "wav")
"""How examples beside NoteSequences hold their sound, the default first."""

PUBLISHED_SPLITS = ("paper", "second-release")
"""Publications of MusicNet that name test recordings."""

SAMPLE_FORMATS = ("float32", "int16")
"""How a MusicNet HDF5 file stores audio."""

THUMBNAIL_SIZES = (24, 32, 48, 64, 96, 128)
THUMBNAIL_SPECTRA = ("cqt", "stft")

TIMBRE_FRAME_LENGTHS = (8192, 4096, 2048)
"""Samples of a frame of the timbre package, the default first."""

TIMBRE_HOPS = (32, 512, 1024)
TIMBRE_SPECTROGRAMS = ("log", "mel", "cqt")
TIMBRE_STORAGES = ("colour", "float")

SPLITS = ("train", "validation", "test")
"""What a recording of a dataset is for."""

ADAPTATIONS = ("recording", "collection")
"""What the onset network learns from, the default first."""

STUDIES = {
    "musicnet": "Learned features of music: Thickstun et al. 2017.",
    "label-noise": "How labels are put on frames: Kelz and Widmer 2018.",
    "labels": "Do better labels make better transcribers?",
    "reconstruction": "Transcribers that give the spectrogram back: Cheuk et al. 2020.",
    "thumbnails": "Single notes from small pictures: Cen and Jiang.",
    "timbre": "Which instrument plays which pitch: Albarosa.",
}
"""Experiments of ``baselines.studies``, each a module."""

STRUCTURES = ("search", "never")
"""Whether an alignment finds out which passages of the score were left out or played again, the default first."""

VERDICTS = ("accept", "review", "reject")
"""On a recording's labels, the best first."""

VELOCITIES = ("score", "recording")
"""Where the velocities of labels come from."""
