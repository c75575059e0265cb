"""Frames and types of the Nanonis programming interface."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stmlab.errors import OutOfBounds
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import HEADER_SIZE, Header, pack_request, pack_response, unpack_error, unpack_header
from stmlab.nanonis.protocol import Field, GarbledMessage, pack, unpack

TEXT = st.text(max_size=12)
NUMBERS = {
    "u2": st.integers(0, 2**16 - 1),
    "i4": st.integers(-(2**31), 2**31 - 1),
    "u4": st.integers(0, 2**32 - 1),
    "f4": st.floats(width=32),
    "f8": st.floats(),
}
TYPES = ["u2", "i4", "u4", "f4", "f8", "str", "str[]", "i4[]", "u4[]", "f4[]", "f8[]", "f4[][]", "str[][]"]


def array_of(item, shape):
    dtype = np.float64 if item[0] == "f" else np.int64
    return arrays.arrays(dtype, shape, elements=NUMBERS[item])


def values_of(type_, count):
    """A strategy for values of a type; ``count`` is the length of arrays whose length is another field."""
    item = type_.partition("[")[0]
    if type_ == "str[][]":
        row = st.lists(TEXT, min_size=2, max_size=2).map(tuple)
        return st.lists(row, min_size=1, max_size=3).map(tuple)
    if item == "str":
        return st.lists(TEXT, max_size=4).map(tuple) if "[" in type_ else TEXT
    if "[" not in type_:
        return NUMBERS[item]
    if type_.endswith("[][]"):
        return array_of(item, st.tuples(st.integers(1, 4), st.integers(1, 4)))
    return array_of(item, st.integers(0, 5) if type_.endswith("[]") else count)


@st.composite
def commands_with_values(draw):
    """Any command's arguments or returns, with values that agree about their lengths."""
    command = COMMANDS[draw(st.sampled_from(sorted(COMMANDS)))]
    fields = draw(st.sampled_from([command.arguments, command.returns]))
    count = draw(st.integers(0, 4))
    counts = {field.type.partition("[")[2].rstrip("]") for field in fields}
    return fields, [count if field.name in counts else draw(values_of(field.type, count)) for field in fields]


def same(one, other):
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f")
    return one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))


@given(commands_with_values())
def test_every_message_is_read_as_it_was_written(message):
    fields, values = message
    read, rest = unpack(fields, pack(fields, values))
    assert rest == b""
    assert all(same(one, other) for one, other in zip(values, read, strict=True))


@pytest.mark.parametrize("type_", TYPES)
@given(data=st.data())
def test_every_type_is_read_as_it_was_written_and_leaves_what_follows(type_, data):
    field = Field("value", type_)
    value = data.draw(values_of(type_, 3))
    (read,), rest = unpack([field], pack([field], [value]) + b"rest")
    assert same(value, read)
    assert rest == b"rest"


@given(st.sampled_from(sorted(COMMANDS)), st.binary(max_size=60))
@example("Scan.PropsGet", struct.pack(">iiiiiii", 0, 0, 0, 0, 0, 0, 2**31 - 1))
def test_any_bytes_are_either_read_or_refused(name, body):
    for fields in (COMMANDS[name].arguments, COMMANDS[name].returns):
        try:
            unpack(fields, body)
        except GarbledMessage as refusal:
            assert "\n" not in str(refusal)


def test_the_bytes_of_a_request_are_those_of_the_makers_client():
    # recorded from nanonis_spm 1.0.9: Bias.Set 1.1 V, ZCtrl.Withdraw waiting, BiasSpectr.ChsSet [0, 24]
    recorded = {
        ("Bias.Set", 1.1): "426961732e536574" + 24 * "00" + "00000004000100003f8ccccd",
        ("ZCtrl.Withdraw", 1, -1): "5a4374726c2e5769746864726177" + 18 * "00" + "000000080001000000000001ffffffff",
        ("BiasSpectr.ChsSet", (0, 24)): "426961735370656374722e436873536574"
        + 15 * "00"
        + "0000000c00010000"
        + "000000020000000000000018",
        ("BiasSpectr.MLSModeSet", "Linear"): "426961735370656374722e4d4c534d6f6465536574"
        + 11 * "00"
        + "0000000a00010000"
        + "000000064c696e656172",
    }
    for (name, *values), golden in recorded.items():
        assert pack_request(name, pack(COMMANDS[name].arguments, values)).hex() == golden


