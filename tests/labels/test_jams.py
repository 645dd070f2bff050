"""JAMS, as its schema asks for it."""

import json

import numpy as np
from label_notes import one_note

from musicnet_build.labels.files import DEFAULT_VELOCITY, About, read_labels, write_labels


def test_jams_has_the_shape_that_its_schema_asks_for(tmp_path):
    write_labels(tmp_path / "a.jams", np.concatenate([one_note(), one_note(program=41, confidence=0.5)]))
    document = json.loads((tmp_path / "a.jams").read_text())
    assert set(document) == {"annotations", "file_metadata", "sandbox"}
    assert {"title", "artist", "release", "duration", "identifiers", "jams_version"} == set(document["file_metadata"])
    assert [a["namespace"] for a in document["annotations"]] == ["note_midi"] * 2
    for annotation in document["annotations"]:
        assert {"namespace", "data", "annotation_metadata", "sandbox", "time", "duration"} == set(annotation)
        assert [set(o) for o in annotation["data"]] == [{"time", "duration", "value", "confidence"}]
    assert [a["data"][0]["confidence"] for a in document["annotations"]] == [None, 0.5]


def test_jams_tells_what_is_known_of_the_recording(tmp_path):
    write_labels(tmp_path / "a.jams", one_note(), about=About("Canon", "Trio", 9.5))
    document = json.loads((tmp_path / "a.jams").read_text())
    assert [document["file_metadata"][name] for name in ("title", "artist", "duration")] == ["Canon", "Trio", 9.5]
    assert [annotation["duration"] for annotation in document["annotations"]] == [9.5]


def test_a_jams_file_from_elsewhere_is_read_without_our_sandbox(tmp_path):
    observation = {"time": 1.0, "duration": 0.5, "value": 59.9, "confidence": None}
    (tmp_path / "a.jams").write_text(json.dumps({"annotations": [{"namespace": "note_midi", "data": [observation]}]}))
    notes = read_labels(tmp_path / "a.jams")
    assert (notes["pitch"][0], notes["program"][0], notes["velocity"][0]) == (60, 0, DEFAULT_VELOCITY)
