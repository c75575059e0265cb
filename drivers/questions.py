"""How a driver that speaks in lines asks: every answer goes through ``drivers.answers``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from drivers import answers, connection
from drivers.answers import Reader
from drivers.resolution import Resolution, agrees
from stmlab.errors import GarbledAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pymeasure.adapters import Adapter

    from stmlab.station.instruments import Value

Question = tuple[str, Reader]


class Questions:
    """Common methods of the drivers of instruments with text commands; stands before pymeasure's class in the bases.

    Class attributes:
        JOINED: the answers to several queries of one message come in one line, joined by semicolons (or each in its
            own line).
        RESOLUTION: property -> how exactly the instrument keeps it; what is not listed must read as it was set.
    """

    JOINED: ClassVar[bool] = True
    RESOLUTION: ClassVar[Mapping[str, Resolution]] = {}

    # pymeasure looks every attribute up among dynamic properties: there are none here, and it takes most of the time
    __getattribute__ = object.__getattribute__

    name: str
    adapter: Adapter
    write: Callable[[str], None]
    read: Callable[[], str]

    def question(self, query: str, reader: Reader) -> Any:
        """Ask one query; raises GarbledAnswer for an answer that ``reader`` refuses."""
        return self.questions((query, reader))[0]

    def questions(self, *asked: Question) -> list[Any]:
        """Ask several queries in one message.

        Raises:
            GarbledAnswer: an answer is none to its query, or there are too many or too few.
            InstrumentLost: no answer.
        """
        message = ";".join(query for query, _ in asked)
        self.write(message)
        replies = self._replies(message, len(asked))
        return [
            answers.read(self.name, query, reply, reader) for (query, reader), reply in zip(asked, replies, strict=True)
        ]

    def _replies(self, message: str, count: int) -> list[str]:
        try:
            if not self.JOINED or count == 1:
                return [self.read() for _ in range(count)]
            line = self.read()
        except UnicodeDecodeError as error:
            raise GarbledAnswer(self.name, message, error.object, "no ASCII text") from error
        replies = line.split(";", count - 1)
        if len(replies) != count:
            raise GarbledAnswer(self.name, message, line, f"{len(replies)} answers instead of {count}")
        return replies

    def values(self, command: str, reader: Reader | None = None, **_: Any) -> list[Any]:
        """What pymeasure's controls read with: a list of the one value; without ``reader`` a finite number."""
        return [self.question(command, reader or answers.number())]

    def agrees(self, name: str, wanted: Value, read: Value) -> bool:
        """See Device."""
        return agrees(self.RESOLUTION, name, wanted, read)

    def reconnect(self) -> None:
        """See Device."""
        connection.reconnect(self.adapter)

    def close(self) -> None:
        """Let go of the connection; outputs stay as they are."""
        self.adapter.close()
