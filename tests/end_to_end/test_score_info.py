"""``musicnet-build score info`` as a user runs it."""

from pathlib import Path

from bad_midi import event, meta, midi, note
from command_line import as_json, done, run

from musicnet_build.generation.demo import write_canon


def test_it_tells_length_instruments_tempo_metre_losses_and_repeats(tmp_path: Path) -> None:
    write_canon(tmp_path / "canon.mid")
    printed = done("score", "info", tmp_path / "canon.mid")
    for words in ("1:27", "21 measures", "violin", "58 quarters a minute", "4/4 from beat 0", "0 lost", "repeats"):
        assert words in printed
    values = as_json("score", "info", tmp_path / "canon.mid")
    assert values["beats"] == 84.0
    assert sum(part["notes"] for part in values["parts"]) == values["notes"]
    assert values["metre_changes"] == [{"beats": 0.0, "numerator": 4, "denominator": 4}]


def test_it_tells_which_ends_are_guesses_and_what_share_is_uncertain(tmp_path: Path) -> None:
    held = note(0, 480) * 3 + event(0, 0x90, 72, 64) + meta(960, 1)
    (tmp_path / "held.mid").write_bytes(midi(held))
    assert "4, 0 lost in reading, 1 with a guessed end" in done("score", "info", tmp_path / "held.mid")
    values = as_json("score", "info", tmp_path / "held.mid")
    assert values["guessed_ends"] == {"held": 1, "cut": 0}
    assert values["uncertain_share"] == 0.25


def test_a_damaged_score_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_bytes(midi()[:20])
    result = run("score", "info", tmp_path / "bad.mid")
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1


def test_help_names_the_command() -> None:
    assert "info" in done("score", "--help")
