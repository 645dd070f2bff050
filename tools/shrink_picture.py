"""Write a copy of a PNG picture with 160 colours, small enough for a repository: shrink_picture.py FROM TO."""

import sys
from pathlib import Path

from PIL import Image

COLOURS = 160


def main(source: str, target: str) -> None:
    """Read one picture, write the other."""
    picture = Image.open(source).convert("RGB")
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    # Maximum coverage keeps colours that are rare, as that of the path.
    shrunk = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    shrunk.save(target, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
