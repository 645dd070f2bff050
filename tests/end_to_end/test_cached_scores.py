"""The cache of synthesized scores as a user of ``align`` meets it."""

from pathlib import Path

from command_line import as_json, run
from conftest import Music


def test_a_second_run_reads_the_score_from_the_cache_and_writes_the_same_labels(music: Music, tmp_path: Path) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "MUSICNET_BUILD_CACHE": ""}
    outputs = [tmp_path / name for name in ("first.csv", "second.csv", "without.csv")]
    align = ("align", music.recording, music.score, "--preset", "musicnet")
    as_json(*align, "-o", outputs[0], **cache)
    (entry,) = (tmp_path / "cache" / "musicnet_build" / "synthesis").iterdir()
    written_ns = entry.stat().st_mtime_ns
    as_json(*align, "-o", outputs[1], **cache)
    assert entry.stat().st_mtime_ns > written_ns  # marked as used
    as_json(*align, "-o", outputs[2], MUSICNET_BUILD_CACHE="off")
    first, *others = (path.read_bytes() for path in outputs)
    assert others == [first, first]


def test_a_cache_that_cannot_be_written_is_one_warning(music: Music, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "MUSICNET_BUILD_CACHE": ""}
    process = run("align", music.recording, music.score, "-o", tmp_path / "labels.csv", **cache)
    assert process.returncode == 0
    (warning,) = process.stderr.splitlines()
    assert warning.startswith("warning: ")
    assert "MUSICNET_BUILD_CACHE=off" in warning
