"""``musicnet-build convert``: labels from one format to another."""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="convert")
@click.argument("labels", type=parameters.existing_file)
@parameters.label_outputs_option
@parameters.confidence_option
@parameters.json_option
def command(labels: Path, outputs: tuple[Path, ...], with_confidence: bool, as_json: bool) -> None:
    """Convert LABELS to other formats; times, pitches and what else each format can hold are kept."""
    parameters.check_outputs([labels], outputs)
    from musicnet_build.labels.files import labelled, read_labels, write_labels

    notes = read_labels(labels)
    left_out = len(notes) - len(labelled(notes))
    if left_out and any(output.suffix.lower() not in (".mid", ".midi") for output in outputs):
        console.warn([f"{left_out} of {len(notes)} notes, drums and exact duplicates, are written to MIDI files only."])
    for output in outputs:
        write_labels(output, notes, with_confidence=with_confidence)
    console.report(
        {"outputs": [str(output) for output in outputs], "notes": len(notes)},
        [f"{output}: {len(notes)} notes" for output in outputs],
        as_json,
    )
