"""Whatever an answer holds, a driver reads it rightly or says that it is garbled: no raw error of Python leaves it."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import InstrumentFault, InstrumentLost, StmlabError
from stmlab.nanonis.frames import HEADER_SIZE
from tests.drivers.garbling import SUBJECTS, alike
from tests.repetitions import examples

LINES = [subject for subject in SUBJECTS if not subject.binary]
FRAMES = [subject for subject in SUBJECTS if subject.binary]
TEXT = ("id", "options", "snapshot")  # whose answers may be any printable text

NONSENSE = [
    *(b"\n", b"#!?\n", b"nan\n", b"inf\n", b"-inf\n", b"1e999\n", b"99999999999999999999999\n", b"0x1F\n", b"1_0\n"),
    *(b"\xff\xfe\n", b"\xc2\xb2\n", b"--1\n", b"1 2\n", b"1,2,3,4,5,6,7\n", b";\n", b";;;;;;;;;;;;;;;\n", b"\x00\n"),
    *(b"", b"1", b"1.5e"),
]


def _overwritten(answer, share, content):
    at = int(share * len(answer))
    return answer[:at] + content + answer[at + len(content) :]


def _cut(content, share):
    return content[: int(share * len(content))]


def _body(frame):
    return frame[HEADER_SIZE:]


def _framed(frame, body):
    return frame[:32] + struct.pack(">i4x", len(body)) + body


def _worded(frame, at, word):
    body = _body(frame)
    return _framed(frame, body[:at] + word + body[at + len(word) :])


LONGEST = 48  # bytes of a body at every fourth of which (every second: slow) another word is tried
SHARE = st.floats(0.0, 1.0)
WORDS = [struct.pack(">f", number) for number in (math.nan, math.inf, 0.0, -1.0, 3e38)]
WORDS += [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x09"]
ANYWHERE = [
    st.builds(lambda at, content: lambda answer: _overwritten(answer, at, content), SHARE, st.binary(min_size=1)),
    st.just(lambda answer: answer + answer),
    st.just(lambda answer: answer[: len(answer) // 2]),
]
OF_LINES = st.one_of(
    *ANYWHERE,
    st.builds(lambda text: lambda _: text + b"\n", st.text(st.characters(max_codepoint=126)).map(str.encode)),
    st.builds(lambda number: lambda _: f"{number!r}\n".encode(), st.floats() | st.integers()),
    st.builds(lambda share: lambda answer: _cut(answer, share) + b"\n", SHARE),
)
OF_FRAMES = st.one_of(
    *ANYWHERE,
    st.builds(lambda body: lambda frame: _framed(frame, body), st.binary(max_size=64)),
    st.builds(lambda share: lambda frame: _framed(frame, _cut(_body(frame), share)), SHARE),
    st.builds(lambda more: lambda frame: _framed(frame, _body(frame) + more), st.binary(min_size=1, max_size=20)),
    st.just(lambda frame: frame.replace(b"Get", b"Set", 1)),
)


@pytest.mark.parametrize("one_of", [9, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("subject", LINES, ids=str)
def test_nonsense_in_place_of_any_answer_is_garbled_or_lost(subject, one_of):
    """A ninth of the nonsense in place of each answer, another ninth for the next one; or all of it."""
    for name, (_, answers) in subject.references().items():
        for number in range(answers):
            for nonsense in NONSENSE[number % one_of :: one_of]:
                try:
                    subject.run(name, number, lambda _, nonsense=nonsense: nonsense)
                except (InstrumentLost, InstrumentFault):
                    continue
                assert name in TEXT, (name, number, nonsense)


@pytest.mark.parametrize("subject", LINES, ids=str)
@given(data=st.data())
@examples(300)
def test_a_changed_answer_is_a_value_of_its_kind_or_an_error_that_says_so(subject, data):
    _garble(subject, data, OF_LINES)


@pytest.mark.parametrize(("step", "one_of"), [(4, 3), pytest.param(2, 1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("subject", FRAMES, ids=str)
def test_another_word_anywhere_in_an_answer_is_a_value_of_its_kind_or_an_error_that_says_so(subject, step, one_of):
    """A third of the words at each place, another third at the next one; or all of them."""
    for first, (name, number) in enumerate(subject.commands().values()):
        reference, _ = subject.references()[name]
        sizes = []
        subject.run(name, number, lambda frame, sizes=sizes: (sizes.append(len(_body(frame))), frame)[1])
        for at in range(0, min(sizes[0] - 3, LONGEST), step):
            for word in WORDS[(first + at // step) % one_of :: one_of]:
                _check(subject, name, number, reference, lambda frame, at=at, word=word: _worded(frame, at, word))


@pytest.mark.parametrize("subject", FRAMES, ids=str)
@given(data=st.data())
@examples(600)
def test_a_changed_frame_is_a_value_of_its_kind_or_an_error_that_says_so(subject, data):
    _garble(subject, data, OF_FRAMES)


def _garble(subject, data, changes):
    name = data.draw(st.sampled_from([name for name, (_, answers) in subject.references().items() if answers]))
    reference, answers = subject.references()[name]
    _check(subject, name, data.draw(st.integers(0, answers - 1)), reference, data.draw(changes))


def _check(subject, name, number, reference, change):
    try:
        value, _ = subject.run(name, number, change)
    except StmlabError:
        return
    assert alike(value, reference), (name, number, value, reference)
