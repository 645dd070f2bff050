"""General MIDI: the channel of percussion; the names and families of the 128 programs, counted from 0."""

import re

DRUM_CHANNEL = 9
"""Index of the channel of percussion (channel 10 of manuals, which count from 1)."""

FAMILY_SIZE = 8
"""Programs 0 to 7 are pianos, 8 to 15 chromatic percussion, and so on."""

PROGRAM_NAMES = (
    *("acoustic grand piano", "bright acoustic piano", "electric grand piano", "honky-tonk piano"),
    *("electric piano 1", "electric piano 2", "harpsichord", "clavinet"),
    *("celesta", "glockenspiel", "music box", "vibraphone"),
    *("marimba", "xylophone", "tubular bells", "dulcimer"),
    *("drawbar organ", "percussive organ", "rock organ", "church organ"),
    *("reed organ", "accordion", "harmonica", "bandoneon"),
    *("acoustic guitar (nylon)", "acoustic guitar (steel)", "electric guitar (jazz)", "electric guitar (clean)"),
    *("electric guitar (muted)", "overdriven guitar", "distortion guitar", "guitar harmonics"),
    *("acoustic bass", "electric bass (finger)", "electric bass (pick)", "fretless bass"),
    *("slap bass 1", "slap bass 2", "synth bass 1", "synth bass 2"),
    *("violin", "viola", "cello", "contrabass"),
    *("tremolo strings", "pizzicato strings", "orchestral harp", "timpani"),
    *("string ensemble 1", "string ensemble 2", "synth strings 1", "synth strings 2"),
    *("choir aahs", "voice oohs", "synth voice", "orchestra hit"),
    *("trumpet", "trombone", "tuba", "muted trumpet"),
    *("french horn", "brass section", "synth brass 1", "synth brass 2"),
    *("soprano sax", "alto sax", "tenor sax", "baritone sax"),
    *("oboe", "english horn", "bassoon", "clarinet"),
    *("piccolo", "flute", "recorder", "pan flute"),
    *("blown bottle", "shakuhachi", "whistle", "ocarina"),
    *("lead 1 (square)", "lead 2 (sawtooth)", "lead 3 (calliope)", "lead 4 (chiff)"),
    *("lead 5 (charang)", "lead 6 (voice)", "lead 7 (fifths)", "lead 8 (bass and lead)"),
    *("pad 1 (new age)", "pad 2 (warm)", "pad 3 (polysynth)", "pad 4 (choir)"),
    *("pad 5 (bowed)", "pad 6 (metallic)", "pad 7 (halo)", "pad 8 (sweep)"),
    *("fx 1 (rain)", "fx 2 (soundtrack)", "fx 3 (crystal)", "fx 4 (atmosphere)"),
    *("fx 5 (brightness)", "fx 6 (goblins)", "fx 7 (echoes)", "fx 8 (sci-fi)"),
    *("sitar", "banjo", "shamisen", "koto"),
    *("kalimba", "bagpipe", "fiddle", "shanai"),
    *("tinkle bell", "agogo", "steel drums", "woodblock"),
    *("taiko drum", "melodic tom", "synth drum", "reverse cymbal"),
    *("guitar fret noise", "breath noise", "seashore", "bird tweet"),
    *("telephone ring", "helicopter", "applause", "gunshot"),
)
"""Name of each program."""

# What parts are called in English, German, Italian and French; the first that is found in a name counts.
_CALLED = (
    ("double bass|contrabass|kontrabass", 43),
    ("cello|violoncelle", 42),
    ("viola|bratsche", 41),
    ("violin|violon|geige", 40),
    ("piccolo", 72),
    ("recorder|blockfl", 74),
    ("flute|flöte|flauto|flûte", 73),
    ("english horn|englischhorn|cor anglais", 69),
    ("oboe|hautbois", 68),
    ("bassoon|fagott|basson", 70),
    ("clarinet|klarinette", 71),
    ("horn|corno", 60),
    ("trumpet|trompet|tromba", 56),
    ("trombone|posaune", 57),
    ("tuba", 58),
    ("timpani|pauke", 47),
    ("harpsichord|cembalo|clavecin", 6),
    ("organ|orgel|orgue", 19),
    ("harp|harfe|arpa", 46),
    ("guitar|gitarre|chitarra", 24),
)


def program_called(name: str) -> int | None:
    """Return the program of an orchestral instrument by the name of its part.

    Parameters
    ----------
    name : str
        As printed, such as "Violin II" or "Clarinet in B♭".

    Returns
    -------
    int or None
        None where the name is that of none.

    Examples
    --------
    >>> program_called("Violoncello"), program_called("Horn in F"), program_called("Part 3")
    (42, 60, None)
    """
    return next((program for pattern, program in _CALLED if re.search(pattern, name.lower())), None)