def test_a_response_carries_values_and_then_the_error_section():
    good = pack_response("Bias.Get", pack(COMMANDS["Bias.Get"].returns, [0.5]))
    assert good == b"Bias.Get".ljust(32, b"\0") + bytes.fromhex("0000000c000000003f0000000000000000000000")
    bad = pack_response("Bias.Get", pack(COMMANDS["Bias.Get"].returns, [0.0]), "broken")
    assert bad[HEADER_SIZE:] == bytes.fromhex("000000000000000100000006") + b"broken"
    assert unpack_error(bad[HEADER_SIZE + 4 :]) == "broken"
    assert unpack_error(good[HEADER_SIZE + 4 :]) == ""


def test_the_lists_of_strings_count_their_own_length_prefixes():
    packed = pack([Field("names", "str[]")], [("Z (m)", "X")])
    assert packed == struct.pack(">iii5si1s", 14, 2, 5, b"Z (m)", 1, b"X")


@pytest.mark.parametrize("respond", [True, False])
def test_the_header_says_command_size_and_whether_to_answer(respond):
    request = pack_request("Scan.FrameSet", bytes(20), respond=respond)
    assert unpack_header(request[:HEADER_SIZE]) == Header("Scan.FrameSet", 20, respond)


@pytest.mark.parametrize(
    "header",
    [bytes(40), b"\xff" * 40, b"Bias.Get".ljust(32, b"\0") + b"\xff\xff\xff\xff" + bytes(4), b"Bias\nGet" + bytes(32)],
)
def test_what_is_no_header_is_refused(header):
    with pytest.raises(GarbledMessage):
        unpack_header(header)


@pytest.mark.parametrize(
    "section", [b"", bytes(7), struct.pack(">Ii", 2, 0), struct.pack(">Ii", 1, 5) + b"four", bytes(9)]
)
def test_what_is_no_error_section_is_refused(section):
    with pytest.raises(GarbledMessage):
        unpack_error(section)


@pytest.mark.parametrize(
    ("type_", "value"),
    [("u2", 65536), ("u2", -1), ("i4", 2**31), ("u4", -1), ("f4", 1e39), ("f4[]", [0.0, -1e39]), ("i4[]", [2**40])],
)
def test_a_number_that_does_not_fit_is_refused_and_not_truncated(type_, value):
    with pytest.raises(OutOfBounds, match="gain"):
        pack([Field("gain", type_)], [value])


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        *(("i4", 1.5), ("i4", "one"), ("f4", None), ("str", 3), ("str[]", "names"), ("i4[]", [0.5])),
        *(("f4[][]", [1.0]), ("f8[]", ["1.5"]), ("f8[]", [None])),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(type_, value):
    with pytest.raises(GarbledMessage, match="gain"):
        pack([Field("gain", type_)], [value])


@pytest.mark.parametrize("type_", ["u2", "i4", "u4", "f4", "f8"])
@pytest.mark.parametrize("digits", [400, 5000])
def test_an_integer_larger_than_any_float_is_refused_by_name(type_, digits):
    for field, value in ((Field("gain", type_), 10**digits), (Field("gain", f"{type_}[]"), [1, -(10**digits)])):
        with pytest.raises(GarbledMessage, match=f"gain: an integer of .* bits is no {type_}"):
            pack([field], [value])


def test_an_integer_that_numpy_has_no_type_for_is_packed_where_it_fits():
    assert pack([Field("gain", "f8[]")], [[2**70]]) == struct.pack(">id", 1, 2.0**70)
    with pytest.raises(OutOfBounds, match="gain"):
        pack([Field("gain", "i4[]")], [[2**70]])


def test_too_few_values_and_arrays_of_another_length_are_refused():
    with pytest.raises(GarbledMessage, match="calibration, offset"):
        pack(COMMANDS["Bias.CalibrSet"].arguments, [1.0])
    segments = [2, [0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.1, 0.1], [5, 5], [0, 0]]
    with pytest.raises(GarbledMessage, match="start has 1 values, segments = 2"):
        pack(COMMANDS["BiasSpectr.MLSValsSet"].arguments, segments)


def test_no_command_is_longer_than_its_header_field_and_every_set_with_a_get_shares_its_fields():
    assert len(COMMANDS) == 179
    for name, command in COMMANDS.items():
        assert len(name) <= 32
        if name.endswith("Get") and (setter := COMMANDS.get(name[:-3] + "Set")) and not name.startswith("Signals"):
            given, kept = ({field.name for field in fields} for fields in (setter.arguments, command.returns))
            assert given & kept, name
