"""Feed a ``frames`` package to PyTorch: a linear frame-wise transcriber, to show how the readers plug in.

pip install torch
musicnet-build generate maps -o tiny && musicnet-build pack frames tiny -o frames.h5
python examples/train_frames.py frames.h5
"""

import argparse

import torch
from torch.utils.data import DataLoader

from musicnet_build.packing.frames import FramesReader


def loader(path: str, split: str, workers: int) -> "DataLoader[tuple[torch.Tensor, torch.Tensor]]":
    """Return batches of windows [64, 5, 229] and targets [64, 88]; a reader is a map-style dataset as it is."""
    reader = FramesReader(path, split, context=5)
    return DataLoader(reader, batch_size=64, shuffle=True, num_workers=workers)  # type: ignore[arg-type]


def train(path: str, split: str, *, epochs: int = 1, workers: int = 2) -> list[float]:
    """Train and return the mean loss of each epoch."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(5 * 229, 88))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = loader(path, split, workers)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for window, target in batches:
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(window), target.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(batches))
    return losses


def main() -> None:
    """Train on the command line's package and print the losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package")
    parser.add_argument("--split", default="configuration_1/fold_1/train")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    for epoch, loss in enumerate(train(options.package, options.split, epochs=options.epochs, workers=options.workers)):
        print(f"epoch {epoch}: loss {loss:.4f}")


if __name__ == "__main__":
    main()
