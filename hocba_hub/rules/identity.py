"""Rules of the personal number: does it agree with the pupil's birth and gender, and with the other people's numbers?

Its form (12 digits) is the model's business. Nothing here says a digit of any number.
"""

from __future__ import annotations

from collections.abc import Iterator

from hocba_hub.rules.rule import Objection, Outcome, Outcomes, rule
from hocba_hub.rules.view import SecondaryView, View

_NUMBER = "/pupil/personal_number"
_NO_PROVINCES = frozenset(
    {
        *("003", "005", "007", "009", "013", "016", "018", "021", "023", "028", "029", "032", "039", "041", "043"),
        *("047", "050", "053", "055", "057", "059", "061", "063", "065", "069", "071", "073", "076", "078", "081"),
        *("085", "088", "090", "097", "098", "099", "000"),
    }
)
"""Codes below 100 that no province has (TT 07/2016/TT-BCA App. 1); from 100 on they are countries."""
_MALE, _FEMALE = "1", "2"


@rule("identity.number-year")
def number_year(view: View) -> Outcomes:
    """Digit 4 carries the century, digits 5 and 6 the year."""
    pupil = view.card.pupil
    number, birth = pupil.personal_number, pupil.birth
    if number is None or (number[4:6] == birth[2:4] and int(number[3]) // 2 + 19 == int(birth[:2])):
        return ()
    return (Objection(_NUMBER, "/pupil/birth"),)


@rule("identity.number-gender")
def number_gender(view: View) -> Outcomes:
    """Digit 4 is even for male and odd for female; an unknown gender agrees with both."""
    pupil = view.card.pupil
    number, gender = pupil.personal_number, pupil.gender
    if number is None or gender == "0" or gender == (_FEMALE if int(number[3]) % 2 else _MALE):
        return ()
    return (Objection(_NUMBER, "/pupil/gender"),)


@rule("identity.number-province")
def number_province(view: View) -> Outcomes:
    """The place of birth registration is known; it need not be today's province, and may be a country."""
    number = view.card.pupil.personal_number
    if number is None or number[:3] not in _NO_PROVINCES:
        return ()
    return (Objection(_NUMBER, "001-096"),)


@rule("identity.number-shared")
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
