"""A spin system of a file: its parameters, and the junction that they make under given conditions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import FitError
from stmlab.physics.baths import DEFAULT_RELAXATION_S, DEFAULT_SCATTERING_S, Bath, Electrode
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction
from stmlab.systems.parameters import Gathering, Law, Parameter, is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stmlab.physics.arguments import Tensor, Vector
    from stmlab.systems.form import ElectrodeTable, SystemTable
    from stmlab.systems.quantity import Quantity

_XYZ = ("x", "y", "z")
_ALONG_Z = (0.0, 0.0, 1.0)
_ASKED_FOR = "bias_offset_V", "temperature_K"  # which the conditions may say, or nobody asks for
_SCATTERS = ".scattering_"
_SHARED = 4096  # spins, or electrons, that are kept


@dataclass(frozen=True)
class Conditions:
    """What differs from spectrum to spectrum, as far as it is known.

    Attributes:
        conductance_S: of the junction (G12).
        field_T: size of the field, along the system's ``field_direction``.
        temperature_K: of electrons and spins.
        height_m: of the tip, above where the conductance is the reference's; None: as the conductance says,
            G = G_0 exp(-2 kappa z).
    """

    conductance_S: float
    field_T: float | None = None
    temperature_K: float | None = None
    height_m: float | None = None


@dataclass(frozen=True, eq=False)
class System:
    """A spin system.

    Attributes:
        label: how it is called beside its alternatives.
        table: of its file.
        decay_constant_per_m: kappa.
        alternatives: to be compared with it.
        title: for people.
    """

    label: str
    table: SystemTable
    decay_constant_per_m: float
    alternatives: tuple[System, ...] = ()
    title: str = ""
    _laws: dict[str, Law] = field(default_factory=dict, init=False, repr=False)
    _parameters: dict[str, Parameter] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        found = Gathering()
        for path, quantity in _quantities(self.table):
            kind = next(part for part in reversed(path.split(".")) if is_number(part))
            self._laws[path] = found.law(path, quantity, kind)
        found.check_ties()
        self._parameters.update(found.parameters)

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which finds out anew what is kept here to be faster."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """What is fitted, by name, in the order of the file."""
        return self._parameters

    def starts(self) -> dict[str, float]:
        """The first start of each parameter; of those that only the spectra say, none."""
        return {name: one.starts[0] for name, one in self._parameters.items() if one.starts}

    def junction(self, values: Mapping[str, float], at: Conditions) -> TunnelJunction:
        """The junction for values of all parameters.

        Raises:
            PhysicsError: the transport model is not defined there.
            FitError: the temperature, or the size of a field whose direction is in the file, is nowhere.
        """
        find = self._numbers_at(values, at)
        field_T = self._field(find, at)
        spins = self._shared_spins(tuple(map(find, self._paths_of_spins)), field_T)
        tip, sample, baths = self._shared_electrons(tuple(map(find, self._paths_of_electrons)), field_T)
        table = self.table
        return TunnelJunction(
            spins,
            self.temperature(values, at),
            at.conductance_S,
            coupled_spin=self._coupled_spin,
            tip=tip,
            sample=sample,
            baths=baths,
            potential_scattering=find("potential_scattering"),
            polarising_state=table.polarising_state,
            occupation=table.occupation,
            order=table.order,
            coupling=find("sample.coupling"),
            tip_coupling=find("tip.coupling"),
            bandwidth_meV=table.bandwidth_meV,
            broadening_meV=table.broadening_meV,
            pole=table.pole,
            equation=table.equation,
        )

    def bias_offset(self, values: Mapping[str, float]) -> float:
        """V at the junction is the bias less this, V."""
        return self._laws["bias_offset_V"].at(values, 0.0, 0.0)

    def temperature(self, values: Mapping[str, float], at: Conditions) -> float:
        """In K: as the file says it, else as the conditions do.

        Raises:
            FitError: nobody does.
        """
        said = self.table.temperature_K is not None and self.table.temperature_K.start == "steps"
        if said and at.temperature_K is not None:
            return at.temperature_K
        if (law := self._laws.get("temperature_K")) is not None:
            return law.at(values, at.conductance_S, self._height(at))
        if at.temperature_K is None:
            raise FitError(
                f"{self.label}: the temperature is not known: give temperature, or temperature_K in the system's file"
            )
        return at.temperature_K

    @property
    def wants_field(self) -> bool:
        """Whether the size of the field is that of the data."""
        return self.table.field_T is None

    @property
    def wants_temperature(self) -> bool:
        """Whether the temperature is that of the data, or that of their steps where they do not say it."""
        return self.table.temperature_K is None or self.table.temperature_K.start == "steps"

    @cached_property
    def names_by_key(self) -> Mapping[str, frozenset[str]]:
        """Path of a number -> the parameters that it depends on."""
        return {path: frozenset(law.names) for path, law in self._laws.items()}

    @cached_property
    def offset_names(self) -> frozenset[str]:
        """Of the parameter that is the offset of the bias, if it is one."""
        return self.names_by_key["bias_offset_V"]

    @cached_property
    def slopes_by_conductance(self) -> frozenset[str] | None:
        """Parameters that are nothing but what numbers grow by per uS, where numbers depend on G in no other way.

        Then the derivative of a spectrum by ln G, through these numbers, is the sum of each parameter times that by it.
        None where some number depends on G in another way.
        """
        slopes, others = set[str](), set[str]()
        for law in self._laws.values():
            if law.decay_length_m is not None:
                return None
            others |= {law.base} if isinstance(law.base, str) else set()
            if law.per_uS is not None:
                if not isinstance(law.per_uS.base, str) or law.per_uS.varies:
                    return None
                slopes.add(law.per_uS.base)
        return None if slopes & others else frozenset(slopes)

    def _height(self, at: Conditions) -> float:
        if at.height_m is not None:
            return at.height_m
        return math.log(self.table.conductance_S / at.conductance_S) / (2.0 * self.decay_constant_per_m)

    def _field(self, find: _Numbers, at: Conditions) -> Vector:
        if self.table.field_T is not None:
            return find.three("field_T")
        if self.table.field_direction is not None and at.field_T is None:
            raise FitError(f"{self.label}: the field is not known: give field, or field_T in the system's file")
        x, y, z = self.table.field_direction or _ALONG_Z
        along = (at.field_T or 0.0) / self._field_length
        return along * x, along * y, along * z

    @cached_property
    def _field_length(self) -> float:
        """Of the direction of the field, as the file gives it."""
        return float(np.linalg.norm(self.table.field_direction or _ALONG_Z))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Name of a spin -> its number."""
        return {name: number for number, name in enumerate(self.table.spins)}

    @property
    def coupled_spin_name(self) -> str:
        """Of the spin that electrons tunnel through."""
        return self.table.coupled_spin or next(iter(self.table.spins))

    @property
    def _coupled_spin(self) -> int:
        return self._numbers[self.coupled_spin_name]

    # -- numbers -------------------------------------------------------------------------------------------------------

    def _numbers_at(self, values: Mapping[str, float], at: Conditions) -> _Numbers:
        height_m = self._height(at)
        varied = {path: law.at(values, at.conductance_S, height_m) for path, law in self._varied.items()}
        return _Numbers(self._constant | varied)

    @cached_property
    def _constant(self) -> dict[str, float]:
        """Numbers of the junction that are always the same."""
        return {path: law.base for path, law in self._laws.items() if not isinstance(law.base, str) and not law.varies}

    @cached_property
    def _varied(self) -> dict[str, Law]:
        """Of the others, but for those that have their own way to be asked for."""
        return {path: law for path, law in self._laws.items() if path not in {*self._constant, *_ASKED_FOR}}

    @cached_property
    def _paths_of_spins(self) -> tuple[str, ...]:
        return tuple(path for path in self._laws if path.startswith(("spins.", "exchanges.")) and _SCATTERS not in path)

    @cached_property
    def _paths_of_electrons(self) -> tuple[str, ...]:
        """Of tip and sample, and of the baths."""
        return tuple(path for path in self._laws if path.startswith(("tip.", "sample.")) or _SCATTERS in path)

    @cached_property
    def _shared_spins(self) -> Callable[[tuple[float, ...], Vector], SpinSystem]:
        """The same object for the same numbers: junctions that share it are faster."""

        def made(numbers: tuple[float, ...], field_T: Vector) -> SpinSystem:
            return self._spins(_Numbers(dict(zip(self._paths_of_spins, numbers, strict=True))), field_T)

        return lru_cache(maxsize=_SHARED)(made)

    @cached_property
    def _shared_electrons(
        self,
    ) -> Callable[[tuple[float, ...], Vector], tuple[Electrode, Electrode, tuple[Bath, ...]]]:
        """Tip, sample and baths."""

        def made(numbers: tuple[float, ...], field_T: Vector) -> tuple[Electrode, Electrode, tuple[Bath, ...]]:
            find = _Numbers(dict(zip(self._paths_of_electrons, numbers, strict=True)))
            tip, sample = (self._electrode(find, name, field_T) for name in ("tip", "sample"))
            return tip, sample, self._baths(find)

        return lru_cache(maxsize=_SHARED)(made)

    # -- what they are of ----------------------------------------------------------------------------------------------

    def _spins(self, find: _Numbers, field_T: Vector) -> SpinSystem:
        spins = tuple(self._spin(find, name) for name in self.table.spins)
        exchanges = tuple(one for name in self.table.exchanges for one in self._exchanges(find, name))
        x, y, z = self.table.quantisation_axis
        return SpinSystem(spins, exchanges, field_T, (x, y, z))

    def _spin(self, find: _Numbers, name: str) -> Spin:
        table, path = self.table.spins[name], f"spins.{name}"
        axis = find.three(f"{path}.axis") if table.axis is not None else _ALONG_Z
        across = find.three(f"{path}.transverse_axis") if table.transverse_axis is not None else None
        anisotropy = find(f"{path}.axial_anisotropy_meV"), find(f"{path}.transverse_anisotropy_meV")
        if not isinstance(table.g, list):
            return Spin(table.spin, *anisotropy, find(f"{path}.g"), axis, across)
        if isinstance(table.g[0], list):
            return Spin(table.spin, *anisotropy, find.matrix(f"{path}.g"), axis, across)
        axes = Spin(table.spin, axis=axis, transverse_axis=across).axes
        tensor = axes.T @ np.diag(find.three(f"{path}.g")) @ axes
        return Spin(table.spin, *anisotropy, tensor, axis, across)  # type: ignore[arg-type]

    def _exchanges(self, find: _Numbers, name: str) -> Iterator[Exchange]:
        table, path = self.table.exchanges[name], f"exchanges.{name}"
        pair = (self._numbers[table.between[0]], self._numbers[table.between[1]])
        if table.heisenberg_meV is not None:
            yield Exchange.heisenberg(*pair, find(f"{path}.heisenberg_meV"))
        if table.ising_meV is not None:
            yield Exchange.ising(*pair, find(f"{path}.ising_meV"), table.ising_axis)
        if table.dzyaloshinskii_moriya_meV is not None:
            yield Exchange.dzyaloshinskii_moriya(*pair, find.three(f"{path}.dzyaloshinskii_moriya_meV"))
        if table.tensor_meV is not None:
            yield Exchange(*pair, find.matrix(f"{path}.tensor_meV"))

    def _electrode(self, find: _Numbers, name: str, field_T: Vector) -> Electrode:
        table: ElectrodeTable = getattr(self.table, name)
        x, y, z = find.three(f"{name}.polarisation") if table.polarisation is not None else (0.0, 0.0, 0.0)
        size = float(np.linalg.norm(field_T)) if table.field_polarisation is not None else 0.0
        if size > 0.0:
            along = find(f"{name}.field_polarisation") / size
            if table.saturation_field_T is not None:
                along *= math.tanh(size / find(f"{name}.saturation_field_T"))
            x, y, z = x + along * field_T[0], y + along * field_T[1], z + along * field_T[2]
        if table.follows is None:
            return Electrode((x, y, z))
        return Electrode((x, y, z), find(f"{name}.correlation"), self._numbers[table.follows])

    def _baths(self, find: _Numbers) -> tuple[Bath, ...]:
        baths = []
        for name, number in self._numbers.items():
            table = self.table.spins[name]
            default = DEFAULT_SCATTERING_S if number == self._coupled_spin else DEFAULT_RELAXATION_S
            strength = default if table.scattering_S is None else find(f"spins.{name}.scattering_S")
            path = f"spins.{name}.scattering_polarisation"
            baths.append(Bath(number, strength, find.three(path) if path + ".x" in self._laws else (0.0, 0.0, 0.0)))
        return tuple(baths)


