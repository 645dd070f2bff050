"""Tests of the error rate from judgements to the sentence that can be quoted."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from judged_dataset import event, is_wrong, made_dataset, note_event, true_rate

from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.listening.catalogue import dataset_catalogue
from musicnet_build.listening.judgements import Event
from musicnet_build.listening.label_set import read_label_set
from musicnet_build.listening.rating.error_rate import error_rate
from musicnet_build.listening.rating.heard import heard_of
from musicnet_build.listening.rating.sample_file import Sample, drawn_sample
from musicnet_build.listening.rating.text import lines, sentence


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_dataset(tmp_path_factory.mktemp("rated") / "set")


def sampled(dataset: Path, count: int = 200) -> Sample:
    return drawn_sample(dataset_catalogue(dataset), "note", count, 1)


def note_events(dataset: Path, sample: Sample, reviewer: str = "ada", **said: str) -> list[Event]:
    return [
        note_event(number, dataset, unit.recording, unit.note.row, reviewer=reviewer, **said)
        for number, unit in enumerate(sample.units)
        if unit.note
    ]


def report_of(dataset: Path, sample: Sample, events: list[Event], accept_below: float | None = None) -> dict[str, Any]:
    labels = {item.id: read_label_set(item, 0) for item in dataset_catalogue(dataset).items}
    return error_rate(heard_of(sample, events, labels), events, accept_below)


def test_the_estimate_makes_up_for_drawing_doubtful_notes_more_often(dataset: Path) -> None:
    sample = sampled(dataset)
    report = report_of(dataset, sample, note_events(dataset, sample))
    counted = report["rate"]["wrong"] / report["rate"]["notes"]
    assert counted > 1.3 * true_rate(dataset)
    assert report["rate"]["low"] < true_rate(dataset) < report["rate"]["high"]
    assert report["rate"]["value"] == pytest.approx(true_rate(dataset), abs=0.025)
    assert report["judged"] == 200
    assert report["by_kind"]["tone_late"] == report["rate"]
    assert report["by_kind"]["not_played"]["wrong"] == 0
    assert sum(row["notes"] for row in report["by_confidence"]) == 200
    assert sum(row["notes"] for row in report["by_instrument"].values()) == 200
    assert set(report["by_instrument"]) == {"violin", "cello"}


def test_nothing_judged_is_no_rate_and_no_failure(dataset: Path) -> None:
    report = report_of(dataset, sampled(dataset), [], 0.05)
    assert report["rate"]["value"] is None
    assert report["judged"] == 0
    assert lines(report) == [sentence(report)]


def test_part_of_the_draw_gives_a_wider_interval(dataset: Path) -> None:
    sample = sampled(dataset)
    events = note_events(dataset, sample)
    some, all_of_them = report_of(dataset, sample, events[::5]), report_of(dataset, sample, events)
    widths = [report["rate"]["high"] - report["rate"]["low"] for report in (some, all_of_them)]
    assert widths[0] > 1.5 * widths[1]
    assert "160 of 200 are not judged yet" in lines(some)


def test_two_reviewers_are_compared_and_the_pessimist_is_named(dataset: Path) -> None:
    sample = sampled(dataset)
    ada = note_events(dataset, sample)
    ben = [
        one | {"value": "tone_early"} if i % 10 == 0 else one
        for i, one in enumerate(note_events(dataset, sample, "ben"))
    ]
    report = report_of(dataset, sample, ada + ben)
    assert report["pessimistic"]["reviewer"] == "ben"
    each = [rate["value"] for rate in report["by_reviewer"].values()]
    assert report["rate"]["value"] == pytest.approx(sum(each) / 2, abs=1e-4)
    assert report["pessimistic"]["value"] == max(each)
    (pair,) = report["agreement"]
    assert pair["reviewers"] == ["ada", "ben"]
    assert pair["raw"][1] < 0.93 < pair["raw"][2]
    assert report["corrected"] is None
    assert any("the more pessimistic reviewer" in line for line in lines(report))


def test_judgements_survive_a_rebuild_and_those_on_moved_labels_do_not_count(dataset: Path, tmp_path: Path) -> None:
    sample = sampled(dataset)
    events = note_events(dataset, sample)
    rebuilt = Path(shutil.copytree(dataset, tmp_path / "set"))
    labels = rebuilt / "train_labels" / "1.csv"
    notes = read_labels(labels)
    notes["onset_s"][100:] += 0.05
    write_labels(labels, notes[5:], with_confidence=True)
    report = report_of(rebuilt, sample, events)
    moved = sum(
        unit.recording == "1" and unit.note is not None and not 5 <= unit.note.row < 100 for unit in sample.units
    )
    assert report["judged"] == 200 - moved
    assert report["stale"] == moved > 0


def test_clips_count_all_their_labels_once_they_were_heard(dataset: Path) -> None:
    sample = drawn_sample(dataset_catalogue(dataset), "clip", 12, 1, seconds=10)
    events: list[Event] = []
    for unit in sample.units[:10]:
        span = {"start_sample": unit.start_sample, "end_sample": unit.end_sample}
        events.append(event(len(events), dataset, unit.recording, "clip", **span))
    notes = read_labels(dataset / "train_labels" / "1.csv")
    events += [note_event(1000 + row, dataset, "1", row) for row in range(len(notes)) if is_wrong(notes, row)]
    events.append(event(999, dataset, sample.units[0].recording, "missing", at_sample=sample.units[0].start_sample))
    report = report_of(dataset, sample, events)
    assert report["judged"] == 10
    assert 300 < report["rate"]["notes"] < 360
    assert report["rate"]["wrong"] > 0
    assert report["missing"]["wrong"] == 1
    assert report["missing"]["notes"] == report["rate"]["notes"] + 1
    assert "10 clips of 10 s" in sentence(report)


def test_acceptance_is_said_in_plain_words(dataset: Path) -> None:
    sample = sampled(dataset)
    good = report_of(dataset, sample, note_events(dataset, sample, value="fine"), 0.05)
    assert good["acceptance"]["accepted"]
    assert "fewer than 5.0 % wrong: this is shown" in "\n".join(lines(good))
    bad = report_of(dataset, sample, note_events(dataset, sample), 0.05)
    assert not bad["acceptance"]["accepted"]
    assert "after 59 notes without an error, 93 with one, 124 with two" in "\n".join(lines(bad))
    assert any(line.startswith("half as wide an interval takes about") for line in lines(bad))


def test_trials_measure_the_listener_and_correct_the_rate(dataset: Path) -> None:
    sample = sampled(dataset)
    trials = [
        event(5000 + i, dataset, "1", "sham", shift_ms=shift, value="tone_late" if abs(shift) > 45 else "fine")
        for i, shift in enumerate([0, -30, 30, -60, 60, -120, 120] * 6)
    ]
    report = report_of(dataset, sample, note_events(dataset, sample) + trials)
    assert report["listeners"]["ada"]["trials"] == 42
    assert report["listeners"]["ada"]["threshold_ms"][1] < 45 < report["listeners"]["ada"]["threshold_ms"][2]
    assert report["corrected"]["low"] < true_rate(dataset) < report["corrected"]["high"]
    assert any(line.startswith("ada hears a tone moved by") for line in lines(report))
