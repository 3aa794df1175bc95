"""The subjects and activities of the 2018 programme, with stand-in codes and short names.

The Ministry's three-character codes are not public: the codes here are the hub's own stand-ins, the same as in the
code table of the mappings. Short names keep to the 20 characters that a secondary card allows (NDC 2026, `tenmonhoc`)
and have to be agreed with the department. Source: TT 32/2018, TT 13/2022; assessment by TT 27/2020 Art. 7 and
TT 22/2021 Art. 5.3; continuing education from memory of TT 12/2022.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Programme = Literal["TH", "THCS", "THPT", "GDTX"]
"""Tiểu học, trung học cơ sở, trung học phổ thông, giáo dục thường xuyên (upper secondary)."""

Assessment = Literal["level", "level-and-mark", "mark", "comment"]
"""T/H/C only; T/H/C with a periodic test; marks from 0 to 10; Đ/CĐ."""


class Subject(NamedTuple):
    """One subject or educational activity of a programme."""

    code: str
    """Three characters: the hub's own stand-in."""
    name: str
    short_name: str
    """At most 20 characters."""
    programme: Programme
    grades: range
    assessment: Assessment
    chosen: bool = False
    """Whether the pupil (or the school) chooses it: lựa chọn or tự chọn."""


_TH, _EARLY, _MIDDLE, _LATE = range(1, 6), range(1, 4), range(3, 6), range(4, 6)
_LOWER, _UPPER = range(6, 10), range(10, 13)

_HTN = "Hoạt động trải nghiệm, hướng nghiệp"
_GDP = "Nội dung giáo dục của địa phương"
_QPA = "Giáo dục quốc phòng và an ninh"
_KPL = "Giáo dục kinh tế và pháp luật"
_DTT = "Tiếng dân tộc thiểu số"

