"""Names of columns by many makers: what is a lock-in's reading, and which part and harmonic of it."""

import pytest

from stmlab.analysis.recorded.names import base_name, flags, meaning, other_part

IN_PHASE = """LI Demod 1 X|LIX 1 omega|LockIn X|Lock In X|Lock-in_X|LockinX1|SRX|SR830 X|SR830X|SR 860 X|SRS X|HF2 X1
HF2LI X|MFLI demod 1 X|UHFLI X1|ZI X1|Zurich X|EGG X|7265 X|DSP7265 X1|Anfatec X|Stanford X|demod1.x|Lock-in in-phase
LIA X|LIA_X|SRS830 X|LockIn1_X|Demod1X|dI/dV_X|dIdVx|mfli_demods_0_sample_x|X-channel lockin|Aux SRS X|HF2-X
Input 8 lockin x|SR7270 X|Lock-In real""".replace("\n", "|").split("|")
NO_PART = ["LockIn", "dI/dV", "dI_dV", "dIdV", "dI/dU", "dI dV", "conductance", "Lockin", "LIA Current", "dIdV_fwd"]
OTHERS = {
    "Y": ["LI Demod 1 Y", "LIY 1 omega", "SRY", "HF2 Y1", "Lock-in quadrature", "Lockin imag", "di_q"],
    "R": ["LI Demod 1 R", "ZI R1", "SR830_R", "Lock-in amplitude", "HF2 magnitude", "LIR"],
    "phase": ["Lock-in phase", "lock-in Theta", "SR830 phase"],
}
NO_LOCKIN = """Current|Input 3|Phase|Amplitude|Excitation|Bias|Z|OC M1 Freq. Shift|Frequency Shift|X|Light intensity|
Line|Temperature 1|Topography|Counter|Laser power|Slider|Side""".replace("\n", "").split("|")


@pytest.mark.parametrize("name", IN_PHASE)
def test_an_in_phase_reading_is_known_by_any_maker_s_name(name):
    told = meaning(name)
    assert (told.lockin, told.part, told.harmonic in (None, 1)) == (True, "X", True)


@pytest.mark.parametrize("name", NO_PART)
def test_a_reading_whose_part_is_not_named_is_a_reading(name):
    assert (meaning(name).lockin, meaning(name).part, meaning(name).harmonic) == (True, "", None)


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, names in OTHERS.items() for name in names])
def test_quadrature_magnitude_and_phase_are_told_apart(part, name):
    assert (meaning(name).lockin, meaning(name).part) == (True, part)


@pytest.mark.parametrize("name", NO_LOCKIN)
def test_other_columns_are_no_lockin_s(name):
    assert not meaning(name).lockin


@pytest.mark.parametrize(
    ("name", "harmonic"),
    [
        ("LIX 1 omega", 1),
        ("LIX 2 omega", 2),
        ("LIX n omega", 2),
        ("MFLI X 2f", 2),
        ("d2I/dV2", 2),
        ("d2I_dV2", 2),
        ("IETS", 2),
        ("Lockin X second", 2),
        ("SR830 X 1st harmonic", 1),
        ("Lock-in X harmonic 3", 3),
        ("LI Demod 1 X", None),
    ],
)
def test_harmonics(name, harmonic):
    assert meaning(name).harmonic == harmonic


def test_demodulators_and_flags():
    assert [meaning(name).number for name in ("LI Demod 2 X", "HF2 X3", "MFLI demod 1 X", "LockIn")] == [2, 3, 1, 1]
    told = meaning("LI Demod 1 X [00002] [bwd] [filt]")
    assert (told.backward, told.single, told.filtered) == (True, True, True)
    assert flags("LockIn [AVG] [bwd]") == ["[AVG]", "[bwd]"]
    assert base_name("LockIn [AVG] [bwd]") == "LockIn"


@pytest.mark.parametrize(
    ("name", "partner"),
    [
        ("LI Demod 1 X [bwd]", "LI Demod 1 Y [bwd]"),
        ("HF2 X1", "HF2 Y1"),
        ("SRX", "SRY"),
        ("LIX 1 omega", "LIY 1 omega"),
    ],
)
def test_the_partner_of_a_reading(name, partner):
    assert other_part(name, "X", "Y") == partner
