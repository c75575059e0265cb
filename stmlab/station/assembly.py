"""A station put together from its file: RF path, limits, connections, guards, the simulated microscope."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from stmlab.config_files import built, imported
from stmlab.errors import StationError, StmlabError
from stmlab.station.guards import GuardedBias, GuardedGenerator, GuardedLockIn, GuardedSpectroscope, GuardedTip
from stmlab.station.limits import Limit
from stmlab.station.outputs import Junction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.clock import Clock
    from stmlab.station.configuration import StationConfig
    from stmlab.station.instruments import Device, RadioFrequencyPath
    from stmlab.station.outputs import Outputs
    from stmlab.station.wire.place import Wire

ROLES = ("spectroscopy", "bias", "lockin", "generator", "tip")
"""Of instruments; where one fills several, the guard of the last of them knows most of it."""


def rf_path(config: StationConfig, path: Path, transfer: str | Path | None = None) -> RadioFrequencyPath | None:
    """All between generator and junction, or None if the station has no such thing.

    Args:
        config: of the station.
        path: of its file.
        transfer: a measured table of the whole path, in place of what the file says.

    Raises:
        StationError: a part or a table that cannot be had, or a table without a path to which it belongs.
    """
    table = config.rf_path
    if table is None:
        if transfer is not None:
            raise StationError(f"{path}: this station has no rf_path: {transfer} belongs to another one")
        return None
    part = imported(table.part, path, "rf_path.part")
    found = cast(
        "RadioFrequencyPath", built(lambda: part.from_config(table.options, path.parent), path, "rf_path.options")
    )
    return found if transfer is None else found.as_measured(Path(transfer).resolve())


def connected(
    name: str,
    config: StationConfig,
    path: Path,
    simulation: Any,
    permit: Callable[[float], bool],
    *,
    for_guardian: bool = False,
    wire: Wire | None = None,
) -> Device:
    """The driver of one instrument, connected.

    Args:
        name: of the instrument.
        config: of the station.
        path: of its file.
        simulation: the simulated microscope, for addresses that lead there.
        permit: asked before each write with the seconds that an answer may take.
        for_guardian: at the guardian's own address, where there is one.
        wire: records or replays what passes.

    Raises:
        StationError: the driver or its options are wrong, or nothing answers.
    """
    instrument = config.instruments[name]
    driver = imported(instrument.driver, path, f"instruments.{name}.driver")
    address = instrument.guardian_address if for_guardian and instrument.guardian_address else instrument.address
    plug = address.removeprefix("simulation:")

    def place() -> Any:
        return simulation.adapter(plug) if plug != address else address

    try:
        device = driver(place() if wire is None else wire.place(name, place), name=name, **instrument.options)
    except StmlabError as error:
        raise StationError(f"{path}: instruments.{name}.address = {address!r}: {error}") from error
    except (TypeError, ValueError) as error:
        raise StationError(f"{path}: instruments.{name}.options: {error}") from error
    if instrument.live_address and not for_guardian and wire is None:
        if (look_on_at := getattr(device, "look_on_at", None)) is None:
            raise StationError(f"{path}: instruments.{name}.live_address: {instrument.driver} has no use for one")
        look_on_at(instrument.live_address)
    adapter = device.adapter
    adapter.permit = lambda: permit(getattr(adapter, "timeout", 0.0))
    return cast("Device", device)


def limits(config: StationConfig, path: Path) -> dict[str, Limit]:
    """Name -> limit, of every output that the station bounds."""
    units = {"setpoint": "A", "rf_frequency": "Hz"}
    said = {"modulation": "modulation (rms at the lock-in's sine output)"}
    return {
        name: Limit(
            said.get(name, name),
            units.get(name, "V"),
            limit.low,
            limit.high,
            f"{path}: limits.{name}",
            getattr(limit, "largest_step", None),
            getattr(limit, "slew", None),
        )
        for name in type(config.limits).model_fields
        if name != "junction_total" and (limit := getattr(config.limits, name)) is not None
    }


def junction(config: StationConfig, path: Path) -> Junction:
    """How outputs add up at the junction, and what they may come to."""
    total, modulation = config.limits.junction_total, config.modulation
    return Junction(
        total.high if total else config.limits.bias.largest_magnitude,
        f"{path}: " + ("limits.junction_total" if total else "limits.bias, as there is no limits.junction_total"),
        modulation.divider if modulation else None,
    )


def guards(
    config: StationConfig,
    devices: Mapping[str, Device],
    bounds: Mapping[str, Limit],
    outputs: Outputs,
    clock: Clock,
    line: RadioFrequencyPath | None,
    before_closing: Callable[[], None],
) -> dict[str, tuple[str, Any]]:
    """Role -> name of its instrument and the guard in front of its driver.

    Raises:
        StationError: an output has no limit.
    """
    drivers: dict[str, tuple[str, Any]] = {
        role: (name, devices[name]) for name, instrument in config.instruments.items() for role in instrument.roles
    }
    bias, tip = drivers.get("bias"), drivers.get("tip")
    smallest = config.limits.bias.smallest_with_feedback
    found: dict[str, Any] = {}
    if bias:
        found["bias"] = GuardedBias(
            *bias,
            outputs,
            limit=bounds["bias"],
            clock=clock,
            tip=tip[1] if tip else None,
            smallest_with_feedback=smallest,
        )
    if tip:
        found["tip"] = GuardedTip(
            *tip,
            outputs,
            setpoint=bounds["setpoint"],
            source=bias,
            smallest_with_feedback=smallest,
            before_closing=before_closing,
        )
    if generator := drivers.get("generator"):
        found["generator"] = GuardedGenerator(
            *generator,
            outputs,
            frequency=bounds["rf_frequency"],
            amplitude=bounds["rf_amplitude"],
            junction=bounds.get("junction_amplitude"),
            path=line,
        )
    if spectroscopy := drivers.get("spectroscopy"):
        found["spectroscopy"] = GuardedSpectroscope(*spectroscopy, outputs, bias=bounds["bias"])
    if lockin := drivers.get("lockin"):
        aux = config.instruments[lockin[0]].aux_outputs
        found["lockin"] = GuardedLockIn(*lockin, outputs, modulation=bounds.get("modulation"), aux_outputs=aux)
    return {role: (drivers[role][0], guard) for role, guard in found.items()}


def check_reachable(config: StationConfig, path: Path, roles: Mapping[str, tuple[str, Any]]) -> None:
    """Refuse a station whose safe state its instruments cannot reach within its limits.

    Raises:
        StationError: naming the key and what the instrument can.
    """
    limit = config.limits.modulation
    if "lockin" in roles and limit is not None:
        least = float(roles["lockin"][1].least_sine_voltage)
        if least > limit.high:
            raise StationError(
                f"{path}: limits.modulation.high = {limit.high:g} V: the safe state cannot be reached: the smallest "
                f"sine of the lock-in is {least:g} V"
            )
    if "bias" in roles:
        low, high = roles["bias"][1].bias_limits
        if not low <= config.safe.bias <= high:
            raise StationError(
                f"{path}: safe.bias = {config.safe.bias:g} V: the safe state cannot be reached: the range that is "
                f"selected on the instrument is {low:g} to {high:g} V"
            )


def simulated_microscope(
    config: StationConfig,
    path: Path,
    *,
    sample: str | None,
    seed: int | None,
    clock: Clock,
    replay: Mapping[str, Any] | None = None,
) -> Any:
    """The simulated microscope of a station with the faults that are to happen to it, or None if it has none.

    Args:
        config: of the station.
        path: of its file.
        sample: name or file; None takes the configured one.
        seed: None takes the configured one.
        clock: what the microscope lives on.
        replay: a recording that is the sample: "file" and how it is replayed, as in a sample file of that kind.

    Raises:
        StationError: the microscope or the sample cannot be built, a fault cannot happen, or there is a recording to
            be replayed and no microscope.
    """
    simulation = config.simulation
    if simulation is None:
        if replay is not None:
            raise StationError(f"{path}: a recording is replayed on a simulated station only: this one has instruments")
        return None
    maker = imported(simulation.microscope, path, "simulation.microscope")
    microscope = built(
        lambda: maker.from_config(
            simulation.options,
            sample=sample or simulation.sample,
            seed=simulation.seed if seed is None else seed,
            clock=clock,
            directory=path.parent,
            **({} if replay is None else {"replay": replay}),
        ),
        path,
        "simulation.options",
    )
    for number, fault in enumerate(simulation.fault):
        built(partial(microscope.arm, fault), path, f"simulation.fault.{number}")
    return microscope
