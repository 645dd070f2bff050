"""What a GPU would save: in training a model, and in the onset network of alignments.

    PYTHONPATH=tests python tests/benchmarks/bench_gpu.py [--cpu-only] [--preset paper] [--minutes 6]

Trains a model of ``baselines.models.musicnet`` for a hundred steps on two cores and on the GPU, with the same seed, on
sines made on the spot: examples a second, and the loss of each step, that the two can be compared. Then runs the onset
network of ``precise`` over some minutes of noise with numba, as alignments do, and with PyTorch. Times are of the
clock, so the machine should be idle.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from made_package import write_package

from musicnet_build.features.onsets import (
    CONTEXT_FRAMES,
    HOP_S,
    OnsetSpectrograms,
    onset_activations,
    onset_model,
    pitch_channels,
)

STEPS, UNTIMED = 100, 10
CORES = 2
PITCHES = range(45, 85)
SEED = 0


def imported():
    """PyTorch, and the seconds until it can compute on its devices."""
    started = time.perf_counter()
    try:
        import torch
    except ImportError:
        sys.exit("this needs PyTorch: pip install 'musicnet_build[baselines]'.")
    if torch.cuda.is_available():
        torch.zeros(1, device="cuda")
    return torch, time.perf_counter() - started


def finished(torch, device):
    """The time on the clock, once the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def trained(torch, model, preset, package, device):
    """Examples a second, and the loss of each step."""
    from musicnet_build.baselines.models.musicnet import MODELS
    from musicnet_build.baselines.training import learn

    settings = replace(MODELS[model].presets[preset], validation_windows=10)
    torch.manual_seed(SEED)
    network = MODELS[model].network(settings).to(device)
    task = MODELS[model].task(network, package, settings, SEED)
    losses = []
    for step in range(STEPS):
        if step == UNTIMED:
            started = finished(torch, device)
        batch = tuple(part.to(device) for part in task.batch(step))
        losses.append(learn(network, task, step, batch, SEED))
    taken_s = finished(torch, device) - started
    return (STEPS - UNTIMED) * settings.batch_size / taken_s, [loss.item() for loss in losses]


def print_training(torch, model, preset, devices):
    with tempfile.TemporaryDirectory() as folder:
        package = write_package(Path(folder) / "musicnet.h5", seconds=10.0)
        found = {device: trained(torch, model, preset, package, device) for device in devices}
    print(f"\n| {model}, {preset} | {' | '.join(devices)} |\n|---|{'---:|' * len(devices)}")
    print(f"| examples a second | {' | '.join(f'{speed:,.0f}' for speed, _ in found.values())} |")
    for step in (0, 1, 2, 5, 10, 20, 50, STEPS - 1):
        print(f"| loss of step {step + 1} | {' | '.join(f'{losses[step]:.6f}' for _, losses in found.values())} |")
    if len(found) > 1:
        one, other = (np.array(losses) for _, losses in found.values())
        print(f"\nLosses differ by {np.abs(one - other).max() / one.max():.1e} of the largest at most.", flush=True)


def noise_spectrograms(minutes):
    """Spectrograms as long as some minutes of music; what is in them costs the same."""
    random, frames = np.random.default_rng(SEED), round(60 * minutes / HOP_S)
    bands = [np.abs(random.standard_normal((frames, 112), dtype=np.float32)) for _ in range(2)]
    return OnsetSpectrograms(*bands, np.abs(random.standard_normal(frames, dtype=np.float32)))


def torch_network(torch, device):
    """The onset network as a function of channels [1, channels, frames + context]."""
    weights = {name: torch.from_numpy(values).to(device) for name, values in onset_model().weights().items()}
    kernel = weights["taps"].permute(2, 1, 0).contiguous()

    def network(channels):
        hidden = torch.relu(torch.nn.functional.conv1d(channels, kernel, weights["taps_bias"]))[0]
        mixed = torch.relu(weights["mixer"].T @ hidden + weights["mixer_bias"][:, None])
        return weights["output"] @ mixed

    return network


def padded(torch, seen, pitch):
    channels = np.pad(pitch_channels(seen, pitch).T, ((0, 0), (CONTEXT_FRAMES, CONTEXT_FRAMES)), mode="edge")
    return torch.from_numpy(channels)[None]


def timed(torch, device, work):
    """Seconds of the faster of two runs, after one that compiles, and what the work returns."""
    work()
    seconds = []
    for _ in range(2):
        started = finished(torch, device)
        found = work()
        seconds.append(finished(torch, device) - started)
    return min(seconds), found


def onset_rows(torch, seen, devices):
    """Name, seconds, and the largest difference from what numba computes."""
    taken_s, expected = timed(torch, "cpu", lambda: onset_activations(seen, PITCHES))
    yield "numba, as alignments do it", taken_s, 0.0
    for device in devices:
        network = torch_network(torch, device)

        def whole(device=device, network=network):
            return {pitch: network(padded(torch, seen, pitch).to(device)).cpu().numpy() for pitch in PITCHES}

        taken_s, found = timed(torch, device, whole)
        yield f"PyTorch on {device}, to the device and back", taken_s, difference(found, expected)
        there = {pitch: padded(torch, seen, pitch).to(device) for pitch in PITCHES}

        def alone(network=network, there=there):
            return {pitch: network(channels) for pitch, channels in there.items()}

        taken_s, found = timed(torch, device, alone)
        there = {pitch: curve.cpu() for pitch, curve in found.items()}
        yield f"PyTorch on {device}, the network alone", taken_s, difference(there, expected)


def difference(found, expected):
    return max(float(np.abs(np.asarray(found[pitch]) - expected[pitch]).max()) for pitch in PITCHES)


def print_onsets(torch, minutes, devices, start_s):
    print(f"\n| onset network, {minutes:g} minutes, {len(PITCHES)} pitches | s | differs by |\n|---|---:|---:|")
    taken = {}
    with torch.no_grad():
        for name, taken_s, differs in onset_rows(torch, noise_spectrograms(minutes), devices):
            taken[name] = taken_s
            print(f"| {name} | {taken_s:.2f} | {differs:.1e} |", flush=True)
    saved_s = taken["numba, as alignments do it"] - taken[f"PyTorch on {devices[-1]}, to the device and back"]
    told = f"after {start_s / saved_s:.1f} such recordings" if saved_s > 0 else "never"
    print(f"\nPyTorch and its devices are ready after {start_s:.1f} s; {devices[-1]} has won that back {told}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu-only", action="store_true", help="measure without a GPU")
    parser.add_argument("--model", default="musicnet-cnn", help="of baselines.models.musicnet")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--minutes", type=float, default=6.0)
    asked = parser.parse_args()
    torch, start_s = imported()
    if not asked.cpu_only and not torch.cuda.is_available():
        sys.exit("no CUDA device can be used here; --cpu-only measures the CPU alone.")
    torch.set_num_threads(CORES)
    devices = ["cpu"] if asked.cpu_only else ["cpu", "cuda"]
    named = "" if asked.cpu_only else f", {torch.cuda.get_device_name()}"
    print(f"PyTorch {torch.__version__}, {CORES} threads{named}")
    print_training(torch, asked.model, asked.preset, devices)
    print_onsets(torch, asked.minutes, devices, start_s)


if __name__ == "__main__":
    main()
