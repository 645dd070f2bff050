"""How instruments are written, and what is refused in the description of a set."""

import json
from pathlib import Path

import pytest

from musicnet_build.corpora.timbre_set import FORMAT, Instrument, parse_instrument, read_set, safe_name
from musicnet_build.errors import DatasetError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("guitar=26-31:E2-D6", Instrument("guitar", (26, 27, 28, 29, 30, 31), 40, 86)),
        ("trumpet=56:E3-D6", Instrument("trumpet", (56,), 52, 86)),
        ("flute=73:60-96", Instrument("flute", (73,), 60, 96)),
        ("low=0,4-5:C-1-Bb0", Instrument("low", (0, 4, 5), 0, 22)),
    ],
)
def test_instruments_are_read_as_people_write_them(text: str, expected: Instrument) -> None:
    assert parse_instrument(text) == expected


@pytest.mark.parametrize(
    "text",
    ["guitar", "guitar=26", "guitar=200:E2-D6", "=26:E2-D6", "../x=26:E2-D6", "g=26:D6-E2", "g=26:E2-H4", "g=a:E2-D6",
     "g=1-2-3:E2-D6", "g=31-26:E2-D6", "g=26:C9-C12"],
)  # fmt: skip
def test_what_is_no_instrument_is_refused(text: str) -> None:
    with pytest.raises(DatasetError):
        parse_instrument(text)


def content(**changes: object) -> dict[str, object]:
    return {
        "format": FORMAT,
        "purpose": "training",
        "instruments": [{"name": "guitar", "programs": [26], "lowest": 40, "highest": 86}],
        "soundfonts": [],
        "settings": {},
        "warnings": [],
        "pieces": [
            {"name": "a", "subset": "guitar_alone", "duration_s": 1.0, "notes": {"guitar": 1}, "audio_sha256": ""}
        ],
    } | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "another"},
        {"purpose": "fun"},
        {"instruments": []},
        {"pieces": [{"name": "../../etc/passwd", "subset": "x", "duration_s": 1, "notes": {}, "audio_sha256": ""}]},
        {"pieces": [{"name": "a", "subset": "../x", "duration_s": 1, "notes": {}, "audio_sha256": ""}]},
        {"pieces": [{"name": "a"}]},
        {"pieces": 3},
    ],
)
def test_a_description_that_lies_or_leads_out_of_its_folder_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    (tmp_path / "timbre.json").write_text(json.dumps(content()), encoding="utf-8")
    assert read_set(tmp_path).pieces[0].name == "a"
    (tmp_path / "timbre.json").write_text(json.dumps(content(**changes)), encoding="utf-8")
    with pytest.raises(DatasetError):
        read_set(tmp_path)


def test_a_folder_without_a_finished_set_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="generate ascension"):
        read_set(tmp_path)


def test_names_of_pieces_are_safe() -> None:
    assert safe_name("../Señor Coconut / Mix (2)") == "Se-or-Coconut-Mix-2"
    assert safe_name("...") == "piece"
