"""What the commands that train share: their options, and what is said where PyTorch is missing."""

import contextlib
from collections.abc import Iterator, Mapping

import click

from musicnet_build.choices import BASELINE_PRESETS

preset_option = click.option(
    "--preset", type=click.Choice(BASELINE_PRESETS), default=BASELINE_PRESETS[0], show_default=True,
    help="Size: minutes on two cores, or as published.",
)  # fmt: skip
device_option = click.option(
    "--device", type=click.Choice(("cpu", "cuda")), default="cpu", show_default=True, help="Where to compute."
)


@contextlib.contextmanager
def extra_needed() -> Iterator[None]:
    """Say which extra is missing, where an import in the body fails for it."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("torch", "safetensors"):
            raise
        raise click.UsageError(
            f"this needs the extra `baselines` ({error.name} is missing): pip install 'musicnet_build[baselines]'."
        ) from error


def listed(names: Mapping[str, str]) -> str:
    """Return an epilog of help that lists names and what they are, a line each."""
    width = max(map(len, names))
    return "\b\n" + "\n".join(f"{name:{width}}  {text}" for name, text in names.items())
