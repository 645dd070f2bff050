"""One thread for the tests of networks: they are small, and several threads spend their time waiting for each other."""

import contextlib

with contextlib.suppress(ImportError):
    import torch

    torch.set_num_threads(1)
