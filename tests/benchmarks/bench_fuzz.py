"""Feed every reader damaged files: each must be read or refused in one sentence, in little time and memory.

    python tests/benchmarks/bench_fuzz.py [--cases 100000] [--seed 0] [--workers 2] [--formats midi wav ...]
                                          [--from 0] [--keep FOLDER]

Good files are generated, one or more per format. Case k damages one of them, in a way that only the seed and k decide:
bytes flipped, cut, repeated, inserted, lengths changed, chunks reordered; in text also values replaced, and lines lost,
doubled and exchanged. The readers run in other processes, many cases per process, each with room for 1 GB more than
they hold after reading the good files. Counted per format: what was read, what was refused, and as failures tracebacks
(every exception but the package's own), memory beyond the room, hangs (10 s and more) and crashes of libraries.
MusicXML takes a second per file and is read where it is asked for. Exits with 1 where there was a failure; ``--keep``
keeps the files that led to one, each with its traceback.
"""

import argparse
import collections
import contextlib
import itertools
import json
import math
import os
import random
import re
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROOM_BYTES = 1 << 30
HANG_S = 10.0
FAILURES = ("traceback", "memory", "hang", "crash")

# Good files


def make_good_files(folder):
    """Write the good files of each format into a folder of its name."""
    for name, make in MAKERS.items():
        (folder / name).mkdir(parents=True)
        make(folder / name)


def make_midi(folder):
    from bad_midi import chunk as track
    from bad_midi import event, header, meta, midi, note, tempo

    tune = b"".join(note(10, 200, 60 + step) for step in (0, 4, 7, 12))
    controls = event(0, 0xB0, 64, 127) + event(5, 0xE0, 0, 80) + event(5, 0xC0, 40) + event(0, 0xB0, 7, 90)
    first = meta(0, 3, b"Violin") + tempo(0, 400_000) + meta(0, 0x58, b"\3\2\x18\x08") + tempo(960, 600_000)
    (folder / "two.mid").write_bytes(midi(first, controls + tune + note(0, 30, 36, channel=9)))
    (folder / "one.mid").write_bytes(header(1, kind=0, division=96) + track(first + controls + tune))


def made_notes(count=12):
    from musicnet_build.notes import empty_notes

    notes = empty_notes(count)
    for index, note in enumerate(notes):
        note["onset_s"], note["offset_s"] = 0.1 + 0.2 * index, 0.25 + 0.2 * index
        note["onset_beats"], note["duration_beats"] = 0.5 * index, 0.5
        note["pitch"], note["velocity"], note["program"] = 48 + index, 60 + index, 40 * (index % 2)
    return notes


def write_sound(name, **options):
    def make(folder):
        import numpy as np
        import soundfile

        n = np.arange(6_000)
        sound = 0.3 * np.sin(n * 0.06) + 0.02 * np.random.default_rng(0).standard_normal(len(n))
        stereo = np.stack([sound, 0.5 * sound], axis=1)
        soundfile.write(folder / f"mono{name}", sound, 22_050, **options)
        soundfile.write(folder / f"stereo{name}", stereo, 44_100, **options)

    return make


