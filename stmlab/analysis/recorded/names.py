"""What the name of a column says: a lock-in's reading, by many makers' names, and which part and harmonic of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FLAG = re.compile(r"\[[^\]]*\]")
_SINGLE_SWEEP = re.compile(r"\[\d{5}\]")
_BACKWARD = "[bwd]"

_SECOND = re.compile(r"d2 ?i ?/? ?d[vu]|di2_?q|\biets\b|d\^2 ?i", re.IGNORECASE)
_DERIVATIVE = re.compile(
    r"\bd ?i ?[/_\- ]? ?d ?[vu](?=[xyr]?\d*\b)|\bdi_q\b|\b(differential )?conductance\b|\bdynamic conduct",
    re.IGNORECASE,
)
_MAKERS = (
    r"lock[ _-]?in",
    r"di ?[/_-]? ?d[vu]",
    r"lia",
    r"li",
    r"lock",
    r"e?lockin\d*",
    r"demod(ulator)?s?",
    r"sr[ _-]?\d{3,4}a?",
    r"srs?",
    r"stanford",
    r"zi|zurich|zürich",
    r"(hf2|mf|uhf|gh?f|shf)(li)?",
    r"eg&?g|ametek|perkin ?elmer|signal ?recovery|(dsp)?[ _-]?(72[0-9]{2}|5[123]\d{2})",
    r"anfatec|synktek|mcl1|moku|femto|ithaco|oxford|nf ?li\d+",
)
_LOCKIN = re.compile(rf"(?<![a-z])({'|'.join(_MAKERS)})(?=[xyr]?\d*(?![a-z])|demod)", re.IGNORECASE)

_PART = (
    ("phase", r"(?<!of[ _-])phase|theta|phi|θ|φ"),
    ("Y", r"y|quad(rature)?|imag(inary)?|im|q|out[ _-]?of[ _-]?phase"),
    ("R", r"r|mag(nitude)?|ampl(itude)?|abs"),
    ("X", r"x|in[ _-]?phase|real|re"),
)
_ALONE = rf"(?:(?<![a-z])|(?<![a-z])(?:{'|'.join(_MAKERS)}))"
_PARTS = tuple(
    (part, re.compile(rf"{_ALONE}(?:{words})(?P<index>\d*)(?![a-z])", re.IGNORECASE)) for part, words in _PART
)
_IN_PHASE = re.compile(r"(?<!lock)(?<!lock[ _-])(?<!of[ _-])\bin[ _-]?phase\b", re.IGNORECASE)
_HARMONIC = re.compile(
    r"\b(?P<a>\d+|n) ?(?:omega|ω|w\b|f\b)|\bharm(?:onic)?\.? ?(?P<b>\d+)|\b(?P<c>\d+)(?:st|nd|rd|th)\b|\bh(?P<d>\d)\b",
    re.IGNORECASE,
)
_DEMODULATOR = re.compile(r"\bdemod(?:ulator)? ?_?(?P<number>\d+)", re.IGNORECASE)
_WORDS = {"first": 1, "second": 2, "third": 3}


@dataclass(frozen=True)
class Meaning:
    """Of a column's name.

    Attributes:
        lockin: it is named as a lock-in's reading, or as dI/dV.
        part: "X" (in phase), "Y" (in quadrature), "R" (magnitude), "phase", or "" where the name does not say.
        harmonic: of the modulation, 1 for dI/dV; None where the name does not say.
        number: of the demodulator or channel; 1 where the name does not say.
        backward, single, filtered: by the flags.
    """

    lockin: bool
    part: str
    harmonic: int | None
    number: int
    backward: bool
    single: bool
    filtered: bool


def meaning(name: str) -> Meaning:
    """Read a column's name, as ``Recording`` has it: with flags, without its unit."""
    base = _FLAG.sub("", name).strip().replace("_", " ")
    derivative = any(pattern.search(text) for pattern in (_DERIVATIVE, _SECOND) for text in (base, name))
    part, number = _part(base, name)
    demodulator = _DEMODULATOR.search(base)
    return Meaning(
        lockin=derivative or _LOCKIN.search(base) is not None,
        part=part,
        harmonic=_harmonic(base),
        number=int(demodulator["number"]) if demodulator else number,
        backward=_BACKWARD in name,
        single=_SINGLE_SWEEP.search(name) is not None,
        filtered="[filt]" in name,
    )


def flags(name: str) -> list[str]:
    """The flags of a name: "LockIn [AVG] [bwd]" gives "[AVG]" and "[bwd]"."""
    return _FLAG.findall(name)


def base_name(name: str) -> str:
    """The name without its flags."""
    return _FLAG.sub("", name).strip()


def other_part(name: str, part: str, other: str) -> str:
    """The name of the same demodulator's other part: "LI Demod 1 X" and "Y" give "LI Demod 1 Y"."""
    pattern = next(pattern for known, pattern in _PARTS if known == part)
    found = list(pattern.finditer(name))
    if not found:
        return name
    start, end = found[-1].span()
    swapped = re.sub(rf"{part}(?=\d*$)", other, name[start:end], flags=re.IGNORECASE)
    return name[:start] + swapped + name[end:]


def _part(base: str, name: str) -> tuple[str, int]:
    if re.search(r"di2?_q", name, re.IGNORECASE):
        return "Y", 1
    if _IN_PHASE.search(base):
        return "X", 1
    for part, pattern in _PARTS:
        if found := list(pattern.finditer(base)):
            index = found[-1]["index"]
            return part, int(index) if index else 1
    return "", 1


def _harmonic(base: str) -> int | None:
    if _SECOND.search(base):
        return 2
    for word, number in _WORDS.items():
        if re.search(rf"\b{word}\b", base, re.IGNORECASE):
            return number
    found = _HARMONIC.search(base)
    if found is None:
        return None
    text = next(text for text in found.groups() if text is not None)
    return 2 if text.lower() == "n" else int(text)
