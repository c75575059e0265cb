"""The look at every point: what a hand, another program or the instrument itself changes ends the run and is named."""

import pytest

from stmlab.acquisition.runner import Runner
from stmlab.clock import SimulatedClock
from stmlab.errors import (
    ChangedByHand,
    GarbledAnswer,
    InstrumentFault,
    InstrumentOverload,
    StmlabError,
    TipTripped,
    TipWithdrawn,
)
from stmlab.events import PointsDisturbed, PointTaken
from stmlab.simulation.faults import Fault
from stmlab.station import Station
from stmlab.station.configuration import StationConfig
from stmlab.station.instruments import Look
from stmlab.station.last_set import LastSet
from stmlab.station.watch import Watch
from stmlab.station.watch_tables import WatchConfig, WatcherConfig
from stmlab.station.watchers import Watchers
from stmlab.storage import open_run
from tests.approximately import close
from tests.station.lab import lab


@pytest.fixture
def station():
    with Station.load("simulated", sample="fe_atom", seed=3) as found:
        found.prepare_outputs()
        found.tip.setpoint = 1e-9
        found.tip.feedback = False
        found.watch.begin()
        yield found


def round_of_looks(station):
    """Looks until every watched property has been seen once."""
    end = station.clock.now() + station.config.watch.largest_age
    while station.clock.now() < end:
        station.clock.sleep(0.05)
        station.watch.look()


def hand(station, plug):
    """A second connection to an instrument, past every guard."""
    return station.simulation.adapter(plug)


def test_looks_at_a_station_that_nobody_touches_find_nothing(station):
    station.bias.bias = 5e-3
    station.lockin.frequency = 733.0
    station.lockin.phase = 359.99
    station.lockin.sine_voltage = 0.0123
    station.generator.play_tone(1.234e9, 0.0567, gated=True)
    for _ in range(3):
        round_of_looks(station)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("HARM 2", "harmonic"),
        ("OFLT 12", "time_constant"),
        ("OFSL 2", "filter_slope"),
        ("SOFF 0.1", "sine_offset"),
        ("SLVL 0.1", "sine_voltage"),
        ("FREQ 800", "frequency"),
        ("PHAS 30", "phase"),
        ("SCAL 3", "sensitivity"),
    ],
)
def test_what_a_hand_changes_on_the_lock_in_is_named(station, command, name):
    round_of_looks(station)
    hand(station, "sr860").write(command)
    with pytest.raises(ChangedByHand) as seen:
        round_of_looks(station)
    assert (seen.value.instrument, seen.value.name) == ("lockin", name)


@pytest.mark.parametrize("command", [":OUTP1 OFF", ":VOLT1 0.2", ":FREQ:RAST 60e9", ":INIT:CONT OFF", ":ABOR"])
def test_what_a_hand_changes_on_the_generator_is_named(station, command):
    station.generator.play_tone(1e9, 0.05, gated=False)
    round_of_looks(station)
    hand(station, "m8195a").write(command)
    with pytest.raises(ChangedByHand) as seen:
        round_of_looks(station)
    assert seen.value.instrument == "awg"


@pytest.mark.parametrize("gated", [True, False])
def test_a_generator_that_a_hand_stops_is_told_at_the_next_look(station, gated):
    station.generator.play_tone(1e9, 0.05, gated=gated)
    station.watch.look()
    hand(station, "m8195a").write(":ABOR")
    station.clock.sleep(0.01)
    with pytest.raises(ChangedByHand) as seen:
        station.watch.look()
    assert (seen.value.instrument, seen.value.name) == ("awg", "running")


def test_another_segment_that_a_hand_selects_on_another_channel_is_told(station):
    """Extended memory has one selection for all channels that it sources."""
    station.generator.play_tone(1e6, 0.05, gated=False)
    round_of_looks(station)
    hand(station, "m8195a").write(":ABOR;:TRAC4:DEF 1,1280;:TRAC4:SEL 1;:INIT:IMM")
    with pytest.raises(ChangedByHand) as seen:
        round_of_looks(station)
    assert (seen.value.instrument, seen.value.name) == ("awg", "segment")


def test_a_generator_that_the_run_stops_is_as_it_should_be(station):
    station.generator.play_tone(1e9, 0.05, gated=False)
    round_of_looks(station)
    station.generator.off()
    round_of_looks(station)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda tip: setattr(tip, "bias", 7e-3), "bias"),
        (lambda tip: setattr(tip, "setpoint", 2e-9), "setpoint"),
        (lambda tip: setattr(tip, "feedback", True), "feedback"),
        (lambda tip: setattr(tip.safe_tip, "on", False), "safe_tip"),
    ],
)
def test_what_a_hand_changes_on_the_controller_is_named(station, change, name):
    from drivers.nanonis import Nanonis

    round_of_looks(station)
    change(Nanonis(hand(station, "nanonis")))
    with pytest.raises(ChangedByHand) as seen:
        round_of_looks(station)
    assert (seen.value.instrument, seen.value.name) == ("controller", name)
    if name == "feedback":
        assert (seen.value.wanted, seen.value.read) == (False, True)


