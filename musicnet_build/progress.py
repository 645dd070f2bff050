"""How long work tells how far it is: one hook for alignments, builds, packers and generators."""

from typing import Protocol


class Progress(Protocol):
    """Told what is being done, and how much of the whole is done: 0 to 1."""

    def __call__(self, stage: str, fraction: float, /) -> None:
        """Take note of it."""


def ignore(stage: str, fraction: float, /) -> None:
    """Take no note of it: the default where nobody watches."""
