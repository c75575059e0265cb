"""Parameters in the order in which a person thinks of them."""

import pytest

from stmlab.acquisition.experiments import found
from stmlab.acquisition.parameters import FloatParameter
from stmlab.acquisition.sequence import Sequence

CLASSES = found().classes


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_parameter_stands_in_one_group(name):
    sequence = CLASSES[name]()
    names = [parameter for group in sequence.grouped().values() for parameter in group]
    assert sorted(names) == sorted(sequence.parameter_objects())


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_an_output_is_named_for_a_parameter_in_its_unit(name):
    sequence = CLASSES[name]()
    units = {"bias": "V", "setpoint": "A", "rf_frequency": "Hz", "rf_amplitude": "V", "junction_amplitude": "V"}
    units["modulation"] = "V"
    for parameter, output in sequence.outputs_set().items():
        assert sequence.parameter_objects()[parameter].units == units[output]


def test_groups_come_in_the_order_of_an_experiment():
    assert list(CLASSES["srs"]().grouped()) == ["setpoint", "sweep", "microwave", "lock-in", "advanced"]
    assert CLASSES["srs"]().grouped()["setpoint"] == ["setpoint_bias", "setpoint_current", "stabilise_time"]


def test_a_class_adds_to_the_groups_of_those_above_and_what_it_does_not_name_is_of_the_sweep():
    class First(Sequence):
        groups = {"gate": ("a",), "advanced": ("b",)}  # noqa: RUF012
        a = FloatParameter("A", default=0.0)
        b = FloatParameter("B", default=0.0)
        z = FloatParameter("Z", default=0.0)

    class Second(First):
        groups = {"advanced": ("d",), "gate": ("b",)}  # noqa: RUF012
        d = FloatParameter("D", default=0.0)
        c = FloatParameter("C", default=0.0)

    assert First().grouped() == {"sweep": ["z"], "gate": ["a"], "advanced": ["b"]}
    assert Second().grouped() == {"sweep": ["z", "c"], "gate": ["a", "b"], "advanced": ["d"]}
