"""``build --adapt collection``: the onset network learns from all recordings of one instrumentation together.

Three stages, each of jobs that are made once and resumed (:mod:`musicnet_build.jobs.resume`):

1. Each recording is aligned, and what its sure notes teach is kept (``.build/collection/ID.npz``); nothing of a
   recording whose verdict is ``reject``, or of whose notes too few are sure.
2. For each instrumentation with at least two such recordings, one network goes on learning from the package's
   (``.build/collection/network_….npz``), from the examples in the order of the ids.
3. The labels are found with that network in place of what each recording would teach by itself; it is part of what they
   are made from. Recordings that taught nothing, or alone, are labelled as always.

What the network of the package hears still tells how sure the labels are, and gives the verdict.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.align_files import align_files
from musicnet_build.corpora.musicnet import id_order
from musicnet_build.datasets.job import REJECT
from musicnet_build.datasets.places import COLLECTION_FOLDER as FOLDER
from musicnet_build.datasets.tasks.needs import memory_needed
from musicnet_build.datasets.tasks.task import Task
from musicnet_build.features.onset_training import Example, Training, fine_tuned
from musicnet_build.features.onsets import onset_model, write_onset_model
from musicnet_build.files import replacing, sha256_of_values
from musicnet_build.jobs.local import Job, Outcome
from musicnet_build.jobs.resume import LABELS, Made, Record, code_fingerprint, make_once
from musicnet_build.progress import Progress

LEAST_RECORDINGS = 2
MOST_EXAMPLES = 20_000
"""Of one instrumentation; with more, each recording gives an equal share."""

TRAINING = Training(steps=540)

_LEARNING_BYTES = 1_000_000_000  # the most examples, twice

Runner = Callable[[Sequence[Job], Callable[[Outcome], object]], list[Outcome]]


def with_networks(tasks: Sequence[Task], run: Runner, progress: Progress) -> list[Task]:
    """Return the tasks with the network of each recording's instrumentation, where there is one.

    Parameters
    ----------
    tasks : sequence of Task
        With hashes of their inputs.
    run : callable
        Runs jobs.
    progress : callable
        Told what is done.

    Returns
    -------
    list of Task
        In the same order.
    """
    learners = [task for task in tasks if task.settings.preset == "precise" and task.sha256 and not task.entry.labels]
    if not learners:
        return list(tasks)
    (learners[0].root / FOLDER).mkdir(parents=True, exist_ok=True)
    listening = [
        Job(task.id, keep_examples, {"task": task}, functools.partial(memory_needed, task)) for task in learners
    ]
    heard = _results(listening, run, progress, "listening to the collection")
    groups = defaultdict(list)
    for task in sorted(learners, key=lambda one: id_order(one.id)):
        if record := heard.get(task.id):
            groups[tuple(record.report["instruments"])].append((task, record))
    learning = [
        Job(_network_name(instruments), learn, {"root": str(members[0][0].root), "instruments": instruments,
            "files": [dict(record.files) for _, record in members]}, _LEARNING_BYTES)
        for instruments, members in groups.items()
        if len([one for one, record in members if record.report["examples"]]) >= LEAST_RECORDINGS
    ]  # fmt: skip
    networks = _results(learning, run, progress, "learning from the collection")
    named = {
        task.id: network
        for instruments, members in groups.items()
        if (network := networks.get(_network_name(instruments)))
        for task, _ in members
    }
    return [_with_network(task, named.get(task.id)) for task in tasks]


def foreseen(made_from: Mapping[str, Any], record: Record | None) -> dict[str, Any]:
    """Return what a recording will be made from: with the network of its record, for the next has not learnt yet."""
    network = record.made_from.get("network") if record else None
    return {**made_from, "network": network} if network else dict(made_from)


def _results(jobs: Sequence[Job], run: Runner, progress: Progress, stage: str) -> dict[str, Record]:
    """What jobs left behind, by their ids; of those that failed nothing: their recordings fail with the reason."""
    done: list[Outcome] = []

    def on_done(outcome: Outcome) -> None:
        done.append(outcome)
        progress(stage, len(done) / len(jobs))

    progress(stage, 0.0)
    return {outcome.id: outcome.result for outcome in run(jobs, on_done) if isinstance(outcome.result, Record)}


def _with_network(task: Task, network: Record | None) -> Task:
    if network is None:
        return task
    ((name, digest),) = network.files.items()
    return replace(task, network=str(task.root / name), sha256={**task.sha256, "network": digest})


def _network_name(instruments: Sequence[int]) -> str:
    return f"network_{sha256_of_values(list(instruments))[:16]}"


# ---------------------------------------------------------------------------------------------------------------------
# Jobs


def keep_examples(task: Task) -> Record:
    """Keep what a recording teaches the onset network.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Record
        With ``instruments``, those of its notes, and ``examples``, how many there are.
    """
    name = f"{FOLDER}/{task.id}.npz"

    def make() -> Made:
        recording, score, witness = task.files()
        aligned = align_files(recording, score, task.settings, witness=witness, examples=True)
        quality = aligned.alignment.quality
        rejected = quality is not None and str(quality.verdict) == REJECT
        examples = () if rejected else aligned.alignment.warping.examples
        _write_examples(task.root / name, examples)
        programs = {int(program) + 1 for program in aligned.notes["program"]}
        return Made([name], {"instruments": sorted(programs), "examples": len(examples)})

    try:
        return make_once(task.root / FOLDER / f"{task.id}.json", task.root, task.made_from(), make)[0]
    finally:
        task.drop_copies()


def learn(root: str, instruments: Sequence[int], files: Sequence[dict[str, str]]) -> Record:
    """Let the network of the package learn from the recordings of one instrumentation.

    Parameters
    ----------
    root : str
        The dataset's folder.
    instruments : sequence of int
    files : sequence of dict
        Hashes of the examples of each recording, by their place from the folder.

    Returns
    -------
    Record
        Of the network's file.
    """
    folder, name = Path(root), f"{FOLDER}/{_network_name(instruments)}"
    digests = [digest for record in files for digest in record.values()]
    made_from = {"examples": sha256_of_values(digests), "code": code_fingerprint(*LABELS, "datasets.collection")}

    def make() -> Made:
        share = MOST_EXAMPLES // len(files)
        examples = [one for record in files for place in record for one in _read_examples(folder / place, share)]
        write_onset_model(folder / f"{name}.npz", fine_tuned(onset_model(), examples, TRAINING))
        return Made([f"{name}.npz"], {"instruments": list(instruments), "examples": len(examples)})

    return make_once(folder / f"{name}.json", folder, made_from, make)[0]


def _write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write examples, the channels in half precision: what they are measured in is no finer."""
    columns = [np.stack(column) for column in zip(*examples, strict=True)] if examples else [np.zeros(0)] * 3
    channels, target, allowed = columns
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, channels=channels.astype(np.float16), target=target, allowed=allowed)


def _read_examples(path: Path, most: int) -> list[Example]:
    with np.load(path, allow_pickle=False) as arrays:
        columns = [arrays[name] for name in ("channels", "target", "allowed")]
    step = max(1, -(-len(columns[0]) // max(most, 1)))
    rows = zip(*(column[::step] for column in columns), strict=True)
    return [Example(channels.astype(np.float32), target, allowed) for channels, target, allowed in rows]