SUBJECTS: tuple[Subject, ...] = (
    Subject("TVI", "Tiếng Việt", "Tiếng Việt", "TH", _TH, "level-and-mark"),
    Subject("TOA", "Toán", "Toán", "TH", _TH, "level-and-mark"),
    Subject("NN1", "Ngoại ngữ 1", "Ngoại ngữ 1", "TH", _MIDDLE, "level-and-mark"),
    Subject("DDU", "Đạo đức", "Đạo đức", "TH", _TH, "level"),
    Subject("TXH", "Tự nhiên và Xã hội", "Tự nhiên và Xã hội", "TH", _EARLY, "level"),
    Subject("LDL", "Lịch sử và Địa lí", "Lịch sử và Địa lí", "TH", _LATE, "level-and-mark"),
    Subject("KHO", "Khoa học", "Khoa học", "TH", _LATE, "level-and-mark"),
    Subject("THC", "Tin học và Công nghệ", "Tin học và Công nghệ", "TH", _MIDDLE, "level-and-mark"),
    Subject("GTC", "Giáo dục thể chất", "Giáo dục thể chất", "TH", _TH, "level"),
    Subject("NTH", "Nghệ thuật (Âm nhạc, Mĩ thuật)", "Nghệ thuật", "TH", _TH, "level"),
    Subject("HTN", "Hoạt động trải nghiệm", "HĐ trải nghiệm", "TH", _TH, "level"),
    Subject("DTT", _DTT, "Tiếng DTTS", "TH", _TH, "level", chosen=True),
    Subject("NGV", "Ngữ văn", "Ngữ văn", "THCS", _LOWER, "mark"),
    Subject("TOA", "Toán", "Toán", "THCS", _LOWER, "mark"),
    Subject("NN1", "Ngoại ngữ 1", "Ngoại ngữ 1", "THCS", _LOWER, "mark"),
    Subject("GCD", "Giáo dục công dân", "Giáo dục công dân", "THCS", _LOWER, "mark"),
    Subject("LDL", "Lịch sử và Địa lí", "Lịch sử và Địa lí", "THCS", _LOWER, "mark"),
    Subject("KTN", "Khoa học tự nhiên", "Khoa học tự nhiên", "THCS", _LOWER, "mark"),
    Subject("CNG", "Công nghệ", "Công nghệ", "THCS", _LOWER, "mark"),
    Subject("TIN", "Tin học", "Tin học", "THCS", _LOWER, "mark"),
    Subject("GTC", "Giáo dục thể chất", "Giáo dục thể chất", "THCS", _LOWER, "comment"),
    Subject("NTH", "Nghệ thuật", "Nghệ thuật", "THCS", _LOWER, "comment"),
    Subject("HTN", _HTN, "HĐTN, hướng nghiệp", "THCS", _LOWER, "comment"),
    Subject("GDP", _GDP, "GD địa phương", "THCS", _LOWER, "comment"),
    Subject("NN2", "Ngoại ngữ 2", "Ngoại ngữ 2", "THCS", _LOWER, "mark", chosen=True),
    Subject("DTT", _DTT, "Tiếng DTTS", "THCS", _LOWER, "mark", chosen=True),
    Subject("NGV", "Ngữ văn", "Ngữ văn", "THPT", _UPPER, "mark"),
    Subject("TOA", "Toán", "Toán", "THPT", _UPPER, "mark"),
    Subject("NN1", "Ngoại ngữ 1", "Ngoại ngữ 1", "THPT", _UPPER, "mark"),
    Subject("LSU", "Lịch sử", "Lịch sử", "THPT", _UPPER, "mark"),
    Subject("QPA", _QPA, "GDQP và an ninh", "THPT", _UPPER, "mark"),
    Subject("GTC", "Giáo dục thể chất", "Giáo dục thể chất", "THPT", _UPPER, "comment"),
    Subject("HTN", _HTN, "HĐTN, hướng nghiệp", "THPT", _UPPER, "comment"),
    Subject("GDP", _GDP, "GD địa phương", "THPT", _UPPER, "comment"),
    Subject("DLI", "Địa lí", "Địa lí", "THPT", _UPPER, "mark", chosen=True),
    Subject("KPL", _KPL, "GD kinh tế và PL", "THPT", _UPPER, "mark", chosen=True),
    Subject("VLI", "Vật lí", "Vật lí", "THPT", _UPPER, "mark", chosen=True),
    Subject("HOA", "Hóa học", "Hóa học", "THPT", _UPPER, "mark", chosen=True),
    Subject("SIN", "Sinh học", "Sinh học", "THPT", _UPPER, "mark", chosen=True),
    Subject("CNG", "Công nghệ", "Công nghệ", "THPT", _UPPER, "mark", chosen=True),
    Subject("TIN", "Tin học", "Tin học", "THPT", _UPPER, "mark", chosen=True),
    Subject("AMN", "Âm nhạc", "Âm nhạc", "THPT", _UPPER, "comment", chosen=True),
    Subject("MTH", "Mĩ thuật", "Mĩ thuật", "THPT", _UPPER, "comment", chosen=True),
    Subject("NN2", "Ngoại ngữ 2", "Ngoại ngữ 2", "THPT", _UPPER, "mark", chosen=True),
    Subject("DTT", _DTT, "Tiếng DTTS", "THPT", _UPPER, "mark", chosen=True),
    Subject("NGV", "Ngữ văn", "Ngữ văn", "GDTX", _UPPER, "mark"),
    Subject("TOA", "Toán", "Toán", "GDTX", _UPPER, "mark"),
    Subject("LSU", "Lịch sử", "Lịch sử", "GDTX", _UPPER, "mark"),
    Subject("DLI", "Địa lí", "Địa lí", "GDTX", _UPPER, "mark", chosen=True),
    Subject("KPL", _KPL, "GD kinh tế và PL", "GDTX", _UPPER, "mark", chosen=True),
    Subject("VLI", "Vật lí", "Vật lí", "GDTX", _UPPER, "mark", chosen=True),
    Subject("HOA", "Hóa học", "Hóa học", "GDTX", _UPPER, "mark", chosen=True),
    Subject("SIN", "Sinh học", "Sinh học", "GDTX", _UPPER, "mark", chosen=True),
    Subject("CNG", "Công nghệ", "Công nghệ", "GDTX", _UPPER, "mark", chosen=True),
    Subject("TIN", "Tin học", "Tin học", "GDTX", _UPPER, "mark", chosen=True),
    Subject("HTN", _HTN, "HĐTN, hướng nghiệp", "GDTX", _UPPER, "comment"),
    Subject("GDP", _GDP, "GD địa phương", "GDTX", _UPPER, "comment"),
    Subject("NNG", "Ngoại ngữ", "Ngoại ngữ", "GDTX", _UPPER, "mark", chosen=True),
)


def subjects_of(programme: Programme, grade: int) -> tuple[Subject, ...]:
    """The subjects that a grade of a programme has, chosen ones included."""
    return tuple(subject for subject in SUBJECTS if subject.programme == programme and grade in subject.grades)
