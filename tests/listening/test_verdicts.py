"""Tests of what people's judgements come to: the most pessimistic counts, and only on the labels that were judged."""

from typing import Any

from musicnet_build.listening.verdicts import HumanVerdict, verdicts_of


def verdict(number: int, recording: str, reviewer: str, value: str, **fields: Any) -> dict[str, Any]:
    common = {"v": 1, "id": f"{number:026d}", "recording": recording, "reviewer": reviewer, "labels": "a" * 64}
    return {**common, "kind": "verdict", "value": value, **fields}


def test_the_most_pessimistic_counts_with_its_reason() -> None:
    events = [
        verdict(1, "2", "ada", "accepted"),
        verdict(2, "2", "ben", "rejected", text="misaligned"),
        verdict(3, "10", "ada", "rejected"),
        verdict(4, "10", "ada", "accepted"),
    ]
    found = verdicts_of(events, {"2": "a" * 64, "10": "a" * 64})
    assert list(found.held) == ["2", "10"]
    assert found.held["2"] == HumanVerdict("rejected", "misaligned", (("ada", "accepted"), ("ben", "rejected")))
    assert not found.held["2"].agreed
    assert found.held["10"].value == "accepted"
    assert found.held["10"].agreed


def test_verdicts_on_other_labels_are_named_and_count_in_nothing() -> None:
    events = [verdict(1, "2", "ada", "rejected"), verdict(2, "2", "ben", "accepted", labels="b" * 64)]
    found = verdicts_of(events, {"2": "b" * 64})
    assert found.held["2"].value == "accepted"
    assert found.stale == (("2", "ada"),)


def test_what_is_no_verdict_is_passed_over() -> None:
    assert verdicts_of([verdict(1, "2", "ada", "splendid"), {"kind": "note"}], {"2": "a" * 64}).held == {}
