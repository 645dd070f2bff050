"""Models that other people published, trained on our packages: small PyTorch modules, and one trainer for all of them.

The packages exist because studies trained on such data. Here their models are, each in a file that reads like the
section of the paper: the architecture in one screen, beside a choice the statement of the paper that settles it, and
what the paper leaves open named as ours.

======================  ==============================================================================================
``baseline``            what a model is to the trainer: a network, the batch of each step, a loss, a validation
``training``            the trainer: steps, checkpoints, curves; the same seed gives the same weights
``runs``                what a training leaves behind, and how it is read again: weights as safetensors, a record
``catalogue``           models and studies by name, each imported when it is named
``decoding``            what a transcriber says of each frame, and the notes in it
``models``              the networks and their presets, a module a study
``studies``             the experiments: several trainings, one table beside the published one
======================  ==============================================================================================

Decisions that hold for all of them:

- **The batch of a step is a function of the seed and the number of the step.** A training that was killed therefore
  needs no memory of any random generator to go on as if nothing had happened, and threads may prepare batches ahead.
- **Two presets each.** ``paper`` has the sizes of the publication; ``small`` is scaled down to minutes on two cores,
  and every page printed with it says so.
- **No pickles.** Weights and checkpoints are safetensors, with JSON in their header.
- **PyTorch is an extra** (``musicnet_build[baselines]``) and imported by this room alone; training imports nothing that
  reads sound files, so a machine for training needs torch, h5py, safetensors and matplotlib.
"""
