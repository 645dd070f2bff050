from .alignment import Alignment as Alignment
from .alignment import align as align
from .audio.io import read_audio as read_audio
from .audio.io import write_audio as write_audio
from .checking.check import Check as Check
from .checking.check import check_labels as check_labels
from .checking.refine import Refined as Refined
from .checking.refine import refine_labels as refine_labels
from .datasets.reader import Dataset as Dataset
from .dtw.exact import WarpingPath as WarpingPath
from .dtw.exact import dtw as dtw
from .labelling import LabelledRecording as LabelledRecording
from .labelling import label as label
from .labels.files import read_labels as read_labels
from .labels.files import write_labels as write_labels
from .score.reader import Score as Score
from .score.reader import read_score as read_score
from .synthesis.render import synthesize as synthesize
from .synthesis.soundfonts import choose_soundfont as choose_soundfont

__version__: str
