"""Names of note values."""

from musicnet_build.score.note_values import note_value_name


def test_note_values_have_the_names_of_the_published_labels():
    lengths = [1 / 48, 1 / 24, 0.0625, 1 / 12, 0.108, 1 / 6, 0.25, 1 / 3, 0.375, 0.4833, 0.75, 0.975, 1.125, 1.25, 1.5]
    assert note_value_name([*lengths, 2, 2.93, 4.5]).tolist() == [
        "Triplet Sixty Fourth", "Triplet Sixty Fourth", "Sixty Fourth", "Triplet Thirty Second", "Thirty Second",
        "Triplet Sixteenth", "Sixteenth", "Triplet", "Dotted Sixteenth", "Eighth", "Dotted Eighth", "Quarter",
        "Tied Quarter-Thirty Second", "Tied Quarter-Sixteenth", "Dotted Quarter", "Half", "Dotted Half", "Whole",
    ]  # fmt: skip


def test_lengths_outside_the_table_are_unknown():
    assert note_value_name([0.0, 0.0208, 4.51, 100]).tolist() == ["Unknown"] * 4
    assert note_value_name([]).tolist() == []