@pytest.mark.parametrize(("kind", "error"), [("trip", TipTripped), ("withdrawn", TipWithdrawn)])
@pytest.mark.parametrize("loop", [False, True])
def test_a_trip_and_a_withdrawal_are_seen_at_the_next_look(station, kind, error, loop):
    station.tip.feedback = loop
    station.clock.sleep(0.3)
    station.watch.look()
    station.simulation.faults.arm(Fault(kind=kind))
    station.clock.sleep(2.0)
    with pytest.raises(error):
        station.watch.look()


def test_a_tip_that_moves_with_the_loop_open_is_told_by_its_height(station):
    from drivers.nanonis import Nanonis

    round_of_looks(station)
    controller = Nanonis(hand(station, "nanonis"))
    controller.z.position = controller.z.position + 0.5 * station.config.watch.height_allowance
    station.clock.sleep(0.01)
    station.watch.look()
    controller.z.position = controller.z.position + 0.7 * station.config.watch.height_allowance
    station.clock.sleep(0.01)
    with pytest.raises(InstrumentFault, match="the tip has moved by"):
        station.watch.look()


def test_the_allowance_of_the_height_grows_while_the_loop_is_open():
    from drivers.nanonis import Nanonis

    with Station.load("simulated", sample="fe_atom", seed=3) as shipped:
        tables, text, path = shipped.config.model_dump(mode="python"), shipped.text, shipped.path
    tables["watch"] |= {"height_allowance": 20e-12, "height_drift": 1e-12}
    with Station(StationConfig.model_validate(tables), text, path, sample="fe_atom", seed=3) as station:
        station.prepare_outputs()
        station.tip.feedback = False
        station.clock.sleep(100.0)
        station.watch.begin()
        controller = Nanonis(hand(station, "nanonis"))
        station.clock.sleep(30.0)
        controller.z.position = controller.z.position + 45e-12  # 20 pm, and 1 pm/s for 30 s
        station.clock.sleep(0.01)
        station.watch.look()
        controller.z.position = controller.z.position + 10e-12
        station.clock.sleep(0.01)
        with pytest.raises(InstrumentFault, match="the tip has moved by"):
            station.watch.look()


def test_a_new_opening_of_the_loop_is_a_new_place(station):
    round_of_looks(station)
    station.tip.feedback = True
    station.tip.setpoint = 5e-9
    station.clock.sleep(2.0)
    station.tip.feedback = False
    round_of_looks(station)


def test_a_current_at_the_end_of_its_range_ends_the_run(station, tmp_path):
    from sequences.didv import ConductanceSpectrum

    sequence = ConductanceSpectrum(points=9, start_bias=2e-3, stop_bias=8e-3, setpoint_current=3e-9)

    def jump(event):
        if isinstance(event, PointTaken) and event.index == 2:
            station.simulation.faults.arm(Fault(kind="tip_jump", value=0.4e-9))

    with pytest.raises((InstrumentOverload, TipTripped, InstrumentFault)):
        Runner(sequence, station, tmp_path / "run.h5", [jump]).run()
    assert open_run(tmp_path / "run.h5").points < 9


@pytest.mark.parametrize(("point", "most"), [(0.01, 2.3), (0.05, 3.1), (0.2, 7.0)])
def test_a_look_asks_as_little_as_it_may(station, point, most):
    """One message to the lock-in and to the generator; two questions to the controller, and what is due."""
    asked = dict.fromkeys(("lockin", "awg", "controller"), 0)
    for name, plug in (("lockin", "sr860"), ("awg", "m8195a"), ("controller", "nanonis")):
        session = station._devices[name].adapter._session
        receive = session.receive

        def counted(content, name=name, receive=receive):
            asked[name] += 1
            return receive(content)

        session.receive = counted
        assert plug
    looks = round(3.0 / point)
    for _ in range(looks):
        station.clock.sleep(point)
        station.watch.look()
    assert asked["lockin"] == asked["awg"] == looks
    assert 2 * looks < asked["controller"] <= most * looks


def test_points_faster_than_the_instruments_share_a_look(station):
    before = station.watch.looks
    for _ in range(10):
        station.clock.sleep(1e-4)
        station.watch.look()
    assert station.watch.looks - before <= 1


def test_nothing_counts_as_looked_at_before_the_first_look():
    with Station.load("simulated") as station:
        assert station.watch.looked < 0.0
        assert station.watch.before < 0.0
        assert station.watch.oldest < 0.0


