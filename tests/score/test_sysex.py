"""What system-exclusive messages set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicnet_build.score.sysex import ALL_CHANNELS, Setting, settings_of


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("7E 7F 09 01", Setting("reset", "gm", ALL_CHANNELS, 0)),
        ("7E 7F 09 03", Setting("reset", "gm2", ALL_CHANNELS, 0)),
        ("7F 7F 04 04 00 42", Setting("tuning", None, ALL_CHANNELS, 2)),
        ("7F 7F 04 03 00 20", Setting("cents", None, ALL_CHANNELS, -50)),
        ("41 10 42 12 40 00 7F 00 41", Setting("reset", "gs", ALL_CHANNELS, 0)),
        ("41 10 42 12 00 00 7F 01 00", Setting("reset", "gs", ALL_CHANNELS, 0)),
        ("41 10 42 12 40 00 05 3E 7D", Setting("key shift", "gs", ALL_CHANNELS, -2)),
        ("41 10 42 12 40 10 15 00 1B", Setting("drums", "gs", 9, 0)),
        ("41 10 42 12 40 11 15 01 19", Setting("drums", "gs", 0, 1)),
        ("41 10 42 12 40 1F 15 02 0A", Setting("drums", "gs", 15, 2)),
        ("41 10 42 12 40 13 16 4C 4B", Setting("key shift", "gs", 2, 12)),
        ("43 10 4C 00 00 7E 00", Setting("reset", "xg", ALL_CHANNELS, 0)),
        ("43 10 4C 00 00 06 41", Setting("key shift", "xg", ALL_CHANNELS, 1)),
        ("43 12 4C 08 0B 07 02", Setting("drums", "xg", 11, 2)),
        ("43 10 4C 08 00 08 34", Setting("key shift", "xg", 0, -12)),
    ],
)
def test_a_message_is_read_as_the_manuals_give_it(message: str, wanted: Setting) -> None:
    assert settings_of(bytes.fromhex(message)) == [wanted]


def test_data_goes_on_into_the_addresses_behind() -> None:
    settings = settings_of(bytes.fromhex("43 10 4C 08 04 01 7F 00 05"))
    assert settings == [Setting("bank", "xg", 4, 127), Setting("program", "xg", 4, 5)]


@given(st.binary(max_size=20))
def test_whatever_else_says_nothing_and_breaks_nothing(message: bytes) -> None:
    for setting in settings_of(message):
        assert -1 <= setting.channel <= 15
