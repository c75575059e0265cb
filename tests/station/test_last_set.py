"""What was last set and confirmed."""

from stmlab.station.last_set import LastSet


def test_what_was_noted_is_known_until_it_is_forgotten():
    last_set = LastSet()
    controller = last_set.of("controller")
    assert dict(controller) == {}
    last_set.note("controller", "bias", 0.01)
    last_set.note("controller", "setpoint", 1e-10)
    last_set.note("lockin", "phase", 3.0)
    assert dict(controller) == {"bias": 0.01, "setpoint": 1e-10}
    last_set.forget("controller", "bias")
    assert dict(last_set.of("controller")) == {"setpoint": 1e-10}
    last_set.forget("controller")
    last_set.forget("oven")
    assert dict(last_set.of("controller")) == {}
    assert dict(last_set.of("lockin")) == {"phase": 3.0}


def test_what_moved_stays_moved_although_its_values_are_forgotten():
    last_set = LastSet()
    last_set.note("lockin", "phase", 3.0)
    assert last_set.moved == frozenset()
    last_set.moving("controller")
    last_set.forget("controller")
    assert last_set.moved == {"controller"}


def test_a_move_is_announced_before_it_is_noted():
    seen = []
    last_set = LastSet(lambda name: seen.append((name, last_set.moved)))
    last_set.moving("controller")
    last_set.moving("lockin")
    assert seen == [("controller", frozenset()), ("lockin", {"controller"})]
    assert last_set.moved == {"controller", "lockin"}
