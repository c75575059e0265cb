"""What a generator plays is known at the connector and at the junction, or not known at all."""

import pytest

from stmlab.errors import InstrumentTimeout, OutOfBounds, SequenceError
from stmlab.station.audit import Audit
from stmlab.station.guards import GuardedGenerator
from stmlab.station.instruments import PulsePair, Tone
from stmlab.station.last_set import LastSet
from stmlab.station.limits import Limit
from stmlab.station.limits_tables import Condition, InterlockConfig
from stmlab.station.outputs import Junction, Outputs
from tests.approximately import close

OUTPUTS = ("rf_amplitude", "rf_frequency", "rf_at_junction")
PULSES = PulsePair(0.1, 0.05, 1e-9, 2e-10, 3e-9, 20e-9)


def tone(frequency, amplitude):
    return Tone(frequency, amplitude, cycles=1, samples=1280, sample_rate=65e9, divider=1)


class Awg:
    """A generator that plays what it is told, and can fail."""

    frequency_range = (1e6, 20e9)
    error = None

    def __init__(self):
        self.playing, self.confirmed = False, {}

    def largest_amplitude(self, frequency):
        return 0.5 if frequency < 5e9 else 0.1

    def common_amplitude(self, frequency):
        return self.largest_amplitude(frequency)

    def reconnect(self):
        """The same generator."""

    def is_off(self):
        return not self.playing

    def plan_tone(self, frequency):
        return frequency

    def play_tone(self, frequency, amplitude, *, gated):
        self._play(frequency=frequency)
        return tone(frequency, amplitude)

    def check_pulses(self, pulses):
        """All can be played."""

    def play_pulses(self, pulses, *, gated):
        self._play(pump=pulses.pump)
        return pulses

    def off(self):
        self._play(running=False)
        self.playing = False

    def _play(self, **confirmed):
        if self.error is not None:
            raise self.error
        self.playing, self.confirmed = True, confirmed


class Line:
    """A line that passes half at 1 GHz and a quarter at 4 GHz, turned by a right angle."""

    band = (1e9, 4e9)

    def transfer(self, frequency):
        return 0.5j / (frequency / 1e9) ** 0.5


def guarded(*, path=None, junction=None, interlocks=(), largest=1.0):
    outputs = Outputs(Junction(largest, "lab.toml", None), interlocks, "lab.toml", LastSet(), Audit())
    awg = Awg()
    guard = GuardedGenerator(
        "awg",
        awg,
        outputs,
        frequency=Limit("rf_frequency", "Hz", 1e8, 10e9, "lab.toml: limits.rf_frequency"),
        amplitude=Limit("rf_amplitude", "V", 0.0, 0.3, "lab.toml: limits.rf_amplitude"),
        junction=junction and Limit("junction_amplitude", "V", 0.0, junction, "lab.toml: limits.junction_amplitude"),
        path=path,
    )
    return guard, awg, outputs


def at(outputs):
    return tuple(outputs.present(name) for name in OUTPUTS)


def test_the_tighter_of_instrument_and_station_counts():
    guard, _, _ = guarded()
    assert guard.frequency_range == (1e8, 10e9)
    assert guard.largest_amplitude(1e9) == 0.3
    assert guard.largest_amplitude(6e9) == 0.1
    assert (guard.common_amplitude(1e9), guard.common_amplitude(6e9)) == (0.3, 0.1)
    assert guard.plan_tone(10e9) == 10e9
    with pytest.raises(OutOfBounds, match="rf_frequency"):
        guard.plan_tone(10.1e9)


@pytest.mark.parametrize(
    ("frequency", "arrives"),
    [(1e9, 0.05), (2e9, 0.05 / 2**0.5), (4e9, 0.025), (0.9e9, 0.05), (4.1e9, 0.05)],
)
def test_a_tone_arrives_as_the_line_passes_it_and_outside_its_band_as_the_most_it_passes(frequency, arrives):
    guard, awg, outputs = guarded(path=Line())
    assert guard.play_tone(frequency, 0.1, gated=False) == tone(frequency, 0.1)
    assert at(outputs) == close((0.1, frequency, arrives), rel=1e-12)
    assert dict(outputs.last_set.of("awg")) == awg.confirmed
    guard.off()
    assert at(outputs) == (0.0, 0.0, 0.0)
    assert outputs.last_set.of("awg")["running"] is False


