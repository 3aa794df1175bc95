"""What can stand against accepting a right record: whose school it is, and what came with it."""

from __future__ import annotations

from hocba_hub.model.findings import FindingKind, Severity

SCHOOL_NOT_PERMITTED = FindingKind(
    code="access.school-not-permitted",
    severity=Severity.ERROR,
    message_vi="Khóa này không được gửi học bạ của trường {school}. Đề nghị Sở bổ sung trường vào phạm vi của khóa.",
    message_en="This key may not speak for school {school}. Ask the department to add the school to the key's scope.",
)
CARD_OF_ANOTHER_SCHOOL = FindingKind(
    code="access.card-of-another-school",
    severity=Severity.ERROR,
    message_vi="Mã định danh học bạ này đã được một trường khác sử dụng trong năm học này.",
    message_en="This card id is already used by another school in this school year.",
)
NOT_ALONE = FindingKind(
    code="submission.atomic",
    severity=Severity.ERROR,
    message_vi="Bản ghi đúng, nhưng không được nhận vì lần gửi này yêu cầu nhận tất cả hoặc không nhận bản ghi nào.",
    message_en="The record is right, but was not accepted because the submission asked for all or nothing.",
)
RECALLED = FindingKind(
    code="submission.card-recalled",
    severity=Severity.ERROR,
    message_vi="Học bạ này đã được thu hồi. Muốn đưa vào sử dụng lại, hãy gửi với reinstate=true.",
    message_en="This card was recalled. To put it into force again, send it with reinstate=true.",
)
KINDS = (SCHOOL_NOT_PERMITTED, CARD_OF_ANOTHER_SCHOOL, NOT_ALONE, RECALLED)
