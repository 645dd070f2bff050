from .files import check_ending as check_ending
from .files import labelled as labelled
from .files import read_labels as read_labels
from .files import write_labels as write_labels
from .midi import to_pretty_midi as to_pretty_midi
from .pianoroll import label_frames as label_frames
from .pianoroll import label_rolls as label_rolls