def test_a_generator_that_is_off_adds_nothing_whoever_switched_it_off():
    guard, awg, outputs = guarded()
    assert at(outputs) == (0.0, 0.0, 0.0)
    outputs.forget(OUTPUTS)
    awg.playing = True
    with pytest.raises(SequenceError, match="awg: the microwave is on"):
        outputs.check_quiet()
    guard.reconnect()
    with pytest.raises(SequenceError, match="awg plays what this session has not set"):
        at(outputs)


def test_without_a_line_all_of_it_arrives():
    guard, _, outputs = guarded()
    guard.play_tone(1e9, 0.1, gated=False)
    assert at(outputs) == (0.1, 1e9, 0.1)
    guard.play_pulses(PULSES, gated=False)
    assert at(outputs) == close((0.15, 5e7, 0.15), rel=1e-12)


@pytest.mark.parametrize(("pump", "probe", "height"), [(0.1, 0.05, 0.15), (-0.2, 0.1, 0.2), (0.1, -0.2, 0.2)])
def test_pulses_arrive_as_their_largest_sum_by_the_most_that_the_line_passes(pump, probe, height):
    guard, _, outputs = guarded(path=Line())
    pulses = PulsePair(pump, probe, 1e-9, 2e-10, 3e-9, 20e-9)
    assert guard.play_pulses(pulses, gated=True) == pulses
    assert at(outputs) == close((height, 5e7, height / 2), rel=1e-9)


def test_pulses_that_are_too_high_together_are_refused():
    guard, awg, _ = guarded()
    both = PulsePair(0.16, 0.15, 1e-9, 2e-10, 3e-9, 20e-9)
    for attempt in (lambda: guard.check_pulses(both), lambda: guard.play_pulses(both, gated=True)):
        with pytest.raises(OutOfBounds, match=r"rf_amplitude = 0\.31 V"):
            attempt()
    guard.check_pulses(PULSES)
    assert not awg.playing


def test_what_the_junction_takes_is_allowed_and_no_more():
    guard, awg, _ = guarded(path=Line(), junction=0.05)
    guard.play_tone(1e9, 0.1, gated=False)
    guard.off()
    with pytest.raises(OutOfBounds, match=r"junction_amplitude = 0\.0505 V"):
        guard.play_tone(1e9, 0.101, gated=False)
    guard, awg, _ = guarded(path=Line(), largest=0.05)
    with pytest.raises(OutOfBounds, match="junction_total"):
        guard.play_pulses(PULSES, gated=False)
    assert not awg.playing


def test_an_interlock_on_the_frequency_counts_the_repetition_of_pulses():
    never = (Condition(output="rf_frequency", above=4e7), Condition(output="rf_amplitude", above=0.12))
    guard, awg, _ = guarded(interlocks=(InterlockConfig(name="slow pulses only", never=never),))
    with pytest.raises(SequenceError, match="slow pulses only"):
        guard.play_pulses(PULSES, gated=False)
    assert not awg.playing
    guard.play_pulses(PulsePair(0.1, 0.05, 1e-9, 2e-10, 3e-9, 30e-9), gated=False)
    assert awg.playing


@pytest.mark.parametrize("play", ["tone", "pulses", "off"])
def test_nothing_is_known_of_a_generator_that_did_not_answer(play):
    guard, awg, outputs = guarded()
    guard.play_tone(1e9, 0.1, gated=False)
    awg.error = InstrumentTimeout("awg", "no answer")
    with pytest.raises(InstrumentTimeout):
        if play == "tone":
            guard.play_tone(2e9, 0.1, gated=False)
        elif play == "pulses":
            guard.play_pulses(PULSES, gated=False)
        else:
            guard.off()
    assert dict(outputs.last_set.of("awg")) == {}
    with pytest.raises(SequenceError, match="awg plays what this session has not set"):
        at(outputs)


def test_what_the_generator_itself_refuses_changes_nothing():
    guard, awg, outputs = guarded()
    guard.play_tone(1e9, 0.1, gated=False)
    awg.error = OutOfBounds("amplitude", 0.2, 0.0, 0.15, "V", "the generator")
    with pytest.raises(OutOfBounds):
        guard.play_tone(1e9, 0.2, gated=False)
    assert dict(outputs.last_set.of("awg")) == {"frequency": 1e9}
    assert at(outputs) == (0.1, 1e9, 0.1)
