"""Programs by the names of parts."""

import pytest

from musicnet_build.score.programs import PROGRAM_NAMES, program_called


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("Violin II", "violin"), ("Violoncello", "cello"), ("Vla. (Viola)", "viola"), ("Kontrabass", "contrabass"),
        ("Clarinet in B\u266d", "clarinet"), ("Horn in F", "french horn"), ("English Horn", "english horn"),
        ("Bassoon", "bassoon"), ("Piccolo Flute", "piccolo"), ("Alto Recorder", "recorder"), ("Cembalo", "harpsichord"),
    ],
)  # fmt: skip
def test_instruments_are_known_by_their_names(name: str, program: str) -> None:
    assert PROGRAM_NAMES[program_called(name)] == program


@pytest.mark.parametrize("name", ["", "Piano", "Part 1", "Staff", "Voice"])
def test_what_names_no_instrument_is_none(name: str) -> None:
    assert program_called(name) is None
