"""What the files of an export are called."""

TEMPO_MAPPED, AS_PLAYED_XML = "tempo_mapped.mid", "as_played.musicxml"

EXPORTS = (
    "beats.csv",
    "measures.csv",
    TEMPO_MAPPED,
    "as_played.mid",
    AS_PLAYED_XML,
    "alignment.match",
    "note_alignment.tsv",
    *(f"parangonada/{name}.csv" for name in ("part", "ppart", "align", "zalign", "feature")),
    *(f"sonic_visualiser/{name}.csv" for name in ("notes", "events", "beats")),
    *(f"audacity/{name}.txt" for name in ("notes", "events", "beats")),
)
"""The files, by their paths in the folder."""
