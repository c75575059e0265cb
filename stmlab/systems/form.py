"""The tables of a spin system's file, as pydantic checks them. All numbers in the units of their names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stmlab.physics.junction import Equation, Occupation, PolarisingState
from stmlab.physics.third_order import Pole
from stmlab.systems.quantity import Finite, Quantity

ThreeNumbers = Annotated[list[Finite], Field(min_length=3, max_length=3)]
Three = Annotated[list[Quantity], Field(min_length=3, max_length=3)]
Matrix = Annotated[list[Three], Field(min_length=3, max_length=3)]
Name = Annotated[str, Field(pattern=r"^[\w-]+$")]
ZERO = Quantity(value=0.0)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SpinTable(_Table):
    """One spin: see `stmlab.physics.spins.Spin`; ``scattering_S`` is what relaxes it."""

    spin: float = Field(gt=0, le=10, multiple_of=0.5)
    axial_anisotropy_meV: Quantity = ZERO
    transverse_anisotropy_meV: Quantity = ZERO
    axis: Three | None = None
    transverse_axis: Three | None = None
    g: Quantity | Three | Matrix = Quantity(value=2.0)
    scattering_S: Quantity | None = None
    scattering_polarisation: Three | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_kind_of_g(cls, given: Any) -> Any:
        """A number, three principal values or a tensor: which one it is meant to be decides what is checked."""
        if isinstance(given, dict) and (g := given.get("g")) is not None:
            kind: type[_OneNumber | _Principal | _Tensor] = _OneNumber
            if isinstance(g, list):
                kind = _Tensor if g and isinstance(g[0], list) else _Principal
            return {**given, "g": kind.model_validate({"g": g}).g}
        return given


class _OneNumber(_Table):
    g: Quantity


class _Principal(_Table):
    g: Three


class _Tensor(_Table):
    g: Matrix


class ExchangeTable(_Table):
    """Coupling of two spins: everything that is given adds up; see `stmlab.physics.spins.Exchange`."""

    between: Annotated[list[str], Field(min_length=2, max_length=2)]
    heisenberg_meV: Quantity | None = None
    ising_meV: Quantity | None = None
    ising_axis: ThreeNumbers = [0.0, 0.0, 1.0]
    dzyaloshinskii_moriya_meV: Three | None = None
    tensor_meV: Matrix | None = None

    @model_validator(mode="after")
    def _couples(self) -> ExchangeTable:
        kinds = ("heisenberg_meV", "ising_meV", "dzyaloshinskii_moriya_meV", "tensor_meV")
        if all(getattr(self, kind) is None for kind in kinds):
            raise ValueError(f"one of {', '.join(kinds)} is needed")
        if not any(self.ising_axis):
            raise ValueError("ising_axis: a direction that is not zero is needed")
        return self


class ElectrodeTable(_Table):
    """Electrons of the tip or of the sample: see `stmlab.physics.baths.Electrode`.

    Attributes:
        polarisation: fixed vector P.
        field_polarisation: P along the field, times tanh(B / ``saturation_field_T``) where that is given.
        correlation, follows: C of Muenks et al., and the spin that the electrons follow.
        coupling: J rho, Kondo coupling of these electrons to the spin that is tunnelled through (third order).
    """

    polarisation: Three | None = None
    field_polarisation: Quantity | None = None
    saturation_field_T: Quantity | None = None
    correlation: Quantity | None = None
    follows: str | None = None
    coupling: Quantity = ZERO

    @model_validator(mode="after")
    def _follows_a_spin(self) -> ElectrodeTable:
        if (self.correlation is None) != (self.follows is None):
            raise ValueError("correlation and follows, the spin that the electrons follow, belong together")
        return self


class SystemTable(_Table):
    """The table [spin_system]: see `stmlab.physics.junction.Junction` for its numbers.

    Attributes:
        label: how the system is called beside its alternatives; by default as its file.
        coupled_spin: through which electrons tunnel; by default the first.
        temperature_K: None: as the data say.
        field_T: the field as a vector; or
        field_direction: its direction, where its size is that of the data; by default z.
        conductance_S: at the reference height, from which heights count.
        equation: of the spins' state; automatic has coherences of close levels, in more time.
    """

    label: str = ""
    spins: dict[Name, SpinTable] = Field(min_length=1)
    exchanges: dict[Name, ExchangeTable] = {}
    coupled_spin: str = ""
    tip: ElectrodeTable = ElectrodeTable()
    sample: ElectrodeTable = ElectrodeTable()
    temperature_K: Quantity | None = None
    field_T: Three | None = None
    field_direction: ThreeNumbers | None = None
    quantisation_axis: ThreeNumbers = [0.0, 0.0, 1.0]
    conductance_S: float = Field(default=0.1e-6, gt=0, allow_inf_nan=False)
    potential_scattering: Quantity = ZERO
    bias_offset_V: Quantity = Quantity(start=0.0, name="bias_offset")
    order: Literal[2, 3] = 2
    bandwidth_meV: float = Field(default=20.0, gt=0, allow_inf_nan=False)
    broadening_meV: float = Field(default=0.005, ge=0, allow_inf_nan=False)
    polarising_state: PolarisingState = PolarisingState.DETAILED
    occupation: Occupation = Occupation.STEADY
    pole: Pole = Pole.EXACT
    equation: Equation = Equation.SECULAR

    @model_validator(mode="after")
    def _names_its_spins(self) -> SystemTable:
        named = {"coupled_spin": self.coupled_spin, "tip.follows": self.tip.follows}
        named |= {"sample.follows": self.sample.follows}
        for name, exchange in self.exchanges.items():
            first, second = exchange.between
            named |= {f"exchanges.{name}.between.0": first, f"exchanges.{name}.between.1": second}
            if first == second:
                raise ValueError(f"exchanges.{name}.between: two different spins are needed")
        for key, spin in named.items():
            if spin and spin not in self.spins:
                raise ValueError(f"{key} = {spin!r}: the spins are {', '.join(self.spins)}")
        offset = self.bias_offset_V
        if offset.tied_to is not None or offset.per_uS is not None or offset.decay_length_m is not None:
            raise ValueError("bias_offset_V is given or fitted, and no more")
        if self.field_T is not None and self.field_direction is not None:
            raise ValueError("field_T and field_direction exclude each other: the size is given, or that of the data")
        for name in ("field_direction", "quantisation_axis"):
            if (axis := getattr(self, name)) is not None and not any(axis):
                raise ValueError(f"{name}: a direction that is not zero is needed")
        if self.order == 2 and (self.tip.coupling != ZERO or self.sample.coupling != ZERO):
            raise ValueError("coupling acts in third order only: give order = 3")
        return self
