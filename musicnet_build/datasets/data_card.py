"""The data card: what a dataset is, where it comes from, and how far it can be trusted, as its README."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from musicnet_build.choices import SPLITS
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.programs import PROGRAM_NAMES

if TYPE_CHECKING:
    from musicnet_build.datasets.job import Row
    from musicnet_build.datasets.tables.columns import Entry

_UNKNOWN = "not stated"

_LAYOUT = """\
## What is where

| file | what |
|---|---|
| `train_data/ID.wav`, `test_data/ID.wav` (and `validation_…`) | recordings: mono, 44,100 Hz, IEEE float32 |
| `train_labels/ID.csv`, `test_labels/ID.csv` | notes: times in samples at 44,100 Hz; instrument is the General MIDI \
program + 1; `end_beat` is the note's length in beats |
| `musicnet_metadata.csv` | composer, composition, movement, ensemble, source, length in seconds |
| `quality/ID.json` | how the labels of each recording came to be |
| `splits/` | the ids of each set |
| `left_out.csv`, `left_out/` | recordings that are not in the sets, why, and their labels where there are any |
| `provenance.json` | hashes of all inputs, settings, versions |
| `index.json`, `SHA256SUMS` | paths and checksums |
"""


def data_card(rows: "Sequence[Row]", entries: "Mapping[str, Entry]") -> str:
    """Write the card.

    Parameters
    ----------
    rows : sequence of Row
        How each recording came out.
    entries : mapping
        What the manifest says of each recording, by id.

    Returns
    -------
    str
        Markdown.
    """
    included = [row.id for row in rows if row.included]
    facts = {row.id: row.facts for row in rows}
    seconds = {one: facts[one]["samples"] / SAMPLE_RATE for one in included}
    states = Counter(row.state for row in rows)
    heard: Counter[str] = Counter(entries[row.id].verdict for row in rows if entries[row.id].verdict)
    return "\n".join(
        [
            "# Data card",
            "",
            "Recordings with a label for every note, found by aligning each recording to a rendering of its score. "
            "The files are laid out as those of MusicNet (Thickstun, Harchaoui and Kakade, 2017).",
            "",
            *_totals(rows, entries, seconds),
            "",
            _LAYOUT,
            "## How far the labels can be trusted",
            "",
            f"Of {len(rows)} recordings in the manifest, {_counts(states)}. "
            f"{_by_hand(rows)}{_heard(heard)} How many labels are wrong is what `musicnet-build audit report` says "
            "once people have judged a draw (`musicnet-build audit sample`); `musicnet-build report` shows it in one "
            "page.",
            "",
            *_shares("composer", included, seconds, lambda one: entries[one].composer),
            *_shares("ensemble", included, seconds, lambda one: entries[one].ensemble),
            *_shares("instrument", included, seconds, lambda one: map(_instrument, facts[one]["instruments"])),
            *_shares("source", included, seconds, lambda one: entries[one].source),
            *_shares("licence", included, seconds, lambda one: entries[one].licence),
            *_shares("preset", included, seconds, lambda one: facts[one]["settings"].get("preset") or "labels by hand"),
        ]
    )


def _totals(rows: "Sequence[Row]", entries: "Mapping[str, Entry]", seconds: dict[str, float]) -> list[str]:
    lines = ["| set | recordings | minutes | labels |", "|---|---|---|---|"]
    for split in SPLITS:
        of_split = [row for row in rows if row.included and entries[row.id].split == split]
        minutes = sum(seconds[row.id] for row in of_split) / 60
        if of_split or split != "validation":
            lines.append(
                f"| {split} | {len(of_split)} | {minutes:.1f} | {sum(row.facts['notes'] for row in of_split)} |"
            )
    return lines


def _by_hand(rows: "Sequence[Row]") -> str:
    ids = [row.id for row in rows if row.facts.get("by_hand")]
    if not ids:
        return ""
    return f"The labels of {len(ids)} of them are by hand, or were corrected by hand: {', '.join(ids)}. "


def _counts(counts: "Counter[str]") -> str:
    words = {"accept": "accepted", "review": "in need of review", "reject": "rejected", "failed": "failed"}
    return ", ".join(f"{counts[state]} {word}" for state, word in words.items() if counts[state]) or "none"


def _heard(heard: "Counter[str]") -> str:
    if not heard:
        return "Nobody has listened to them yet."
    return f"Listened to and judged by a person: {_counts(heard)}."


def _shares(title: str, ids: Iterable[str], seconds: dict[str, float], group: Any) -> list[str]:
    """A table of recordings and minutes by group, the largest first."""
    minutes: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for one in ids:
        names = group(one)
        for name in [names] if isinstance(names, str) else names:
            minutes[name or _UNKNOWN] += seconds[one] / 60  # type: ignore[assignment]
            count[name or _UNKNOWN] += 1
    rows = sorted(minutes, key=lambda name: (-minutes[name], name))
    return [
        f"## By {title}",
        "",
        f"| {title} | recordings | minutes |",
        "|---|---|---|",
        *(f"| {name.replace('|', '/')} | {count[name]} | {minutes[name]:.1f} |" for name in rows),
        "",
    ]


def _instrument(number: int) -> str:
    return PROGRAM_NAMES[number - 1]
