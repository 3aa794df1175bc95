"""The pupil, the family and those who sign."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from hocba_hub.model.fields import CommuneCode, Name, Part, PersonalNumber, ProvinceCode, Text250, field, form

CommuneList = Literal["2025", "before-2025"]
"""The list that a commune code is taken from: since 1/7/2025 (QĐ 19/2025/QĐ-TTg), or before. Codes are re-used."""

EthnicList = Literal["QCVN109", "QD121", "GSO"]
"""The numbering of an ethnic group's code: QCVN 109:2017/BTTTT, QĐ 121-TCTK/PPCĐ, or the census list."""

Birth = Annotated[
    str,
    form(
        r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$",
        "năm-tháng-ngày, năm-tháng hoặc năm, ví dụ 2015-09-02, 2015-09, 2015",
        "year-month-day, year-month or year, e.g. 2015-09-02, 2015-09, 2015",
    ),
]
"""A birth date as YYYY-MM-DD, YYYY-MM or YYYY: as precise as it is known."""


class Place(Part):
    """A birthplace, hometown or residence; the text counts, the codes help."""

    address: Text250 = field("Địa chỉ chi tiết", "diachichitiet")
    commune_code: CommuneCode | None = field("Mã xã, phường, thị trấn", "maxa", default=None)
    commune_list: CommuneList | None = field("Danh mục của mã xã", default=None)
    province_code: ProvinceCode | None = field("Mã tỉnh", "matinh", default=None)


class Pupil(Part):
    """Whose card it is."""

    full_name: Name = field("Họ và tên học sinh", "hovaten")
    personal_number: PersonalNumber | None = field("Số định danh của học sinh", "sodinhdanh", default=None)
    passport_number: Annotated[str, StringConstraints(min_length=1, max_length=50)] | None = field(
        "Số giấy tờ xuất nhập cảnh của người nước ngoài", "sogiaytoxnc", default=None
    )
    pupil_code: Annotated[str, StringConstraints(min_length=1, max_length=20)] = field("Mã học sinh", "mahocsinh")
    gender: Literal["0", "1", "2"] = field("Giới tính (0 chưa rõ, 1 nam, 2 nữ)", "gioitinh", source="QCVN 109:2017")
    birth: Birth = field("Ngày, tháng, năm sinh", "ngaythangnamsinh")
    birthplace: Place = field("Nơi sinh", "noisinh")
    hometown: Place = field("Quê quán", "quequan")
    residence: Place = field("Nơi ở hiện nay", "noiohiennay")
    ethnic_code: Annotated[str, form(r"^[0-9]{2,3}$", "2 hoặc 3 chữ số", "2 or 3 digits")] = field("Dân tộc", "dantoc")
    ethnic_list: EthnicList = field("Danh mục của mã dân tộc")
    nationality: Annotated[str, form(r"^[A-Z]{2}$", "2 chữ in hoa, ví dụ VN", "2 capital letters, e.g. VN")] = field(
        "Quốc tịch (mã hai chữ cái)", "quoctich", source="ISO 3166-1 alpha-2"
    )
    policy_category: Text250 | None = field("Đối tượng chính sách", "doituongchinhsach", default=None)
    not_assessed: bool = field("Học sinh khuyết tật không đánh giá", "cokhuyettatkhongdanhgia", default=False)


class Relative(Part):
    """A parent or guardian."""

    full_name: Name = field("Họ và tên", "hoten")
    job: Name | None = field("Nghề nghiệp", "nghenghiep", default=None)


class Family(Part):
    """Parents and guardian, as far as the card names them."""

    father: Relative | None = field("Cha", "cha", default=None)
    mother: Relative | None = field("Mẹ", "me", default=None)
    guardian: Relative | None = field("Người giám hộ", "nguoigiamho", default=None)


class Manager(Part):
    """Who signs for the school: the head or a deputy."""

    full_name: Name = field("Tên giám hiệu ký học bạ", "tengiamhieu")
    personal_number: PersonalNumber = field("Số định danh của giám hiệu ký học bạ", "soddcngiamhieu")
    title: Name = field("Chức vụ giám hiệu ký học bạ", "chucvugiamhieu")


class Homeroom(Part):
    """The homeroom teacher."""

    full_name: Name = field("Tên giáo viên chủ nhiệm", "tengvcn")
    personal_number: PersonalNumber | None = field("Số định danh của giáo viên chủ nhiệm", "soddcngvcn", default=None)


class SubjectTeacher(Part):
    """The teacher who signs a subject's results at secondary."""

    full_name: Name = field("Giáo viên bộ môn", "gvbm")
    personal_number: PersonalNumber = field("Số định danh của giáo viên bộ môn", "soddcngvbm")


class Signers(Part):
    """Who signs the card as a whole; subject teachers stand with their subjects."""

    manager: Manager = field("Giám hiệu ký học bạ")
    homeroom: Homeroom = field("Giáo viên chủ nhiệm")
