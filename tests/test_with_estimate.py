"""The time that a long stage is said to take."""

import pytest

from musicnet_build.warping import with_estimate


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3.0, "aligning"),
        (45.4, "aligning, about 45 s"),
        (100.0, "aligning, about 2 min"),
        (3600, "aligning, about 60 min"),
    ],
)
def test_only_a_long_stage_tells_its_time_in_a_unit_that_people_use(seconds: float, said: str) -> None:
    assert with_estimate("aligning", seconds) == said
