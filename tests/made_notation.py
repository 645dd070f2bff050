"""MusicXML scores made by code: measures of four quarter notes, so that every measure is known by its pitches."""

DIVISIONS = 12
_LETTERS = "CDEFGAB"
_TRIPLET = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
_TYPES = {4: "whole", 3: "half", 2: "half", 1.5: "quarter", 1: "quarter", 0.5: "eighth", 0.25: "16th", 1 / 3: "eighth"}


def pitch_xml(name: str) -> str:
    """``C4``, ``F#4``, ``Bb3``."""
    alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>"}.get(name[1:2], "")
    return f"<pitch><step>{name[0]}</step>{alter}<octave>{name[-1]}</octave></pitch>"


def note(name: str, beats: float = 1, *, tie: str = "", chord: bool = False, voice: int = 1, note_id: str = "") -> str:
    """A note, or a rest (``r``)."""
    inner = "<rest/>" if name == "r" else pitch_xml(name)
    ties, tied = ("".join(f'<{tag} type="{kind}"/>' for kind in tie.split()) for tag in ("tie", "tied"))
    triplet = beats == 1 / 3
    return (
        f"<note{f' id={chr(34)}{note_id}{chr(34)}' if note_id else ''}>{'<chord/>' if chord else ''}{inner}"
        f"<duration>{round(beats * DIVISIONS)}</duration>{ties}<voice>{voice}</voice><type>{_TYPES[beats]}</type>"
        f"{'<dot/>' if beats in (3, 1.5) else ''}"
        + (
            "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
            * triplet
        )
        + (f"<notations>{tied}</notations>" if tied else "")
        + "</note>"
    )


def grace(name: str) -> str:
    return f'<note><grace slash="yes"/>{pitch_xml(name)}<voice>1</voice><type>eighth</type></note>'


def back(beats: float) -> str:
    return f"<backup><duration>{round(beats * DIVISIONS)}</duration></backup>"


def attributes(*, transpose: tuple[int, int] | None = None, metre: tuple[int, int] = (4, 4)) -> str:
    """At the head of a part; ``transpose`` is (diatonic, chromatic) from written to sounding pitch."""
    steps = "<transpose><diatonic>{}</diatonic><chromatic>{}</chromatic></transpose>".format(*transpose or (0, 0))
    return (
        f"<attributes><divisions>{DIVISIONS}</divisions><key><fifths>0</fifths></key><time><beats>{metre[0]}</beats>"
        f"<beat-type>{metre[1]}</beat-type></time><clef><sign>G</sign><line>2</line></clef>"
        + steps * bool(transpose)
        + "</attributes>"
    )


def forward() -> str:
    return '<barline location="left"><repeat direction="forward"/></barline>'


def backward(times: int = 2) -> str:
    more = f' times="{times}"' * (times > 2)
    return f'<barline location="right"><repeat direction="backward"{more}/></barline>'


def ending(numbers: str, kind: str, *, repeat: bool = False) -> str:
    """The start of an ending at the left, or its stop or discontinue at the right."""
    side = "left" if kind == "start" else "right"
    sign = '<repeat direction="backward"/>' * repeat
    return f'<barline location="{side}"><ending number="{numbers}" type="{kind}"/>{sign}</barline>'


def direction(text: str = "", sign: str = "", **sound: str) -> str:
    """Words or a sign above the staff, and what they mean to players of MusicXML, where they say it."""
    kind = f"<{sign}/>" if sign else f"<words>{text}</words>"
    meaning = " ".join(f'{name}="{value}"' for name, value in sound.items())
    return f"<direction><direction-type>{kind}</direction-type>{f'<sound {meaning}/>' if sound else ''}</direction>"


def tempo(quarters_per_minute: int) -> str:
    mark = f"<beat-unit>quarter</beat-unit><per-minute>{quarters_per_minute}</per-minute>"
    return (
        f"<direction><direction-type><metronome>{mark}</metronome></direction-type>"
        f'<sound tempo="{quarters_per_minute}"/></direction>'
    )


def scale(number: int) -> list[str]:
    """The four pitches of a measure, no two measures from 1 to 12 alike."""
    return [f"{_LETTERS[(number + step) % 7]}{4 + (number + step) // 7}" for step in (0, 2, 1, 3)]


def measure(number: int | str, *content: str, left: str = "", right: str = "", head: str = "") -> str:
    """A measure; of its scale where no content is given."""
    inner = "".join(content) or "".join(note(name) for name in scale(int(number)))
    return f'<measure number="{number}">{left}{head}{inner}{right}</measure>'


def marked(number: int, *marks: str, left: str = "", right: str = "", head: str = "") -> str:
    """A measure of its scale with marks before its notes."""
    return measure(number, *marks, *(note(name) for name in scale(number)), left=left, right=right, head=head)


def part(*measures: str, name: str = "Piano", program: int = 0) -> tuple[str, int, str]:
    return name, program, "".join(measures)


