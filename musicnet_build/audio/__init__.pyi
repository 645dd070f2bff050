from .container import AudioInfo as AudioInfo
from .integrity import check_complete as check_complete
from .io import audio_blocks as audio_blocks
from .io import audio_info as audio_info
from .io import read_audio as read_audio
from .io import write_audio as write_audio
