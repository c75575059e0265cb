"""The steps of the safe state one by one, with instruments of which the test says what they do."""

from dataclasses import replace

import pytest

from stmlab.acquisition.outcome import Aborted
from stmlab.clock import SimulatedClock
from stmlab.errors import InstrumentLost, SequenceError
from stmlab.station.instruments import LoopStatus, Setpoint, TipState
from stmlab.station.safe_report import Loop, Problem, SafeReport
from stmlab.station.safe_state import SafeState, reconnected
from tests.approximately import close

HOME = Setpoint(10e-3, 1e-10)
PAUSES = [0.2, 0.6, 1.5, 3.0]


class Clock(SimulatedClock):
    """Notes every sleep."""

    def __init__(self):
        super().__init__()
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        super().sleep(seconds)


class Instrument:
    """Of any role; fails as often as ``fails`` says."""

    def __init__(self, fails=0, reconnects=True):
        self.fails, self.reconnects, self.did = fails, reconnects, []

    def reconnect(self):
        self.did.append("reconnect")
        if not self.reconnects:
            raise InstrumentLost("it", "no answer")

    def do(self, what="off"):
        self.did.append(what)
        if self.fails:
            self.fails -= 1
            raise InstrumentLost("it", "no answer")


class Tip(Instrument):
    """A controller that is its own bias source; ``currents`` are read one after the other, the last one for ever."""

    def __init__(self, *, loop=False, bias=8e-3, setpoint=4e-10, currents=(0.0,), **how):
        super().__init__(**how)
        self.currents = list(currents)
        self.closes, self.away = True, False
        self._state = TipState(loop, LoopStatus.ON, 0.0, 0.0, bias, setpoint, 0.0, 0.0, 0.0, 0.0)

    @property
    def state(self):
        return self._state

    @property
    def current(self):
        return self.currents.pop(0) if len(self.currents) > 1 else self.currents[0]

    def _set(self, name, value, field):
        self.did.append((name, value))
        self._state = replace(self._state, **{field: value})

    bias = property(lambda self: self._state.bias, lambda self, value: self._set("bias", value, "bias"))
    setpoint = property(lambda self: self._state.setpoint, lambda self, value: self._set("setpoint", value, "setpoint"))

    @property
    def feedback(self):
        return self._state.loop

    @feedback.setter
    def feedback(self, on):
        self._set("feedback", on, "loop")
        if not self.closes:
            self._state = replace(self._state, loop=False)

    def agrees(self, name, wanted, read):
        return wanted == read

    def is_withdrawn(self, state):
        return self.away


def safe(tip=None, **given):
    both = None if tip is None else ("controller", tip)
    return SafeState(
        **{
            "generator": None,
            "lockin": None,
            "bias": both,
            "tip": both,
            "home": HOME,
            "withdraw_always": False,
            "least_setpoint": 1e-12,
            "least_bias": 1e-3,
            "clock": Clock(),
            "parallel": False,
            "quiet": lambda: None,
        }
        | given
    )


@pytest.mark.parametrize("fails", [0, 1, 4])
def test_a_step_is_tried_again_through_a_fresh_connection(fails):
    steps, device = safe(), Instrument(fails)
    assert steps._insist("awg", device, lambda device: device.do())
    assert device.did == ["off", *["reconnect", "off"] * fails]
    assert steps.clock.slept == PAUSES[:fails]
    assert steps._problems == []


def test_an_instrument_that_does_not_answer_in_five_tries_is_a_problem_once_and_asked_once_more():
    steps, device = safe(), Instrument(99, reconnects=False)
    for _ in range(2):
        assert not steps._insist("awg", device, lambda device: device.do())
    assert device.did.count("off") == 5 + 1
    assert steps.clock.slept == PAUSES
    assert [problem.instrument for problem in steps._problems] == ["awg"]


@pytest.mark.parametrize(("fails", "slept"), [(0, []), (1, [0.2]), (4, PAUSES)])
def test_a_fresh_connection_is_tried_again(fails, slept):
    clock, left = Clock(), [fails]

    class Device:
        def reconnect(self):
            if left[0]:
                left[0] -= 1
                raise InstrumentLost("it", "no answer")

    reconnected(Device(), clock, lambda: None)
    assert clock.slept == slept
    left[0] = 9
    with pytest.raises(InstrumentLost):
        reconnected(Device(), clock, lambda: None)
    assert left[0] == 4


@pytest.mark.parametrize("tries", range(len(PAUSES) + 1))
def test_no_further_connection_is_tried_once_an_end_was_asked_for(tries):
    clock, tried, asked = Clock(), [], []

    class Mute:
        def reconnect(self):
            tried.append(1)
            raise InstrumentLost("it", "no answer")

    def checkpoint():
        asked.append(1)
        if len(asked) > tries:
            raise Aborted("aborted")

    with pytest.raises(Aborted):
        reconnected(Mute(), clock, checkpoint)
    assert len(tried) == tries
    assert clock.slept == PAUSES[:tries]


def test_the_loop_is_closed_where_it_was_asked_to_be_in_this_order():
    tip = Tip(loop=True, currents=[4e-10])
    safe(tip)._close_at(Setpoint(20e-3, 2e-10))
    low = [("setpoint", 1e-10), ("feedback", False)]
    assert tip.did == [*low, ("bias", 20e-3), ("setpoint", 2e-10), ("feedback", True)]


def test_a_loop_that_is_closed_there_already_is_left_alone():
    tip = Tip(loop=True)
    safe(tip)._close_at(Setpoint(8e-3, 4e-10))
    assert tip.did == []