def make_wav(folder):
    import numpy as np
    import soundfile

    write_sound(".wav")(folder)
    n = np.arange(3_000)
    sound = 0.3 * np.sin(n * 0.06)
    for subtype in ("FLOAT", "PCM_24", "PCM_U8", "IMA_ADPCM", "MS_ADPCM", "GSM610", "ULAW"):
        soundfile.write(folder / f"{subtype}.wav", sound, 16_000, subtype=subtype)
    soundfile.write(folder / "64.wav", sound, 16_000, format="RF64")
    plain = (folder / "mono.wav").read_bytes()
    (folder / "list.wav").write_bytes(plain[:36] + b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf59.27.100\0" + plain[36:])


def make_labels(*endings):
    def make(folder):
        from musicnet_build.labels.files import write_labels

        for ending in endings:
            write_labels(folder / f"labels{ending}", made_notes())

    return make


def make_maps(folder):
    from musicnet_build.corpora.maps import write_maps_txt

    write_maps_txt(folder / "maps.txt", made_notes())


def make_manifest(folder):
    (folder / "a.wav").write_bytes(b"RIFF")
    (folder / "a.mid").write_bytes(b"MThd")
    rows = [
        {"id": 1, "recording": "a.wav", "score": "a.mid", "split": "train", "tuning_cents": -12.5, "start_s": 1.5},
        {"id": 7, "recording": "a.wav", "score": "a.mid", "split": "test", "composer": "Bach", "end_s": 30},
    ]
    from musicnet_build.datasets.manifest import write_manifest

    write_manifest(folder / "manifest.csv", rows)
    lines = [f"  - {{{', '.join(f'{name}: {value}' for name, value in row.items())}}}" for row in rows]
    (folder / "manifest.yaml").write_text("\n".join(["recordings:", *lines, ""]))


def make_soundfont(folder):
    from tiny_soundfont import write_soundfont

    write_soundfont(folder / "tiny.sf2", [(0, 0), (0, 40), (128, 0)], wave="sine")
    write_soundfont(folder / "odd.sf2", [(0, 0), (128, 0)], pad=False)


def make_windows(folder):
    import numpy as np

    from musicnet_build.packing import hdf5
    from musicnet_build.packing.musicnet_h5 import h5_labels

    with hdf5.writing(folder / "musicnet.h5") as file:
        for name, split in {"1": "train", "2": "test"}.items():
            group = file.create_group(f"id_{name}")
            group.attrs["split"] = split
            hdf5.add(group, "data", np.arange(20_000, dtype=np.float32) / 20_000)
            hdf5.add(group, "labels", h5_labels(made_notes()))


def make_musicxml(folder):
    import zipfile

    notes = "".join(
        f"<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>1</duration><type>quarter</type></note>\n"
        for step in "CDEF"
    )
    opening = "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<score-partwise version="4.0"><part-list><score-part id="P1">'
        '<part-name>Flute</part-name></score-part></part-list>\n<part id="P1">'
        f'<measure number="1">{opening}\n{notes}{repeat}</measure>\n<measure number="2">{notes}</measure>'
        "</part></score-partwise>\n"
    )
    (folder / "score.musicxml").write_text(text)
    container = '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>'
    with zipfile.ZipFile(folder / "score.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("score.xml", text)


# Readers


def read_a_score(path):
    from musicnet_build.score.reader import read_score

    read_score(path)


def read_sound(path):
    from musicnet_build.audio.io import read_audio

    read_audio(path)


def read_some_labels(path):
    from musicnet_build.labels.files import read_labels

    read_labels(path)


def read_maps(path):
    from musicnet_build.corpora.maps import read_maps_txt

    read_maps_txt(path)


def read_a_manifest(path):
    from musicnet_build.datasets.manifest import read_manifest

    read_manifest(path)


def play_soundfont(path):
    from musicnet_build.score.reader import read_score
    from musicnet_build.synthesis.render import synthesize
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    synthesize(read_score(path.parents[1] / "midi" / "two.mid"), choose_soundfont(path), sample_rate=8_000)


def read_windows(path):
    import numpy as np

    from musicnet_build.packing.windows import MusicNetWindows

    MusicNetWindows(path, window_samples=1024).random(4, np.random.default_rng(0))


MAKERS = {
    "midi": make_midi,
    "musicxml": make_musicxml,
    "wav": make_wav,
    "aiff": write_sound(".aiff"),
    "w64": write_sound(".w64"),
    "caf": write_sound(".caf"),
    "au": write_sound(".au"),
    "flac": write_sound(".flac"),
    "mp3": write_sound(".mp3"),
    "ogg": write_sound(".ogg"),
    "csv": make_labels(".csv"),
    "tsv": make_labels(".tsv"),
    "jams": make_labels(".jams"),
    "labels": make_labels(".txt", ".mid"),
    "maps": make_maps,
    "manifest": make_manifest,
    "soundfont": make_soundfont,
    "hdf5": make_windows,
}
READERS = {
    **dict.fromkeys(MAKERS, read_sound),
    **dict.fromkeys(("csv", "tsv", "jams", "labels"), read_some_labels),
    "midi": read_a_score,
    "musicxml": read_a_score,
    "maps": read_maps,
    "manifest": read_a_manifest,
    "soundfont": play_soundfont,
    "hdf5": read_windows,
}
QUICK = [name for name in MAKERS if name != "musicxml"]  # read by a process for each file, a second each
TEXTS = {"musicxml", "csv", "tsv", "jams", "maps", "manifest"}

# Damage

_TOKEN = re.compile(rb"[^,;:\s\"{}\[\]]+")
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_VALUES = (
    "",
    "nan",
    "inf",
    "-1",
    "0",
    "1e999",
    "-1e-300",
    "1" * 400,
    "9" * 18,
    "é",
    "\0",
    '"',
    "\ud7ff",
    "[]",
    "null",
    "../x",
)
_TAGS = (
    b"MTrk",
    b"fmt ",
    b"data",
    b"LIST",
    b"fact",
    b"ds64",
    b"COMM",
    b"SSND",
    b"desc",
    b"fLaC",
    b"OggS",
    b"phdr",
    b"pbag",
)
_TAGS += (
    b"pmod",
    b"pgen",
    b"inst",
    b"ibag",
    b"imod",
    b"igen",
    b"shdr",
    b"smpl",
    b"TREE",
    b"SNOD",
    b"HEAP",
    b"OHDR",
    b"\xff\xfb",
)


def flip(data, random_):
    for _ in range(random_.choice((1, 1, 1, 2, 8))):
        place = _place(data, random_)
        data[place] ^= 1 << random_.randrange(8)


def overwrite(data, random_):
    place = _place(data, random_)
    length = random_.choice((1, 1, 2, 4, 16))
    data[place : place + length] = random_.randbytes(length)


def change_length(data, random_):
    size = random_.choice((1, 2, 4, 4, 8))
    number = random_.choice((random_.choice(_NUMBERS), random_.getrandbits(8 * size), random_.randrange(len(data) + 1)))
    place = _place(data, random_)
    order = random_.choice(("little", "big"))
    data[place : place + size] = (number & (1 << 8 * size) - 1).to_bytes(size, order)


def cut(data, random_):
    start = _place(data, random_)
    end = len(data) if random_.random() < 0.5 else start + 1 + random_.randrange(64)
    del data[start:end]


def repeat(data, random_):
    start = _place(data, random_)
    piece = data[start : start + 1 + random_.randrange(200)]
    place = _place(data, random_)
    data[place:place] = piece * random_.choice((1, 1, 2, 20))


def insert(data, random_):
    place = _place(data, random_)
    data[place:place] = random_.randbytes(1 + random_.randrange(40))


def reorder(data, random_):
    """Exchange what begins with known names of chunks; elsewhere, any two pieces."""
    starts = sorted({place for tag in _TAGS for place in _all_places(data, tag)}) or [_place(data, random_)]
    bounds = sorted({0, len(data), *random_.sample(starts, min(len(starts), 3))})
    pieces = [data[start:end] for start, end in itertools.pairwise(bounds)]
    random_.shuffle(pieces)
    data[:] = b"".join(pieces)


def replace_value(data, random_):
    tokens = [(match.start(), match.end()) for match in _TOKEN.finditer(bytes(data))]
    if tokens:
        start, end = random_.choice(tokens)
        data[start:end] = random_.choice(_VALUES).encode("utf-8", "surrogatepass")


def change_lines(data, random_):
    lines = bytes(data).splitlines(keepends=True)
    if lines:
        at, other = random_.randrange(len(lines)), random_.randrange(len(lines))
        way = random_.randrange(3)
        if way == 0:
            del lines[at]
        elif way == 1:
            lines.insert(at, lines[other])
        else:
            lines[at], lines[other] = lines[other], lines[at]
        data[:] = b"".join(lines)


def nest(data, random_):
    place = _place(data, random_)
    data[place:place] = random_.choice((b"[", b'{"a":', b"- ", b"(")) * random_.choice((3, 200, 100_000))


def _place(data, random_):
    """Somewhere, and half of the time in the first 256 bytes, where headers are."""
    return random_.randrange(max(1, min(len(data), 256) if random_.random() < 0.5 else len(data)))


def _all_places(data, tag):
    place = data.find(tag)
    while place >= 0:
        yield place
        place = data.find(tag, place + 1)


_BYTE_DAMAGE = (flip, flip, overwrite, change_length, change_length, cut, repeat, insert, reorder)
_TEXT_DAMAGE = (*_BYTE_DAMAGE, *(4 * (replace_value,)), *(2 * (change_lines,)), nest)


def damaged(content, is_text, random_):
    data = bytearray(content)
    for _ in range(random_.choice((1, 1, 1, 2, 3, 6))):
        random_.choice(_TEXT_DAMAGE if is_text else _BYTE_DAMAGE)(data, random_)
        if not data:
            break
    return bytes(data)


def damaged_case(folder, formats, seed, case):
    """Return the format, the name and the content of a case."""
    name = formats[case % len(formats)]
    random_ = random.Random(f"{seed} {name} {case // len(formats)}")
    good = random_.choice(sorted(path for path in (folder / name).iterdir() if path.name not in ("a.wav", "a.mid")))
    return name, good.name, damaged(good.read_bytes(), name in TEXTS, random_)


# The process that reads


def work(folder, formats, seed, cases):
    """Read case after case; tell the parent when one begins, and how it ended."""
    report = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.simplefilter("ignore")
    read_good_files(folder, formats)
    limit_memory()
    os.dup2(1, 2)  # decoders write what they think of a file
    place = Path(tempfile.mkdtemp(dir=folder))
    for companion in ("a.wav", "a.mid"):  # of the manifest
        (place / companion).write_bytes((folder / "manifest" / companion).read_bytes())
    report.write("ready\n")
    for case in cases:
        name, file_name, content = damaged_case(folder, formats, seed, case)
        path = place / f"{name}-{file_name}"
        path.write_bytes(content)
        report.write(f"{case}\n")
        report.write(f"{json.dumps(outcome_of(READERS[name], path))}\n")


def outcome_of(read, path):
    from musicnet_build.errors import MusicnetBuildError

    try:
        read(path)
    except MusicnetBuildError as error:
        one_line = "\n" not in str(error).strip() or "InvalidManifest" in type(error).__name__
        return ["refused", ""] if one_line else ["traceback", f"more than one line: {error}"]
    except MemoryError:
        return ["memory", traceback.format_exc()]
    except Exception:
        return ["traceback", traceback.format_exc()]
    return ["read", ""]


def read_good_files(folder, formats):
    for name in formats:
        for path in sorted((folder / name).iterdir()):
            if path.name not in ("a.wav", "a.mid"):
                READERS[name](path)


def limit_memory():
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + ROOM_BYTES, held + ROOM_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


# The process that watches


class Watch:
    """One reading process after another, until its cases are done."""

    def __init__(self, folder, formats, seed, cases):
        self._fixed = str(folder), ",".join(formats), str(seed)
        self._cases = cases
        self.outcomes = {}

    def run(self):
        """Run every case; return case to [outcome, detail]."""
        done = 0
        while done < len(self._cases):
            done += self._read(self._cases[done:])
        return self.outcomes

    def _read(self, cases):
        """Start a process; return how many cases it finished or failed at."""
        arguments = [*self._fixed, str(cases.start), str(cases.stop), str(cases.step)]
        command = [sys.executable, __file__, "--work", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                return self._follow(process, cases)
            finally:
                process.kill()

    def _follow(self, process, cases):
        lines = Lines(process)
        if lines.next(math.inf) != "ready":
            raise SystemExit(f"the reading process does not start: {process.stderr.read()}")
        for count, case in enumerate(cases):
            lines.next(HANG_S)
            line = lines.next(HANG_S)
            if line is None:
                process.kill()
                self.outcomes[case] = ["hang", f"no end after {HANG_S:.0f} s"]
                return count + 1
            if not line:
                code = process.wait()
                name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                self.outcomes[case] = ["crash", name]
                return count + 1
            self.outcomes[case] = json.loads(line)
            if self.outcomes[case][0] == "memory":  # what it still holds would be missing for the next
                return count + 1
        return len(cases)


class Lines:
    """What a process writes, waited for by the processor time that it takes."""

    def __init__(self, process):
        self._process = process
        self._selector = selectors.DefaultSelector()
        self._selector.register(process.stdout, selectors.EVENT_READ)
        self._rest = b""

    def next(self, most_s):
        """Return the next line, "" where there is none any more, None after so many seconds of computing."""
        began, began_wall = self._cpu_s(), time.monotonic()
        while b"\n" not in self._rest:
            if self._selector.select(timeout=1.0):
                piece = os.read(self._process.stdout.fileno(), 1 << 16)
                if not piece:
                    return ""
                self._rest += piece
            elif self._cpu_s() - began > most_s or time.monotonic() - began_wall > 30 * most_s:
                return None
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    def _cpu_s(self):
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0


def run_all(folder, formats, seed, cases, workers):
    watches = [Watch(folder, formats, seed, cases[worker::workers]) for worker in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(Watch.run, watches))
    return {case: outcome for result in results for case, outcome in result.items()}


def table(formats, outcomes):
    counts = {name: collections.Counter() for name in formats}
    for case, (outcome, _) in outcomes.items():
        counts[formats[case % len(formats)]][outcome] += 1
    columns = ("read", "refused", *FAILURES)
    yield f"{'format':10}" + "".join(f"{column:>11}" for column in columns)
    for name in formats:
        yield f"{name:10}" + "".join(f"{counts[name][column]:11}" for column in columns)
    total = sum(counts.values(), collections.Counter())
    yield f"{'all':10}" + "".join(f"{total[column]:11}" for column in columns)


def keep_failures(target, folder, formats, seed, failures):
    target.mkdir(parents=True, exist_ok=True)
    for case, (outcome, detail) in failures.items():
        name, file_name, content = damaged_case(folder, formats, seed, case)
        (target / f"{case}-{name}-{file_name}").write_bytes(content)
        (target / f"{case}-{name}-{file_name}.why").write_text(f"{outcome}\n{detail}")


def last_lines(failures):
    """Each kind of failure once, with the number of its cases and one of them."""
    kinds = collections.defaultdict(list)
    for case, (outcome, detail) in failures.items():
        lines = [line.strip() for line in detail.splitlines() if line.strip()]
        where = next((line for line in reversed(lines) if "musicnet_build" in line), "")
        kinds[f"{outcome}: {where} {lines[-1] if lines else ''}"[:300]].append(case)
    for kind, cases in sorted(kinds.items(), key=lambda item: -len(item[1])):
        yield f"{len(cases)} x {kind} (case {cases[0]})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--formats", nargs="+", default=QUICK, choices=list(MAKERS))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_good_files(folder)
        cases = range(options.first, options.first + options.cases)
        outcomes = run_all(folder, options.formats, options.seed, cases, options.workers)
        failures = {case: found for case, found in sorted(outcomes.items()) if found[0] in FAILURES}
        if options.keep:
            keep_failures(options.keep, folder, options.formats, options.seed, failures)
    print("\n".join(table(options.formats, outcomes)))
    print("\n".join(last_lines(failures)))
    print(f"{len(outcomes)} cases in {time.monotonic() - began:.0f} s with seed {options.seed}")
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        where, chosen, seed_text, *numbers = sys.argv[2:]
        work(Path(where), chosen.split(","), int(seed_text), range(*map(int, numbers)))
    else:
        sys.exit(main())
