"""``musicnet-build score``: what is in a score."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.score.beats import RepeatedSection
    from musicnet_build.score.reader import Score


@click.group(name="score")
def command() -> None:
    """Inspect a score. Every command takes --json."""


@command.command(name="info")
@click.argument("score", type=parameters.existing_file)
@parameters.json_option
def info(score: Path, as_json: bool) -> None:
    """Show what SCORE holds: length, instruments, tempo, metre, notes lost in reading, repeats.

    SCORE is a MIDI file; with the extra `musicxml` also MusicXML, MEI or Humdrum, of which the order of the measures
    is shown, too.
    """
    from musicnet_build.score.reader import read_score

    music = read_score(score)
    console.warn(music.warnings)
    values = {"path": str(score), "name": music.name, **_contents(music)}
    console.report(values, _lines(values), as_json)


def _contents(music: "Score") -> dict[str, Any]:
    from musicnet_build.score.beats import end_beats, measure_starts, repeated_sections
    from musicnet_build.score.order import passage_name

    tempo = music.tempo_map
    return {
        "duration_s": music.duration_s,
        "beats": end_beats(music),
        "measures": len(measure_starts(music)),
        "played": passage_name(music, 0.0, end_beats(music)) if music.measures else None,
        "notes": len(music.notes),
        "lost_notes": dataclasses.asdict(music.lost),
        "guessed_ends": dataclasses.asdict(music.guessed),
        "uncertain_share": music.uncertain_share,
        "parts": _parts(music),
        "tempo_changes": [
            {"beats": float(beats), "quarters_per_minute": 60.0 / float(slowness)}
            for beats, slowness in zip(tempo.beats, tempo.seconds_per_beat, strict=True)
        ],
        "metre_changes": [dataclasses.asdict(signature) for signature in music.time_signatures],
        "repeats": [
            {**dataclasses.asdict(section), **_in_words(music, section)} for section in repeated_sections(music)
        ],
        "warnings": list(music.warnings),
    }


def _in_words(music: "Score", section: "RepeatedSection") -> dict[str, str]:
    from musicnet_build.score.order import passage_name

    length_beats = section.end_beats - section.start_beats
    return {
        "passage": passage_name(music, section.start_beats, section.end_beats),
        "again": passage_name(music, section.again_beats, section.again_beats + length_beats),
    }


def _parts(music: "Score") -> list[dict[str, Any]]:
    from musicnet_build.score.programs import PROGRAM_NAMES

    counts = [int((music.notes["part"] == part).sum()) for part in range(len(music.parts))]
    return [
        {
            "name": part.name,
            "program": part.program,
            "instrument": "drums" if part.is_drum else PROGRAM_NAMES[part.program],
            "notes": count,
        }
        for part, count in zip(music.parts, counts, strict=True)
    ]


def _lines(values: dict[str, Any]) -> list[str]:
    measures = f", {values['measures']} measures" if values["measures"] else ", no measures stated"
    minutes, seconds = divmod(round(values["duration_s"]), 60)
    lost, guessed = (sum(values[key].values()) for key in ("lost_notes", "guessed_ends"))
    return [
        f"name      {values['name']}",
        f"length    {minutes}:{seconds:02d}, {values['beats']:.7g} beats{measures}",
        f"notes     {values['notes']}, {lost} lost in reading, {guessed} with a guessed end",
        *([f"played    {values['played']}"] if values["played"] else []),
        *(_titled("parts", [_part_line(part) for part in values["parts"]])),
        *(_titled("tempo", _changes([_tempo_line(change) for change in values["tempo_changes"]]))),
        *(_titled("metre", _changes([_metre_line(change) for change in values["metre_changes"]]) or ["none stated"])),
        *(_titled("repeats", [_repeat_line(repeat) for repeat in values["repeats"]] or ["none found"])),
    ]


_MOST_CHANGES = 12


def _changes(lines: list[str]) -> list[str]:
    """The first few: a score played in by hand changes its tempo at every beat."""
    rest = len(lines) - _MOST_CHANGES
    return [*lines[:_MOST_CHANGES], f"and {rest} more (all with --json)"] if rest > 0 else lines


def _tempo_line(change: dict[str, float]) -> str:
    return f"{change['quarters_per_minute']:.4g} quarters a minute from beat {change['beats']:.7g}"


def _part_line(part: dict[str, Any]) -> str:
    named = f" ({part['name']})" if part["name"] and part["name"] != part["instrument"] else ""
    return f"{part['instrument']}{named}, {part['notes']} notes"


def _metre_line(change: dict[str, Any]) -> str:
    return f"{change['numerator']}/{change['denominator']} from beat {change['beats']:.7g}"


def _repeat_line(repeat: dict[str, Any]) -> str:
    alike = "" if repeat["share"] == 1.0 else f" ({100 * repeat['share']:.0f} % of the beats alike)"
    return f"{repeat['passage']}, again as {repeat['again']}{alike}"


def _titled(title: str, lines: list[str]) -> list[str]:
    return [f"{title if i == 0 else '':9} {line}" for i, line in enumerate(lines)]
