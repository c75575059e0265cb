"""The array types that the whole package uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
SampleArray = NDArray[np.int8]
"""Waveform samples as an 8-bit generator plays them: -128 ... 127."""
