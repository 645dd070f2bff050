"""Which program a channel plays when: the program changes of all tracks, laid over each other."""

import bisect
from collections import defaultdict
from collections.abc import Iterable

from musicnet_build.score.midi_file import PROGRAM, Track

Voice = tuple[int, int, int]
"""What strikes and releases keys of its own: track, port, channel."""


class Programs:
    """Which program a note of a track and channel plays.

    The channel belongs to all tracks, so a program change in any of them counts from its tick on. Only where several
    tracks set one channel at the same tick does each track keep its own choice: files with more instruments than
    channels are written so.
    """

    def __init__(self, tracks: Iterable[Track]) -> None:
        at: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)  # (port, channel): program at a tick
        self._own: dict[Voice, dict[int, int]] = defaultdict(dict)
        for t, track in enumerate(tracks):
            for tick, kind, port, channel, program, _ in track.channel_events:
                if kind == PROGRAM:
                    at[port, channel][tick] = program
                    self._own[t, port, channel][tick] = program
        self._changes = {channel: sorted(programs.items()) for channel, programs in at.items()}

    def at(self, tick: int, voice: Voice) -> int:
        changes = self._changes.get(voice[1:], [])
        latest = bisect.bisect_right(changes, tick, key=lambda change: change[0]) - 1
        if latest < 0:
            return 0
        changed_tick, program = changes[latest]
        return self._own.get(voice, {}).get(changed_tick, program)