def score(*parts: tuple[str, int, str], title: str = "made") -> str:
    """A whole file."""
    heads = "".join(
        f'<score-part id="P{i}"><part-name>{name}</part-name><score-instrument id="I{i}"><instrument-name>{name}'
        f'</instrument-name></score-instrument><midi-instrument id="I{i}"><midi-channel>{i}</midi-channel>'
        f"<midi-program>{program + 1}</midi-program></midi-instrument></score-part>"
        for i, (name, program, _) in enumerate(parts, 1)
    )
    bodies = "".join(f'<part id="P{i}">{body}</part>' for i, (_, _, body) in enumerate(parts, 1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 '
        'Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n<score-partwise version="4.0"><work><work-title>'
        f"{title}</work-title></work><part-list>{heads}</part-list>{bodies}</score-partwise>"
    )


def _piece(*measures: str) -> str:
    return score(part(*measures))


HEAD = attributes()
FINE, DC = direction("Fine", fine="yes"), direction("D.C. al Fine", dacapo="yes")
SEGNO, CODA = direction(sign="segno", segno="s"), direction(sign="coda", coda="c")
TO_CODA, DS = direction("To Coda", tocoda="c"), direction("D.S. al Coda", dalsegno="s")

# name: (file, measures in the order in which they are played)
REPEATS = {
    "one after the other": (_piece(*(measure(i, head=HEAD if i == 1 else "") for i in range(1, 5))), "1 2 3 4"),
    "a repeat": (
        _piece(measure(1, head=HEAD), measure(2, left=forward()), measure(3, right=backward()), measure(4)),
        "1 2 3 2 3 4",
    ),
    "from the beginning": (_piece(measure(1, head=HEAD), measure(2, right=backward()), measure(3)), "1 2 1 2 3"),
    "two halves": (
        _piece(
            measure(1, head=HEAD, left=forward()),
            measure(2, right=backward()),
            measure(3, left=forward()),
            measure(4, right=backward()),
        ),
        "1 2 1 2 3 4 3 4",
    ),
    "three times": (_piece(measure(1, head=HEAD, right=backward(3)), measure(2)), "1 1 1 2"),
    "endings": (
        _piece(
            measure(1, head=HEAD, left=forward()),
            measure(2),
            measure(3, left=ending("1", "start"), right=ending("1", "stop", repeat=True)),
            measure(4, left=ending("2", "start"), right=ending("2", "stop")),
            measure(5),
        ),
        "1 2 3 1 2 4 5",
    ),
    "endings 1, 2 and 3": (
        _piece(
            measure(1, head=HEAD, left=forward()),
            measure(2, left=ending("1, 2", "start"), right=ending("1, 2", "stop", repeat=True)),
            measure(3, left=ending("3", "start"), right=ending("3", "discontinue")),
            measure(4),
        ),
        "1 2 1 2 1 3 4",
    ),
    "da capo al fine": (
        _piece(measure(1, head=HEAD), marked(2, FINE), measure(3), marked(4, DC)),
        "1 2 3 4 1 2",
    ),
    "dal segno al coda": (
        _piece(
            measure(1, head=HEAD), marked(2, SEGNO), marked(3, TO_CODA), measure(4), marked(5, DS), marked(6, CODA),
            measure(7),
        ),
        "1 2 3 4 5 2 3 6 7",
    ),
    "a minuet": (
        _piece(
            measure(1, head=HEAD, right=backward()),
            marked(2, FINE, left=forward(), right=backward()),
            measure(3, left=forward(), right=backward()),
            marked(4, DC, left=forward(), right=backward()),
        ),
        "1 1 2 2 3 3 4 4 1 2",
    ),
}  # fmt: skip

# What verovio alone would play otherwise.
MENDED = {
    "a second repeat without a start": (
        _piece(measure(1, head=HEAD), measure(2, right=backward()), measure(3), measure(4, right=backward())),
        "1 2 1 2 3 4 3 4",
    ),
    "a repeat without a start behind endings": (
        _piece(
            measure(1, head=HEAD),
            measure(2, left=ending("1", "start"), right=ending("1", "stop", repeat=True)),
            measure(3, left=ending("2", "start"), right=ending("2", "stop")),
            measure(4),
            measure(5, right=backward()),
        ),
        "1 2 1 3 4 5 4 5",
    ),
    "da capo in words": (
        _piece(measure(1, head=HEAD), marked(2, direction("Fine")), marked(3, direction("D. C. al Fine"))),
        "1 2 3 1 2",
    ),
    "dal segno in words and signs": (
        _piece(
            measure(1, head=HEAD), marked(2, direction(sign="segno")), marked(3, direction("To Coda")),
            marked(4, direction("D.S. al Coda")), marked(5, direction(sign="coda")),
        ),
        "1 2 3 4 2 3 5",
    ),
}  # fmt: skip

TRANSPOSED = score(
    part(measure(1, head=attributes(transpose=(-1, -2))), measure(2), name="Clarinet in Bb", program=71),
    part(measure(1, head=attributes(transpose=(-4, -7))), measure(2), name="Horn in F", program=60),
    part(measure(1, head=HEAD), measure(2), name="Flute", program=73),
)
TIED = _piece(
    measure(1, note("C4", 2), note("E4", 2, tie="start", note_id="begin"), head=HEAD),
    measure(2, note("E4", 4, tie="stop start", note_id="middle")),
    measure(3, note("E4", 1, tie="stop", note_id="end"), note("E4", 1), note("r", 1), note("G4", 1)),
)
GRACED = _piece(measure(1, note("C4"), grace("D4"), note("E4"), grace("D4"), grace("F4"), note("E4", 2), head=HEAD))
UPBEAT = _piece(
    '<measure number="0" implicit="yes">' + HEAD + tempo(60) + note("G4") + "</measure>",
    measure(1),
    marked(2, tempo(120)),
)
VOICES = _piece(
    measure(
        1, note("C4", 2), note("E4", 2, chord=True), note("G4", 2), back(4),
        *(note(name, 1 / 3, voice=2) for name in ("A4", "B4", "A4")), note("D4", 3, voice=2), head=HEAD,
    )
)  # fmt: skip
RHYTHM = _piece(
    measure(1, note("C4", 1.5), note("D4", 0.5), note("E4", 1), note("F4", 1), head=HEAD),
    measure(2, *(note(name, 1 / 3) for name in ("C4", "D4", "E4")), note("F4", 3)),
)
