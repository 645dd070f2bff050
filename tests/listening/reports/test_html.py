"""Tests of the frame of a report: hostile texts are shown and do nothing."""

import json

from musicnet_build.listening.reports.html import document, escaped, listed, section, table

HOSTILE = '</script><img src=x onerror="alert(1)">\u202e\x00'


def test_text_is_escaped_and_loses_what_turns_its_direction() -> None:
    for made in (escaped(HOSTILE), listed([HOSTILE]), table(("a",), [(HOSTILE,)]), section(HOSTILE, "x")):
        assert "<img" not in made
        assert "\u202e" not in made
        assert "&lt;img" in made


def test_the_figures_can_be_read_whatever_they_hold() -> None:
    page = document(HOSTILE, "", {HOSTILE: [1.5, None]})
    text = page.partition('id="figures">')[2].partition("</script>")[0]
    assert json.loads(text) == {HOSTILE: [1.5, None]}
    assert page.count("<script") == 2


def test_what_is_empty_has_no_heading() -> None:
    assert section("Suspicious spans", table(("a",), []), listed([])) == ""
