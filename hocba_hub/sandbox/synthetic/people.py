# ruff: noqa: PLR2004 - the bare numbers are chances and sizes of a made-up province
"""Made-up people: Vietnamese names, personal numbers, and those who teach."""

from __future__ import annotations

from random import Random
from typing import Any

_FAMILY = (
    *("Nguyễn",) * 12, *("Trần",) * 4, *("Phạm",) * 3, *("Vũ",) * 3, *("Lê",) * 3, *("Đỗ",) * 2, *("Bùi",) * 2,
    *("Hoàng",) * 2, "Đặng", "Đào", "Đoàn", "Lương", "Phan", "Ngô", "Dương", "Hà", "Trịnh", "Tạ", "Quách", "Lưu",
    "Khổng", "Chử", "Nghiêm", "Doãn", "Tống", "Mai", "Luyện", "Giang", "Vương", "Cao",
)  # fmt: skip
_MIDDLE = {
    "1": ("Văn", "Văn", "Đức", "Minh", "Gia", "Quang", "Hữu", "Tuấn", "Bảo", "Anh", "Duy", "Việt", "Quốc", "Thế"),
    "2": ("Thị", "Thị", "Thị", "Ngọc", "Minh", "Thu", "Phương", "Khánh", "Bảo", "Thanh", "Hà", "Diệu", "Quỳnh", "Mỹ"),
}
_GIVEN = {
    "1": (
        "An", "Bách", "Bình", "Cường", "Dũng", "Duy", "Đạt", "Đăng", "Đông", "Hải", "Hiếu", "Hoàng", "Huy", "Hưng",
        "Khang", "Khánh", "Khôi", "Kiên", "Lâm", "Long", "Lộc", "Mạnh", "Minh", "Nam", "Nghĩa", "Nguyên", "Nhật",
        "Phong", "Phúc", "Quân", "Quyết", "Sơn", "Tài", "Tâm", "Thắng", "Thành", "Thịnh", "Tiến", "Toàn", "Trung",
        "Tú", "Tùng", "Vinh", "Vượng",
    ),
    "2": (
        "An", "Anh", "Ánh", "Bích", "Chi", "Diệp", "Dung", "Duyên", "Đan", "Giang", "Hà", "Hân", "Hiền", "Hoa", "Hồng",
        "Huệ", "Hương", "Huyền", "Khuê", "Lan", "Linh", "Loan", "Ly", "Mai", "Ngân", "Nga", "Ngọc", "Nguyệt", "Nhi",
        "Nhung", "Oanh", "Phương", "Quyên", "Quỳnh", "Thảo", "Thơm", "Thu", "Thủy", "Thư", "Trà", "Trang", "Trúc",
        "Uyên", "Vân", "Vy", "Xuân", "Yến",
    ),
}  # fmt: skip
_ORIGINS = (*("033",) * 52, *("034",) * 42, "001", "030", "031", "035", "036", "079")
"""Places of birth registration: Hưng Yên and Thái Bình mostly (TT 59/2021/TT-BCA)."""
_JOBS = (
    "nông dân",
    "công nhân",
    "giáo viên",
    "thợ xây",
    "thợ may",
    "lái xe",
    "kinh doanh",
    "bộ đội",
    "y sĩ",
    "kế toán",
)
_STEP = 618_033
"""Coprime to a million, so that a million numbers in a row are different and yet look random."""


def pick(rng: Random, choices: tuple[Any, ...]) -> Any:  # noqa: ANN401 - whatever the tuple holds
    """One of the choices; several times quicker than `Random.choice`."""
    return choices[int(rng.random() * len(choices))]


def full_name(rng: Random, gender: str) -> str:
    """A Vietnamese name for gender `1` (male) or `2` (female)."""
    return f"{pick(rng, _FAMILY)} {pick(rng, _MIDDLE[gender])} {pick(rng, _GIVEN[gender])}"


def child_name(rng: Random, gender: str, father: str) -> str:
    """A name with the father's family name."""
    return f"{father.partition(' ')[0]} {pick(rng, _MIDDLE[gender])} {pick(rng, _GIVEN[gender])}"


def personal_number(rng: Random, gender: str, birth_year: int, serial: int) -> str:
    """A well-formed personal number; different for a million serials in a row.

    Place of registration, century and gender, birth year, six digits (Luật Căn cước 26/2023 Art. 12).
    """
    century_gender = 2 * (birth_year // 100 - 19) + (gender == "2")
    return f"{pick(rng, _ORIGINS)}{century_gender}{birth_year % 100:02d}{serial * _STEP % 1_000_000:06d}"


def relative(rng: Random, name: str) -> dict[str, Any]:
    """A parent, mostly with a job."""
    return {"full_name": name, "job": pick(rng, _JOBS)} if rng.random() < 0.9 else {"full_name": name}


def teacher(rng: Random, serial: int) -> dict[str, Any]:
    """A teacher with name and personal number."""
    gender = "2" if rng.random() < 0.7 else "1"
    return {
        "full_name": full_name(rng, gender),
        "personal_number": personal_number(rng, gender, 1966 + int(rng.random() * 34), serial),
    }