@pytest.mark.parametrize(
    ("currents", "slept"),
    [([2e-10], 0), ([-2e-10], 0), ([4e-10, 3e-10, 2.1e-10, 2e-10], 3), ([4e-10], 40)],
)
def test_a_healthy_loop_gets_two_seconds_to_follow_the_low_setpoint(currents, slept):
    tip = Tip(loop=True, currents=currents)
    steps = safe(tip)
    steps._let_go(tip.state)
    assert tip.did == [("setpoint", 1e-10), ("feedback", False)]
    assert len(steps.clock.slept) in ((slept,) if slept < 40 else (40, 41))
    assert set(steps.clock.slept) <= {0.05}


@pytest.mark.parametrize(
    ("bias", "setpoint", "low"),
    [(8e-3, -4e-10, -1e-10), (8e-3, 1e-10, None), (8e-3, 5e-11, None), (-1e-3, 4e-10, 1e-10), (0.9e-3, 4e-10, None)],
)
def test_only_a_larger_setpoint_at_a_bias_that_holds_the_loop_is_lowered_first(bias, setpoint, low):
    tip = Tip(loop=True, bias=bias, setpoint=setpoint)
    safe(tip)._let_go(tip.state)
    assert tip.did == [*([("setpoint", low)] if low else []), ("feedback", False)]


@pytest.mark.parametrize(("home", "sign"), [(HOME, 1), (Setpoint(-10e-3, -1e-10), -1)])
def test_at_home_the_loop_is_closed_at_no_more_than_the_mean_of_ten_readings(home, sign):
    tip = Tip(currents=[*[2e-11, -4e-11] * 5, 1.0])
    safe(tip, home=home)._close_no_closer()
    assert tip.did == [("bias", home.bias), ("setpoint", close(sign * 3e-11, rel=1e-9)), ("feedback", True)]
    assert tip.currents == [1.0]
    tip = Tip(currents=[5e-9])
    safe(tip, home=home)._close_no_closer()
    assert tip.did[1] == ("setpoint", home.current)


def test_at_home_a_loop_that_regulates_is_opened_before_the_bias_moves():
    tip = Tip(loop=True, setpoint=5e-11, currents=[5e-11])
    safe(tip)._close_no_closer()
    assert tip.did == [("feedback", False), ("bias", 10e-3), ("setpoint", close(5e-11)), ("feedback", True)]


@pytest.mark.parametrize(("fails", "closed"), [(0, True), (1, True), (4, True), (5, False)])
def test_after_a_transient_fault_the_loop_is_closed_all_the_same(monkeypatch, fails, closed):
    left = [fails]

    def state(tip):
        if left[0]:
            left[0] -= 1
            raise InstrumentLost("controller", "no answer")
        return tip._state

    monkeypatch.setattr(Tip, "state", property(state))
    tip = Tip()
    steps = safe(tip)
    assert steps._closes(HOME) is closed
    assert tip.feedback is closed
    assert steps.clock.slept == PAUSES[:fails]
    assert tip.did.count("reconnect") == 2 * min(fails, 4), "tip and bias source, each"
    assert ("no answer" in steps._why) is bool(fails)


@pytest.mark.parametrize(("flows", "closed"), [(1e-12, True), (0.99e-12, False)])
def test_less_than_the_loop_can_hold_closes_nothing(flows, closed):
    tip = Tip(currents=[flows])
    steps = safe(tip)
    assert steps._closes(None) is closed
    assert tip.state.loop is closed
    if not closed:
        assert "less than the loop can hold" in steps._why
        assert steps.clock.slept == [], "to try again does not help"


def test_a_loop_that_does_not_close_is_said():
    tip = Tip()
    tip.closes = False
    with pytest.raises(SequenceError, match="controller: the loop did not close"):
        safe(tip)._close_at(HOME)


@pytest.mark.parametrize(("bias", "closed"), [(1e-3, True), (-1e-3, True), (0.99e-3, False)])
def test_the_loop_is_closed_from_the_least_bias_on(bias, closed):
    tip = Tip(bias=bias)
    steps = safe(tip)
    if closed:
        steps._close_at(Setpoint(bias, 1e-10))
    else:
        with pytest.raises(SequenceError, match="too small to close the loop"):
            steps._close_at(Setpoint(bias, 1e-10))
    assert tip.state.loop is closed


def test_without_a_bias_source_the_loop_is_not_closed():
    with pytest.raises(SequenceError, match="no bias source"):
        safe(Tip(), bias=None)._close_at(HOME)


@pytest.mark.parametrize(
    ("loop", "problems", "why", "text"),
    [
        (Loop.CLOSED, (), "", "safe: RF and modulation off, loop closed"),
        (Loop.UNTOUCHED, (), "", "safe: RF and modulation off, controller as it was"),
        (Loop.TRIPPED, (), "", "safe: RF and modulation off, SafeTip has tripped; `stmlab approach` frees the loop"),
        (
            Loop.WITHDRAWN,
            (),
            "bias 0",
            "safe: RF and modulation off, tip withdrawn because the loop was not closed: bias 0; `stmlab approach` "
            "frees the loop",
        ),
        (Loop.WITHDRAWN, ("awg", "lockin"), "", "NOT SAFE: awg: no answer; lockin: no answer"),
    ],
)
def test_a_report_is_one_line(loop, problems, why, text):
    report = SafeReport(loop, tuple(Problem(name, "no answer") for name in problems), why)
    assert str(report) == text
    assert report.safe is not bool(problems)
