"""Write a copy of a PNG picture with 64 colours, small enough for a repository: shrink_picture.py FROM TO."""

import sys
from pathlib import Path

from PIL import Image

COLOURS = 64


def main(source: str, target: str) -> None:
    """Read one picture, write the other."""
    picture = Image.open(source).convert("RGB")
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