class Oven:
    temperature = 4.0


def watchers(station, **config):
    oven = Oven()
    table = WatcherConfig(signal="oven.temperature", reason="helium", **config)
    return oven, Watchers((table,), {"oven": oven}, station.clock)


def test_a_watcher_trips_and_clears_with_hysteresis_and_time(station):
    oven, watched = watchers(station, action="pause", above=6.0, clear_below=5.0, clearing_time=3.0)
    clock = station.clock
    assert watched.look(clock.now()) is None
    oven.temperature = 7.0
    assert watched.look(clock.now()) is None  # it is read once a second
    clock.sleep(1.0)
    disturbance = watched.look(clock.now())
    assert disturbance.action == "pause"
    assert "oven.temperature = 7" in str(disturbance)
    assert "helium" in str(disturbance)
    oven.temperature = 5.5  # below the bound, above the one for clearing
    cleared = []
    for temperature in (5.5, 5.5, 4.0, 4.0, 4.0, 4.0):
        oven.temperature = temperature
        clock.sleep(1.0)
        cleared.append(disturbance.cleared())
    assert cleared == [False, False, False, False, False, True]


def test_a_signal_is_read_once_a_second_however_often_a_pause_asks(station):
    class Counted:
        temperatures = [7.0]  # noqa: RUF012 - of one oven

        @property
        def temperature(self):
            return self.temperatures.pop(0)

    oven, clock = Counted(), station.clock
    table = WatcherConfig(signal="oven.temperature", action="pause", above=6.0, clear_below=5.0, clearing_time=1.0)
    disturbance = Watchers((table,), {"oven": oven}, clock).look(clock.now())
    assert disturbance.since is None
    oven.temperatures += [4.0, 4.0]
    assert not disturbance.cleared()
    clock.sleep(1.0)
    assert not disturbance.cleared()
    assert len(oven.temperatures) == 1
    clock.sleep(0.5)
    assert not disturbance.cleared()
    assert len(oven.temperatures) == 1
    clock.sleep(0.5)
    assert disturbance.cleared()


def test_a_disturbance_says_since_when_the_signal_is_in_doubt(station):
    oven, watched = watchers(station, action="stop", above=6.0)
    good = station.clock.now()
    assert watched.look(good) is None
    station.clock.sleep(1.5)
    oven.temperature = 7.0
    assert watched.look(station.clock.now()).since == good


def test_several_signals_are_read_by_turns(station):
    oven = Oven()
    oven.pressure = 1.0
    tables = [WatcherConfig(signal=f"oven.{name}", action="stop", above=6.0) for name in ("temperature", "pressure")]
    watched, now = Watchers(tables, {"oven": oven}, station.clock), station.clock.now()
    oven.temperature = oven.pressure = 7.0
    assert "oven.temperature = 7 (stop if above 6)" in str(watched.look(now))
    assert "oven.pressure = 7" in str(watched.look(now))
    assert watched.look(now) is None


def test_a_signal_that_is_no_number_trips(station):
    oven, watched = watchers(station, action="abort", below=1.0)
    oven.temperature = float("nan")
    assert watched.look(station.clock.now()).action == "abort"


@pytest.mark.parametrize("point", [2e-3, 10e-3, 29e-3, 50e-3, 0.3])
def test_a_watched_property_is_at_most_a_second_old_however_rare_the_looks(station, point):
    now, watch = station.clock.now, station.watch
    oldest = 0.0
    for _ in range(round(2.0 / point)):
        station.clock.sleep(point)
        oldest = max(oldest, now() - watch.oldest)
        watch.look()
    assert oldest <= station.config.watch.largest_age
    assert close(station.config.watch.largest_age, rel=1e-9) == 1.0


@pytest.mark.parametrize("fast", range(70, 100, 3))
def test_a_watched_property_is_at_most_a_second_old_when_a_long_wait_follows_fast_points(station, fast):
    now, watch = station.clock.now, station.watch
    for gap in (*[10e-3] * fast, watch.interval + 0.05, 10e-3):  # a wait goes on in slices of 0.05 s
        station.clock.sleep(gap)
        assert now() - watch.oldest <= station.config.watch.largest_age
        watch.look()


@pytest.mark.parametrize("age", [0.5, 2.0])
def test_the_station_file_says_how_old_a_watched_property_may_become(age):
    with lab(watch__largest_age=age) as station:
        station.watch.begin()
        oldest, looks = 0.0, station.watch.looks
        for _ in range(40):
            station.clock.sleep(age / 10)
            oldest = max(oldest, station.clock.now() - station.watch.oldest)
            station.watch.look()
        assert 0.7 * age < oldest <= age
        assert station.watch.looks - looks == 40


