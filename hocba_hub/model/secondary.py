"""What a card of lower or upper secondary school, or of continuing education, says of the year.

TT 22/2021/TT-BGDĐT and, for GDTX, TT 43/2021/TT-BGDĐT.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from hocba_hub.model.fields import Mark, Name, Part, SubjectCode, SubjectResult, Text500, Text2000, field
from hocba_hub.model.people import SubjectTeacher

YearLevel = Literal["T", "K", "Đ", "CĐ"]
"""T tốt, K khá, Đ đạt, CĐ chưa đạt (TT 22/2021 Art. 8 and 9)."""

Title = Literal["Học sinh Xuất sắc", "Học sinh Giỏi"]
"""TT 22/2021 Art. 15."""


class TermMarks(Part):
    """The marks behind a term average, where the vendor has them (TT 22/2021 Art. 6 and 7)."""

    regular: tuple[Mark, ...] = field("Điểm đánh giá thường xuyên", source="TT 22/2021 Art. 6", max_length=6)
    midterm: Mark | None = field("Điểm giữa kỳ", source="TT 22/2021 Art. 7", default=None)
    final: Mark | None = field("Điểm cuối kỳ", source="TT 22/2021 Art. 7", default=None)


class SecondarySubject(Part):
    """One subject's results."""

    code: SubjectCode = field("Mã môn học", "mamonhoc")
    name: Annotated[str, StringConstraints(min_length=1, max_length=20)] = field("Tên môn học", "tenmonhoc")
    term1: SubjectResult | None = field("Điểm học kỳ 1", "diemhocky1", default=None)
    term2: SubjectResult | None = field("Điểm học kỳ 2", "diemhocky2", default=None)
    year: SubjectResult | None = field("Điểm cả năm", "diemcanam", default=None)
    retest: SubjectResult | None = field("Điểm kiểm tra lại", "diemkttralai", default=None)
    term1_marks: TermMarks | None = field("Các điểm học kỳ 1", source="TT 22/2021 Art. 6, 7", default=None)
    term2_marks: TermMarks | None = field("Các điểm học kỳ 2", source="TT 22/2021 Art. 6, 7", default=None)
    comment: Text2000 | None = field("Nhận xét môn học", "nxetmonhoc", default=None)
    teacher: SubjectTeacher = field("Giáo viên bộ môn")


class Learning(Part):
    """Learning results (kết quả học tập), by term, year and after re-assessment."""

    term1: YearLevel | None = field("Kết quả học tập học kỳ 1", "hocky1", default=None)
    term2: YearLevel | None = field("Kết quả học tập học kỳ 2", "hocky2", default=None)
    year: YearLevel | None = field("Kết quả học tập cả năm", "canam", default=None)
    again: YearLevel | None = field("Kết quả học tập sau kiểm tra lại", "kqhoctaplai", default=None)


class Training(Part):
    """Training results (kết quả rèn luyện), by term, year and after summer training."""

    term1: YearLevel = field("Kết quả rèn luyện học kỳ 1", "renluyenhocky1")
    term2: YearLevel = field("Kết quả rèn luyện học kỳ 2", "renluyenhocky2")
    year: YearLevel = field("Kết quả rèn luyện cả năm", "renluyencanam")
    again: YearLevel | None = field("Kết quả rèn luyện lại trong hè", "renluyenlai", default=None)


class Certificate(Part):
    """A certificate the pupil holds (chứng chỉ)."""

    name: Name | None = field("Tên chứng chỉ", "tenchungchi", default=None)
    kind: Text500 | None = field("Loại chứng chỉ", "loaichungchi", default=None)


class SecondaryYear(Part):
    """The year's results."""

    subjects: tuple[SecondarySubject, ...] = field("Bảng điểm", "bangdiem", min_length=1, max_length=30)
    learning: Learning = field("Kết quả học tập")
    training: Training = field("Kết quả rèn luyện")
    absences: int = field("Tổng số buổi nghỉ học cả năm", "sobuoinghi", ge=0, le=300)
    promoted: bool = field("Được lên lớp", "duoclenlop")
    promotion_text: Name = field("Nội dung được lên lớp", "ndungduoclenlop")
    completion_text: Name | None = field("Nội dung hoàn thành chương trình", "ndunghoanthanh", default=None)
    title: Title | None = field("Danh hiệu", "madanhhieu", default=None)
    reward_text: Text2000 | None = field("Nội dung khen thưởng", "ndungkhenthuong", default=None)
    contests_text: Text2000 | None = field("Kết quả tham gia các cuộc thi", "kquathamgiacuocthi", default=None)
    summer_training_text: Text500 | None = field("Nội dung rèn luyện trong hè", "ndungkquarenluyen", default=None)
    discipline_text: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = field(
        "Kỷ luật", "kyluat", default=None
    )
    overall_average: Mark | None = field("Điểm tổng kết", "diemtongket", default=None)
    graduation_eligible: bool | None = field("Được dự xét tốt nghiệp", "coduxettotnghiep", default=None)
    graduation_text: Name | None = field("Tốt nghiệp cấp học", "totnghiepcap", default=None)
    certificates: tuple[Certificate, ...] = field("Chứng chỉ", "chungchi", default=(), max_length=20)
    homeroom_comment: Text2000 = field("Nhận xét của giáo viên chủ nhiệm", "nxetgvcn")
