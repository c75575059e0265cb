"""Six spin systems that no file ships with, and what is true of each: S = 1/2 to 5/2, oblique fields, two spins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.analysis.systems.runs import coupled


@dataclass(frozen=True)
class Known:
    """A file's text, true values, places (conductance, field, temperature), and the bias up to which it is taken."""

    text: str
    truth: dict[str, float]
    places: tuple[tuple[float, float | None, float | None], ...]
    reach_V: float
    points: int

    @property
    def bias(self) -> np.ndarray:
        return np.linspace(-self.reach_V, self.reach_V, self.points)


PAIR_OF_HALVES = Known(
    """
[spin_system]
label = "heisenberg"
temperature_K = 1.0
field_T = [2.0, 0.0, 5.0]
order = 3
potential_scattering = { start = 0.2, low = 0.0, high = 1.0 }
[spin_system.spins.one]
spin = 0.5
g = 2.0
[spin_system.spins.two]
spin = 0.5
g = 2.0
scattering_S = 1e-7
[spin_system.sample]
coupling = { start = -0.03, low = -0.1, high = 0.0, name = "Jrho" }
"""
    + coupled("pair", "one", "two", '{ start = 2.0, low = 0.5, high = 6.0, name = "J" }')
    + """
[spin_system.alternatives.xy]
without = ["exchanges.pair.heisenberg_meV"]
exchanges.pair.tensor_meV = [[{start = 2.0, low=0.5, high = 6.0, name="J"},0,0],[0,{tied_to="J"},0],[0,0,0]]
[spin_system.alternatives.single]
without = ["spins.two", "exchanges"]
spins.one.g = { start = 2.0, low = 1.0, high = 8.0, name = "g" }
""",
    {"J": 3.1, "Jrho": -0.04, "bias_offset": 5e-05, "potential_scattering": 0.35},
    ((1e-07, None, None),),
    0.008,
    161,
)
OBLIQUE_ONE = Known(
    """
[spin_system]
label = "one"
temperature_K = 1.5
field_T = [4.0, 0.0, 4.0]
order = 3
[spin_system.spins.atom]
spin = 1
axial_anisotropy_meV = { start = -3.0, low = -8, high = 8, name = "D" }
transverse_anisotropy_meV = { start = 0.5, low = 0, high = 2, name = "E" }
[spin_system.sample]
coupling = { start = -0.03, name = "Jrho" }
[spin_system.alternatives.three_halves]
spins.atom.spin = 1.5
[spin_system.alternatives.two]
spins.atom.spin = 2
""",
    {"D": -4.1, "E": 0.9, "Jrho": -0.05, "bias_offset": -3e-05},
    ((2e-07, None, None),),
    0.01,
    161,
)
TIP_WITH_A_SPIN = Known(
    """
[spin_system]
label = "heisenberg"
temperature_K = { start = 1.0, low = 0.5, high = 4.0, name = "T" }
field_T = [1.5, 0.0, 2.5]
order = 3
[spin_system.spins.atom]
spin = 1.5
axial_anisotropy_meV = { start = 2.0, low = 0.5, high = 6, name = "D" }
transverse_anisotropy_meV = { start = 0.3, low = 0, high = 1.0, name = "E" }
[spin_system.spins.apex]
spin = 0.5
[spin_system.tip]
follows = "apex"
correlation = { start = 0.1, low = -0.9, high = 0.9, name = "C" }
[spin_system.sample]
coupling = { start = -0.03, name = "Jrho" }
"""
    + coupled("junction", "atom", "apex", '{ per_uS = { start = 2.0, low = -8, high = 8, name = "J" } }')
    + """
[spin_system.alternatives.induced]
without = ["exchanges", "spins.apex", "tip"]
spins.atom.axial_anisotropy_meV = { start = 2, low = 0.5, high = 6, name = "D", per_uS = { start = 0, name = "D1" } }
""",
    {"D": 2.7, "E": 0.45, "J": 3.4, "C": -0.4, "Jrho": -0.06, "T": 1.2, "bias_offset": 2e-05},
    ((5e-08, None, None), (2e-07, None, None), (5e-07, None, None)),
    0.01,
    121,
)
TIP_POLARISED_BY_THE_FIELD = Known(
    """
[spin_system]
label = "two"
field_direction = [0.5, 0.0, 1.0]
order = 2
potential_scattering = { start = 0.3, low = -2.0, high = 2.0, name = "U" }
[spin_system.spins.atom]
spin = 2
axial_anisotropy_meV = { start = -1.0, low = -4, high = 0, name = "D" }
transverse_anisotropy_meV = { start = 0.2, low = 0, high = 0.8, name = "E" }
g = { start = 2.0, low = 1.5, high = 2.5, name = "g" }
[spin_system.tip]
field_polarisation = { start = 0.2, low = -0.9, high = 0.9, name = "P" }
saturation_field_T = 1.5
[spin_system.alternatives.five_halves]
spins.atom.spin = 2.5
[spin_system.alternatives.three_halves]
spins.atom.spin = 1.5
[spin_system.alternatives.unpolarised]
without = ["tip"]
""",
    {"D": -1.6, "E": 0.31, "g": 2.1, "P": 0.45, "U": 0.6, "bias_offset": 1e-05},
    ((1e-07, 1.0, 0.8), (1e-07, 3.0, 0.8), (1.3e-07, 6.0, 0.8)),
    0.009,
    121,
)
TILTED_FIVE_HALVES = Known(
    """
[spin_system]
label = "five_halves"
temperature_K = 0.6
field_T = [0.0, 3.0, 5.0]
order = 3
[spin_system.spins.atom]
spin = 2.5
axial_anisotropy_meV = { start = 0.5, low = -2, high = 2, name = "D" }
transverse_anisotropy_meV = { start = 0.1, low = 0, high = 0.5, name = "E" }
axis = [1, 0, 1]
transverse_axis = [0, 1, 0]
g = 1.98
[spin_system.tip]
polarisation = [0, 0, { start = 0.0, low = -0.8, high = 0.8, name = "P" }]
[spin_system.sample]
coupling = { start = -0.02, name = "Jrho" }
[spin_system.alternatives.two]
spins.atom.spin = 2
[spin_system.alternatives.upright]
spins.atom.axis = [0, 0, 1]
spins.atom.transverse_axis = [1, 0, 0]
""",
    {"D": -0.62, "E": 0.2, "P": 0.35, "Jrho": -0.03, "bias_offset": 0.0},
    ((1e-07, None, None),),
    0.007,
    161,
)
TWO_SPIN_SAMPLE = Known(
    """
[spin_system]
label = "heisenberg"
temperature_K = 1.0
field_T = [3.0, 0.0, 1.0]
order = 2
potential_scattering = { start = 0.1, low = 0, high = 1, name = "U" }
[spin_system.spins.below]
spin = 1
axial_anisotropy_meV = { start = -3.0, low = -7, high = -1, name = "D" }
transverse_anisotropy_meV = { start = 0.3, low = 0, high = 1.5, name = "E" }
[spin_system.spins.beside]
spin = 1.5
axial_anisotropy_meV = { tied_to = "D", factor = 0.5 }
scattering_S = 2e-7
"""
    + coupled("bond", "below", "beside", '{ start = 0.5, low = -3, high = 3, name = "J" }')
    + """
[spin_system.alternatives.alone]
without = ["exchanges", "spins.beside"]
[spin_system.alternatives.spin_one]
spins.beside.spin = 1
""",
    {"D": -3.6, "E": 0.6, "J": 0.9, "U": 0.3, "bias_offset": 0.0},
    ((1e-07, None, None), (3e-07, None, None)),
    0.012,
    161,
)
KNOWN = {
    "pair_of_halves": PAIR_OF_HALVES,
    "oblique_one": OBLIQUE_ONE,
    "tip_with_a_spin": TIP_WITH_A_SPIN,
    "tip_polarised_by_the_field": TIP_POLARISED_BY_THE_FIELD,
    "tilted_five_halves": TILTED_FIVE_HALVES,
    "two_spin_sample": TWO_SPIN_SAMPLE,
}