@dataclass(frozen=True)
class _Numbers:
    """The numbers of a file by their path, for values of the parameters."""

    by_path: Mapping[str, float]

    def __call__(self, path: str) -> float:
        return self.by_path[path]

    def three(self, path: str) -> Vector:
        x, y, z = (self(f"{path}.{axis}") for axis in _XYZ)
        return x, y, z

    def matrix(self, path: str) -> Tensor:
        x, y, z = (self.three(f"{path}.{axis}") for axis in _XYZ)
        return x, y, z


def _quantities(table: object, path: str = "") -> Iterator[tuple[str, Quantity]]:
    """Every number of a table and the tables in it, with its path; components of vectors are x, y, z."""
    from pydantic import BaseModel

    from stmlab.systems.quantity import Quantity

    if isinstance(table, Quantity):
        yield path, table
    elif isinstance(table, BaseModel | dict):
        parts = (
            table.items()
            if isinstance(table, dict)
            else ((name, getattr(table, name)) for name in type(table).model_fields)
        )
        for name, part in parts:
            yield from _quantities(part, f"{path}.{name}" if path else name)
    elif isinstance(table, list) and len(table) == len(_XYZ):
        for axis, part in zip(_XYZ, table, strict=True):
            yield from _quantities(part, f"{path}.{axis}")
