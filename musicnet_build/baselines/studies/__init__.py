"""Experiments: several trainings, and one page with our table beside the published one.

Each module is a study and has a ``STUDY`` (:mod:`musicnet_build.baselines.studies.study`). It trains through
:func:`musicnet_build.baselines.training.train`, each training in a folder of its own below ``runs/``, so that a study
that was killed goes on with the training that it was at. Where two numbers are compared, they are means over seeds and
stand with their deviation.
"""
