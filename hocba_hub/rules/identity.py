"""Rules of the personal number: does it agree with the pupil's birth and gender, and with the other people's numbers?

Its form (12 digits) is the model's business. Nothing here says a digit of any number.
"""

from __future__ import annotations

from collections.abc import Iterator

from hocba_hub.model.findings import Severity
from hocba_hub.rules.rule import Objection, Outcome, Outcomes, rule
from hocba_hub.rules.view import SecondaryView, View

_NUMBER = "/pupil/personal_number"
_REFERENCE = "TT 59/2021/TT-BCA; Luật Căn cước 26/2023 Art. 12"
_NO_PROVINCES = frozenset(
    {
        *("003", "005", "007", "009", "013", "016", "018", "021", "023", "028", "029", "032", "039", "041", "043"),
        *("047", "050", "053", "055", "057", "059", "061", "063", "065", "069", "071", "073", "076", "078", "081"),
        *("085", "088", "090", "097", "098", "099", "000"),
    }
)
"""Codes below 100 that no province has (TT 07/2016/TT-BCA App. 1); from 100 on they are countries."""
_MALE, _FEMALE = "1", "2"


@rule(
    "identity.number-year",
    Severity.WARNING,
    vi="Số định danh không khớp với năm sinh ở {expected} (chữ số 4 đến 6). Năm sinh có thể đã được cải chính.",
    en="The personal number does not agree with the birth year at {expected} (digits 4 to 6). The birth date may "
    "have been corrected later.",
    reference=_REFERENCE,
)
def number_year(view: View) -> Outcomes:
    """Digit 4 carries the century, digits 5 and 6 the year."""
    pupil = view.card.pupil
    number, birth = pupil.personal_number, pupil.birth
    if number is None or (number[4:6] == birth[2:4] and int(number[3]) // 2 + 19 == int(birth[:2])):
        return ()
    return (Objection(_NUMBER, "/pupil/birth"),)


@rule(
    "identity.number-gender",
    Severity.WARNING,
    vi="Số định danh không khớp với giới tính ở {expected} (chữ số 4: chẵn nam, lẻ nữ). "
    "Giới tính có thể đã được cải chính.",
    en="The personal number does not agree with the gender at {expected} (digit 4: even male, odd female). "
    "The gender may have been corrected later.",
    reference=_REFERENCE,
)
def number_gender(view: View) -> Outcomes:
    """Digit 4 is even for male and odd for female; an unknown gender agrees with both."""
    pupil = view.card.pupil
    number, gender = pupil.personal_number, pupil.gender
    if number is None or gender == "0" or gender == (_FEMALE if int(number[3]) % 2 else _MALE):
        return ()
    return (Objection(_NUMBER, "/pupil/gender"),)


@rule(
    "identity.number-province",
    Severity.WARNING,
    vi="Ba chữ số đầu của số định danh không phải mã tỉnh, thành phố đã biết ({expected}).",
    en="The first three digits of the personal number are no known province code ({expected}).",
    reference="TT 07/2016/TT-BCA App. 1; TT 59/2021/TT-BCA",
)
def number_province(view: View) -> Outcomes:
    """The place of birth registration is known; it need not be today's province, and may be a country."""
    number = view.card.pupil.personal_number
    if number is None or number[:3] not in _NO_PROVINCES:
        return ()
    return (Objection(_NUMBER, "001-096"),)


@rule(
    "identity.number-shared",
    Severity.WARNING,
    vi="Số định danh này đứng ở hai người khác họ tên trên cùng học bạ.",
    en="This personal number stands with two people of different names on one card.",
    reference="Luật Căn cước 26/2023 Art. 12",
)
def number_shared(view: View) -> Iterator[Outcome]:
    """One number is one person: the pupil, the homeroom teacher, the signing manager, the subject teachers."""
    pupil, signers = view.card.pupil, view.card.signers
    names = {pupil.personal_number: pupil.full_name}
    for pointer, signer in (("/signers/manager", signers.manager), ("/signers/homeroom", signers.homeroom)):
        number = signer.personal_number
        if number is not None and names.setdefault(number, signer.full_name) != signer.full_name:
            yield Objection(f"{pointer}/personal_number")
    if isinstance(view, SecondaryView):
        for place, subject in enumerate(view.year.subjects):
            teacher = subject.teacher
            name = teacher.full_name
            if names.setdefault(teacher.personal_number, name) != name:
                yield Objection(f"/year/subjects/{place}/teacher/personal_number")


RULES = (number_year, number_gender, number_province, number_shared)