def test_points_that_follow_fast_cost_one_look_at_each_instrument(station, monkeypatch):
    watch, looks = station.watch, []
    monkeypatch.setattr(watch, "_look_at", lambda name, device, due: looks.append((name, due)))
    for _ in range(50):
        station.clock.sleep(10e-3)
        watch.look()
    assert len(looks) == 50 * len(watch.devices)
    assert all(len(due) <= 1 for _, due in looks)
    assert len({(name, due) for name, due in looks if due}) == sum(bool(due) for _, due in looks)


def test_what_was_measured_since_a_setting_was_last_seen_right_is_marked(station, tmp_path):
    from sequences.srs import StochasticResonance

    taken, disturbed = [], set()

    def reset(event):
        if isinstance(event, PointTaken):
            taken.append(event.index)
            if event.index == 4:
                station.simulation.faults.arm(Fault(kind="reset", instrument="sr860", message=1))
        if isinstance(event, PointsDisturbed):
            disturbed.update(event.indices)

    sequence = StochasticResonance(points=20, time_constant=1e-3, stabilise_time=0.1)
    with pytest.raises(StmlabError):
        Runner(sequence, station, tmp_path / "run.h5", [reset]).run()
    assert len(taken) < 20
    assert {index for index in taken if index > 5} <= disturbed


@pytest.mark.parametrize(
    ("plug", "match", "value"),
    [("m8195a", "OUTP1", None), ("nanonis", "Signals.ValsGet", 0.03), ("nanonis", "ZCtrl.SetpntGet", 5e-9)],
)
def test_an_answer_that_is_wrong_once_is_no_hand(station, plug, match, value):
    """The run is mended then, and the point measured again."""
    station.simulation.faults.arm(Fault(kind="wrong_value", instrument=plug, match=match, value=value, times=1, seed=1))
    with pytest.raises(GarbledAnswer, match="a moment later"):
        round_of_looks(station)


def test_after_another_set_up_what_nobody_has_set_must_be_as_before(station):
    station.generator.play_tone(1.234e9, 0.0567, gated=True)
    round_of_looks(station)
    station.generator.off()  # nothing is known of its level any more
    station.watch.begin()
    hand(station, "sr860").write("ISRC 1")
    with pytest.raises(ChangedByHand, match="input"):
        station.watch.begin()


def test_what_is_found_wrong_at_first_is_no_measure_for_later(station):
    """A stale answer while it is noted how everything is would make a hand of what is right."""
    station.watch._baseline.clear()
    station.simulation.faults.arm(
        Fault(kind="wrong_value", instrument="nanonis", match="SwitchOffDelayGet", message=1, value=0.7)
    )
    with pytest.raises(GarbledAnswer, match="a moment later"):
        station.watch.begin()
    station.watch.begin()
    round_of_looks(station)


def test_a_tip_that_is_withdrawn_before_the_first_look_at_where_it_is_held_is_noticed(station):
    station.tip.setpoint, station.bias.bias = 1e-9, 10e-3
    station.tip.feedback = True
    station.clock.sleep(1.0)
    station.tip.feedback = False
    station.simulation.instrument("nanonis").withdraw_by_hand()
    station.clock.sleep(1.0)
    with pytest.raises(TipWithdrawn, match="withdrawn"):
        station.watch.look()


class Source:
    """An instrument with one watched setting."""

    WATCHED, BY_TURNS = ("level",), ()

    def __init__(self, level):
        self.level = level

    def look(self, due=()):
        return Look({"level": self.level})

    def agrees(self, name, wanted, read):
        return wanted == read


def watch_of(device):
    clock = SimulatedClock()
    return Watch({"source": device}, "", frozenset(), LastSet(), clock, WatchConfig(), Watchers((), {}, clock))


def test_what_a_driver_has_confirmed_counts_at_the_next_look():
    source = Source(0.3)
    source.confirmed = {}
    watch = watch_of(source)
    watch.begin()
    source.confirmed = {"level": 0.5}
    with pytest.raises(ChangedByHand) as seen:
        watch.look_at_everything()
    assert (seen.value.wanted, seen.value.read) == (0.5, 0.3)
    source.level = 0.5
    watch.look_at_everything()


def test_what_was_found_counts_no_more_once_it_was_set_even_when_that_is_forgotten():
    source = Source(0.3)
    watch = watch_of(source)
    watch.begin()
    source.level = 0.5
    watch.last_set.note("source", "level", 0.5)
    watch.look_at_everything()
    watch.last_set.forget("source", "level")
    source.level = 0.7
    watch.look_at_everything()  # nobody knows what it should be: as it is now
    source.level = 0.3
    with pytest.raises(ChangedByHand) as seen:
        watch.look_at_everything()
    assert (seen.value.wanted, seen.value.read) == (0.7, 0.3)
