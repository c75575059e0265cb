"""What every guard is: an allow-list. What a guard does not name cannot be reached through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from stmlab.errors import SequenceError, ValueNotTaken

if TYPE_CHECKING:
    from stmlab.station.outputs import Outputs


class NotAllowed(SequenceError, AttributeError):
    """A property or method of a driver that is not on its guard's list."""


_OF_EVERY_DEVICE = ("snapshot", "check_status", "look", "agrees", "close", "WATCHED", "BY_TURNS")


class Guard:
    """In front of one driver.

    Class attributes:
        _PASSED: properties and methods of the driver that change no output; read and called as they are.
        _SETTINGS: properties that may be set as they are, because they are no outputs; noted in ``last_set``, and
            compared with it when they are read.
        _OUTPUTS: outputs of which nothing is known after a reconnection.

    Args:
        name: of the instrument in the station.
        device: its driver.
        outputs: of the station.

    Outputs are the properties and methods that a guard defines itself.
    """

    _PASSED: ClassVar[tuple[str, ...]] = ()
    _SETTINGS: ClassVar[tuple[str, ...]] = ()
    _OUTPUTS: ClassVar[tuple[str, ...]] = ()

    _AS_THEY_ARE: ClassVar[frozenset[str]] = frozenset()

    __slots__ = ("__device", "_name", "_outputs")

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._AS_THEY_ARE = frozenset((*cls._PASSED, *_OF_EVERY_DEVICE))

    def __init__(self, name: str, device: Any, outputs: Outputs) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_Guard__device", device)
        object.__setattr__(self, "_outputs", outputs)

    def __getattr__(self, name: str) -> Any:
        if name in self._AS_THEY_ARE:
            return getattr(self.__device, name)
        if name in self._SETTINGS:
            return self._as_set(name, getattr(self.__device, name))
        raise NotAllowed(
            f"{self._name}: {name} cannot be reached through the station: it is not on the list of what may"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(own := getattr(type(self), name, None), property) and own.fset is not None:
            object.__setattr__(self, name, value)
        elif name in self._SETTINGS:
            self._set(name, value)
        else:
            refusal = NotAllowed(f"{self._name}: {name} cannot be set through the station")
            self._outputs.audit.refusal(self._name, name, value, refusal)
            raise refusal

    def reconnect(self) -> None:
        """See Device; what its outputs are is read again when it is next needed."""
        self._outputs.forget(self._OUTPUTS)
        self.__device.reconnect()

    def _driver(self) -> Any:
        return self.__device

    def _set(self, name: str, value: Any) -> None:
        last_set = self._outputs.last_set
        try:
            setattr(self.__device, name, value)
        except BaseException:
            last_set.forget(self._name, name)
            raise
        last_set.note(self._name, name, value)

    def _as_set(self, name: str, read: Any) -> Any:
        """What was read of a property; raises ValueNotTaken if it was set to something else."""
        wanted = self._outputs.last_set.of(self._name).get(name)
        if wanted is not None and not self.__device.agrees(name, wanted, read):
            raise ValueNotTaken(self._name, name, wanted, read)
        return read

    def _note(self, **values: Any) -> None:
        for name, value in values.items():
            self._outputs.last_set.note(self._name, name, value)
