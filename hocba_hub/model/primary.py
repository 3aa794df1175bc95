"""What a card of primary school says of the year (TT 27/2020/TT-BGDĐT)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from hocba_hub.model.fields import Part, SubjectCode, TestMark, Text500, Text2000, field, form

SubjectLevel = Literal["T", "H", "C", "M"]
"""T hoàn thành tốt, H hoàn thành, C chưa hoàn thành (TT 27/2020 Art. 6-7); M exempt."""

Degree = Literal["T", "Đ", "C"]
"""T tốt, Đ đạt, C cần cố gắng (TT 27/2020 Art. 8)."""

Weight = Annotated[
    str,
    form(
        r"^(([1-9][0-9]?|[12][0-9]{2})(\.[0-9]{1,4})?|300(\.0{1,4})?)$",
        "số từ 1 đến 300, dùng dấu chấm thập phân, ví dụ 28.5",
        "a number from 1 to 300 with a decimal point, e.g. 28.5",
    ),
]
"""A weight in kilograms, as text, so that it stays exact."""

Height = Annotated[
    str,
    form(
        r"^(([1-9][0-9]|[12][0-9]{2})(\.[0-9]{1,4})?|300(\.0{1,4})?)$",
        "số từ 10 đến 300, dùng dấu chấm thập phân, ví dụ 131.5",
        "a number from 10 to 300 with a decimal point, e.g. 131.5",
    ),
]
"""A height in centimetres, as text."""

YearResult = Literal["Hoàn thành xuất sắc", "Hoàn thành tốt", "Hoàn thành", "Chưa hoàn thành"]
"""TT 27/2020 Art. 9.2."""


class PrimarySubject(Part):
    """One subject or educational activity."""

    code: SubjectCode = field("Mã môn học", "mamonhoc")
    name: Annotated[str, StringConstraints(min_length=1, max_length=50)] = field("Tên môn học", "tenmonhoc")
    level: SubjectLevel | None = field("Mức đạt được", "mucdatduoc", default=None)
    test: TestMark | None = field("Điểm kiểm tra định kỳ", "diemkiemtradinhky", default=None)


class Qualities(Part):
    """The five qualities (phẩm chất chủ yếu)."""

    patriotism: Degree | None = field("Yêu nước", "phamchatyeunuoc", default=None)
    compassion: Degree | None = field("Nhân ái", "phamchatnhanai", default=None)
    diligence: Degree | None = field("Chăm chỉ", "phamchatchamchi", default=None)
    honesty: Degree | None = field("Trung thực", "phamchattrungthuc", default=None)
    responsibility: Degree | None = field("Trách nhiệm", "phamchattrachnhiem", default=None)


class Capacities(Part):
    """The three general and the seven specific capacities (năng lực chung, năng lực đặc thù)."""

    autonomy: Degree | None = field("Tự chủ và tự học", "nangluctuhoc", default=None)
    communication: Degree | None = field("Giao tiếp và hợp tác", "nanglucgiaotiep", default=None)
    problem_solving: Degree | None = field("Giải quyết vấn đề và sáng tạo", "nanglucgiaiquyet", default=None)
    language: Degree | None = field("Ngôn ngữ", "nanglucngonngu", default=None)
    calculation: Degree | None = field("Tính toán", "nangluctinhtoan", default=None)
    science: Degree | None = field("Khoa học", "nangluckhoahoc", default=None)
    technology: Degree | None = field("Công nghệ", "nangluccongnghe", default=None)
    informatics: Degree | None = field("Tin học", "nangluctinhoc", default=None)
    aesthetics: Degree | None = field("Thẩm mĩ", "nanglucthammi", default=None)
    physical: Degree | None = field("Thể chất", "nanglucthechat", default=None)


class PrimaryYear(Part):
    """The year's results."""

    subjects: tuple[PrimarySubject, ...] = field("Bảng điểm", "dsbangdiem", min_length=1, max_length=30)
    qualities: Qualities = field("Phẩm chất")
    capacities: Capacities = field("Năng lực")
    comment_on_qualities: Text500 | None = field("Nhận xét phẩm chất", "nxetphamchat", default=None)
    comment_on_general_capacities: Text500 = field("Nhận xét năng lực chung", "nxetnanglucchung")
    comment_on_specific_capacities: Text500 = field("Nhận xét năng lực đặc thù", "nxetnanglucdacthu")
    weight_kg: Weight | None = field("Cân nặng (kg)", "cannang", default=None)
    height_cm: Height | None = field("Chiều cao (cm)", "chieucao", default=None)
    absences_excused: int = field("Số buổi nghỉ có phép", "nghicophep", ge=0, le=200)
    absences_unexcused: int = field("Số buổi nghỉ không phép", "nghikhongphep", ge=0, le=200)
    result: YearResult | None = field("Kết quả xếp loại", "xeploai", default=None)
    promoted: bool = field("Được lên lớp", "duoclenlop")
    completed_grade: bool = field("Đã hoàn thành chương trình lớp học", "dahthanhctrinhlophoc")
    completed_primary: bool = field("Đã hoàn thành chương trình tiểu học", "dahthanhctrinhtieuhoc")
    completion_text: Text2000 | None = field("Nội dung hoàn thành chương trình", "ndunghoanthanh", default=None)
    reward_text: Text2000 | None = field("Nội dung khen thưởng", "ndungkhenthuong", default=None)
    sudden_reward_text: Text2000 | None = field("Khen thưởng đột xuất", "ndungkhenthuongdotxuat", default=None)
    homeroom_comment: Text2000 = field("Nhận xét của giáo viên chủ nhiệm", "nxetgvcn")
