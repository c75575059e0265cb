"""Instruments that are reached through VISA: GPIB, RS-232, USB, VXI-11."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from pymeasure.adapters import VISAAdapter
from pyvisa.constants import StatusCode
from pyvisa.errors import Error, VisaIOError
from pyvisa.resources import SerialInstrument

from drivers.connection import check_permit
from stmlab.errors import GarbledAnswer, InstrumentLost, InstrumentTimeout, StationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class VisaLine(VISAAdapter):
    """pymeasure's VISAAdapter whose every failure is an InstrumentLost that closes the connection.

    Args:
        address: a VISA resource name.
        timeout: seconds to wait for an answer.
        termination: ends every message in both directions.
        visa: further settings of the resource.

    Attributes:
        permit, timeout: see drivers.connection.Line.

    Raises:
        InstrumentLost: nothing answers there.
        StationError: the address is no VISA resource name, or its interface has no library on this machine.
    """

    def __init__(self, address: str, *, timeout: float, termination: str, **visa: Any) -> None:
        self.address = address
        self.permit: Callable[[], bool] | None = None
        self._settings = {"read_termination": termination, "write_termination": termination} | visa
        self._timeout = timeout
        self._open()

    @property
    def timeout(self) -> float:
        """Seconds to wait for an answer."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._timeout = seconds
        with contextlib.suppress(Error, OSError):  # closed meanwhile: the failure itself is on its way
            self.connection.timeout = int(seconds * 1000)

    def reconnect(self) -> None:
        """See drivers.connection.Line."""
        self.close()
        self._open()

    def _open(self) -> None:
        check_permit(self.permit, self.address)
        settings = {"timeout": int(self._timeout * 1000)} | self._settings
        try:
            super().__init__(self.address, **settings)
        except ValueError as error:  # pyvisa raises it for a resource name or an interface that it does not know
            raise StationError(f"{self.address}: no VISA address that works on this machine ({error})") from error
        except (Error, OSError) as error:
            raise InstrumentLost(self.address, str(error)) from error

    def _write(self, command: str, **kwargs: Any) -> None:
        check_permit(self.permit, self.address)
        with self._losing():
            self._refuse_what_nobody_asked_for()
            super()._write(command, **kwargs)

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        check_permit(self.permit, self.address)
        with self._losing():
            super()._write_bytes(content, **kwargs)

    def _read(self, **kwargs: Any) -> str:
        with self._losing():
            return str(super()._read(**kwargs))

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        with self._losing():
            return bytes(super()._read_bytes(count, break_on_termchar, **kwargs))

    def _refuse_what_nobody_asked_for(self) -> None:
        """On a serial line the rest, or double, of an older answer may be waiting; the other buses frame answers."""
        if isinstance(self.connection, SerialInstrument) and self.connection.bytes_in_buffer:
            rest = self.connection.read_bytes(self.connection.bytes_in_buffer)
            self.close()
            raise GarbledAnswer(self.address, "the last question", rest, "there is more than one answer")

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            raise GarbledAnswer(self.address, "the last question", error.object, "no ASCII text") from error
        except (Error, OSError) as error:
            self.close()
            late = isinstance(error, VisaIOError) and error.error_code == StatusCode.error_timeout
            lost = InstrumentTimeout if late else InstrumentLost
            message = f"no answer within {self._timeout:g} s" if late else str(error)
            raise lost(self.address, message) from error
