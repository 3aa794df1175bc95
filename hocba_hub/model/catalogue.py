"""The catalogue of findings of the canonical model: every kind, with its texts. `docs/findings.md` is made from it."""

from __future__ import annotations

from hocba_hub.model import acceptance
from hocba_hub.model.findings import FindingKind, Severity


def _error(code: str, vi: str, en: str, reference: str = "") -> FindingKind:
    return FindingKind(code, Severity.ERROR, vi, en, reference)


MALFORMED = _error(
    "json.malformed",
    "Bản ghi không phải là JSON hợp lệ (UTF-8), từ dòng {line}, cột {column}. Kiểm tra dấu ngoặc, dấu phẩy và bảng mã.",
    "The record is not well-formed JSON in UTF-8, from line {line}, column {column} on. "
    "Look at brackets, commas and the encoding.",
    "RFC 8259",
)
TOO_DEEP = _error(
    "json.too-deep",
    "Bản ghi lồng nhau quá nhiều cấp; học bạ không bao giờ cần quá {expected} cấp.",
    "The record is nested too deeply; a report card never needs more than {expected} levels.",
    "RFC 8259 section 9",
)
DUPLICATE_KEY = _error(
    "json.duplicate-key",
    "Một khóa JSON xuất hiện hai lần trong cùng một đối tượng, không rõ giá trị nào đúng.",
    "A JSON key stands twice in one object; which value is meant is unclear.",
    "RFC 8259 section 4",
)
NOT_OBJECT = _error(
    "json.not-object", "Bản ghi phải là một đối tượng JSON.", "The record must be a JSON object.", "RFC 8259 section 4"
)
XML_UNSAFE = _error("xml.unsafe", "{vi}", "{en}", "XML 1.0")
XML_ROOT = _error(
    "xml.root",
    "Phần tử gốc không khớp với loại học bạ: {expected}.",
    "The root element does not go with the kind of report card: {expected}.",
)
XML_ORDER = _error(
    "xml.order",
    "Phần tử này đứng sai thứ tự so với lược đồ XSD.",
    "This element stands elsewhere in the order of the XSD.",
)
XML_ATTRIBUTE = _error(
    "xml.attribute",
    "Học bạ dạng XML không có thuộc tính; bỏ thuộc tính ở phần tử này.",
    "A card in XML has no attributes; remove those of this element.",
)
XML_TEXT = _error(
    "xml.text", "Có văn bản giữa các phần tử con.", "There is text between the elements that this one holds."
)
UNKNOWN_KIND = _error(
    "schema.kind",
    "Không rõ loại học bạ; trường kind phải là một trong: {expected}.",
    "The kind of report card is unknown; kind must be one of: {expected}.",
)
MISSING = _error("schema.missing", "Thiếu «{label}».", "«{name}» is missing.", "NDC 2026")
UNKNOWN_FIELD = _error(
    "schema.unknown-field",
    "Trường này không có trong lược đồ học bạ; xóa đi hoặc sửa tên.",
    "The schema has no such field; remove it or correct its name.",
)
WRONG_TYPE = _error(
    "schema.type",
    "«{label}» sai kiểu dữ liệu: cần {expected_vi}, nhận được {value_class_vi}.",
    "«{name}» has the wrong type: {expected} expected, {value_class} found.",
)
TOO_LONG = _error(
    "schema.length.too-long",
    "«{label}» quá dài: tối đa {expected_vi}, nhận được {value_class_vi}.",
    "«{name}» is too long: at most {expected_en}, {value_class} found.",
    "NDC 2026",
)
TOO_SHORT = _error(
    "schema.length.too-short",
    "«{label}» để trống hoặc quá ngắn: tối thiểu {expected_vi}. Nếu không có giá trị thì bỏ hẳn trường này.",
    "«{name}» is empty or too short: at least {expected_en}. Where there is no value, leave the field out.",
)
PATTERN = _error(
    "schema.pattern",
    "«{label}» không đúng dạng: cần {expected_vi}; nhận được {value_class_vi}.",
    "«{name}» has not the right form: {expected_en} expected; {value_class} found.",
    "NDC 2026",
)
CHOICE = _error(
    "schema.choice",
    "«{label}» phải là một trong: {expected}.",
    "«{name}» must be one of: {expected}.",
    "NDC 2026",
)
RANGE = _error(
    "schema.range",
    "«{label}» ngoài khoảng cho phép: cần {expected}.",
    "«{name}» is out of range: {expected} expected.",
    "NDC 2026",
)
INVALID = _error("schema.invalid", "«{label}» không hợp lệ.", "«{name}» is not valid.")
NOT_NFC = _error(
    "text.not-nfc",
    "Văn bản chưa ở dạng Unicode dựng sẵn (NFC); chuyển sang NFC rồi gửi lại.",
    "The text is not in Unicode normalisation form NFC; normalise it and send it again.",
    "Unicode UAX 15",
)
ETH = _error(
    "text.eth",
    "Chữ Ð (U+00D0) được dùng thay cho chữ Đ (U+0110) của tiếng Việt.",
    "The letter Ð (U+00D0) is used in place of the Vietnamese Đ (U+0110).",
)
CONTROL = _error(
    "text.control-character",
    "Văn bản có ký tự điều khiển không hiển thị được.",
    "The text has a control character.",
    "XML 1.0 section 2.2",
)

