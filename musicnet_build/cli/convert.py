"""``musicnet-build convert``: labels from one format to another."""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="convert")
@click.argument("labels", type=parameters.existing_file)
@parameters.label_outputs_option
@parameters.confidence_option
@parameters.played_option
@parameters.json_option
def command(labels: Path, outputs: tuple[Path, ...], with_confidence: bool, with_played: bool, as_json: bool) -> None:
    """Convert LABELS to other formats; times, pitches and what else each format can hold are kept."""
    parameters.check_outputs([labels], outputs)
    from musicnet_build.labels.files import labelled, read_labels, write_labels
    from musicnet_build.labels.midi import MIDI_ENDINGS
    from musicnet_build.notes import pitched

    notes = read_labels(labels)
    drums = len(notes) - len(pitched(notes))
    duplicates = len(pitched(notes)) - len(labelled(notes))
    files, lines = [], []
    for output in outputs:
        write_labels(output, notes, with_confidence=with_confidence, with_played=with_played)
        holds_all = output.suffix.lower() in MIDI_ENDINGS
        left_out = {"drums": 0, "duplicates": 0} if holds_all else {"drums": drums, "duplicates": duplicates}
        written = len(notes) - sum(left_out.values())
        files.append({"path": str(output), "notes": written, "left_out": left_out})
        lines.append(f"{output}: {written} note{'' if written == 1 else 's'}{_left_out(**left_out)}")
    values = {"outputs": [str(output) for output in outputs], "notes": len(notes), "files": files}
    console.report(values, lines, as_json)


def _left_out(drums: int, duplicates: int) -> str:
    counts = {"drum note": drums, "exact duplicate": duplicates}
    kinds = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items() if count]
    return f" ({' and '.join(kinds)} left out)" if kinds else ""
