"""Short names of the array types in signatures, the same in every room.

A waveform (``Audio``) and a spectrogram (``Features``) are both float32; their names tell readers which is meant.
``TypeAliasType`` keeps the short name in ``help()`` and in the API reference, where a plain alias would be spelled out.
What is particular to one trade has its name there (``notes.NoteTable``).
"""

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

Audio = TypeAliasType("Audio", NDArray[np.float32])
"""A mono waveform, full scale at ±1; float32 [samples]."""

Features = TypeAliasType("Features", NDArray[np.float32])
"""Features per frame, a spectrogram for instance; float32 [frames, dimensions]."""

Float32s = TypeAliasType("Float32s", NDArray[np.float32])
Float64s = TypeAliasType("Float64s", NDArray[np.float64])
Floats = TypeAliasType("Floats", NDArray[np.floating])
"""Floating-point numbers of any precision."""

Int32s = TypeAliasType("Int32s", NDArray[np.int32])
Int64s = TypeAliasType("Int64s", NDArray[np.int64])
UInt8s = TypeAliasType("UInt8s", NDArray[np.uint8])
Bools = TypeAliasType("Bools", NDArray[np.bool_])
Indices = TypeAliasType("Indices", NDArray[np.intp])
"""Positions in another array, as ``argsort`` and ``searchsorted`` return them."""

Records = TypeAliasType("Records", NDArray[np.void])
"""A structured array, a table with named columns."""