FITTING = {
    kind.code.removeprefix("card."): kind
    for kind in (
        _error(
            "card.school-year",
            "Năm học phải gồm hai năm liên tiếp: {expected}.",
            "A school year is two years in a row: {expected}.",
        ),
        _error(
            "card.grade-level",
            "Khối không thuộc cấp học của trường; cấp này có khối {expected}.",
            "The grade does not belong to the school's level, which has grades {expected}.",
            "Luật Giáo dục 43/2019 Art. 28",
        ),
        _error(
            "card.kind-level",
            "Cấp học của trường không khớp với loại học bạ; cần cấp {expected}.",
            "The school's level does not go with this kind of card; expected {expected}.",
        ),
        _error(
            "card.personal-number",
            "Thiếu số định danh cá nhân {expected} chữ số; chỉ học sinh nước ngoài có hộ chiếu được để trống.",
            "The personal number of {expected} digits is missing; only a foreign pupil with a passport may have none.",
            "NDC 2026",
        ),
        _error(
            "card.homeroom-number",
            "Ở tiểu học, số định danh {expected} chữ số của giáo viên chủ nhiệm là bắt buộc.",
            "At primary the homeroom teacher's personal number of {expected} digits is required.",
            "NDC 2026",
        ),
        _error(
            "card.circular",
            "Thông tư không khớp với loại học bạ; cần {expected} (thông tư cũ chỉ dùng cho học bạ trích lục từ "
            "bản giấy).",
            "The circular does not go with this kind of card; expected {expected} (earlier circulars only on cards "
            "transcribed from paper).",
            "TT 27/2020; TT 22/2021; TT 43/2021",
        ),
        _error(
            "card.learning-missing",
            "Thiếu kết quả học tập ({expected}); chỉ học sinh khuyết tật không đánh giá được để trống.",
            "A learning result is missing ({expected}); only a disabled pupil who is not assessed may have none.",
            "NDC 2026",
        ),
        _error("card.date", "Ngày này không có trong lịch.", "This day is not in the calendar."),
        _error(
            "card.subject-twice",
            "Môn học này đã có ở một dòng phía trên.",
            "This subject stands in a row above already.",
        ),
    )
}
"""Kinds for parts that do not fit together, by the last part of their code."""

KINDS: tuple[FindingKind, ...] = (
    MALFORMED, TOO_DEEP, DUPLICATE_KEY, NOT_OBJECT, XML_UNSAFE, XML_ROOT, XML_ORDER, XML_ATTRIBUTE, XML_TEXT,
    UNKNOWN_KIND, MISSING, UNKNOWN_FIELD, WRONG_TYPE, TOO_LONG,
    TOO_SHORT, PATTERN, CHOICE, RANGE, INVALID, NOT_NFC, ETH, CONTROL, *FITTING.values(), *acceptance.KINDS,
)  # fmt: skip
"""Every kind of finding that a canonical card can have."""
