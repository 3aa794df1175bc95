"""Every kind of problem that the API answers with: the closed list that `docs/problems.md` is made from.

A code is stable; `/problems/<code>` is the problem's type (RFC 9457) and an address of this very service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem: what it is called and what to do about it, in both languages."""

    code: str
    status: int
    """HTTP status (RFC 9110)."""
    title_vi: str
    title_en: str
    detail_vi: str
    detail_en: str

    @property
    def type(self) -> str:
        """URI reference of the problem type."""
        return f"/problems/{self.code}"


_KINDS = (
    ProblemKind(
        "access.key-missing",
        401,
        "Thiếu khóa truy cập",
        "No access key",
        "Gửi khóa trong tiêu đề Authorization: Bearer <khóa>.",
        "Send the key in the header Authorization: Bearer <key>.",
    ),
    ProblemKind(
        "access.key-unknown",
        401,
        "Khóa không có hiệu lực",
        "The key is not in force",
        "Khóa sai, hoặc đã bị thu hồi. Đề nghị Sở cấp khóa mới.",
        "The key is wrong or was revoked. Ask the department for a new one.",
    ),
    ProblemKind(
        "access.wrong-kind",
        403,
        "Khóa này không dùng cho lệnh này",
        "This kind of key opens other calls",
        "Khóa của phần mềm nhà trường (hbc_) và khóa của cán bộ vận hành (hbo_) dùng cho những lệnh khác nhau.",
        "Keys of vendor systems (hbc_) and keys of operators (hbo_) open different calls.",
    ),
    ProblemKind(
        "access.role-too-low",
        403,
        "Vai trò không đủ quyền",
        "The role may not do this",
        "Lệnh này cần vai trò nêu ở required_role.",
        "This call needs the role given as required_role.",
    ),
    ProblemKind(
        "access.school-not-permitted",
        403,
        "Không được phép gửi thay trường này",
        "May not speak for this school",
        "Khóa này không bao gồm trường của các bản ghi. Đề nghị Sở bổ sung trường vào phạm vi của khóa.",
        "The key does not cover the records' school. Ask the department to add the school to the key's scope.",
    ),
    ProblemKind(
        "not-found",
        404,
        "Không tìm thấy",
        "Not found",
        "Không có đối tượng này, hoặc khóa này không được xem.",
        "There is no such thing, or this key may not see it.",
    ),
    ProblemKind(
        "path-unknown",
        404,
        "Không có địa chỉ này",
        "No such address",
        "Xem các địa chỉ trong /openapi.json.",
        "See /openapi.json for the addresses.",
    ),
    ProblemKind(
        "method-not-allowed",
        405,
        "Phương thức không dùng được ở địa chỉ này",
        "The method is not allowed here",
        "Các phương thức được phép có trong tiêu đề Allow.",
        "The header Allow lists the methods that are.",
    ),
    ProblemKind(
        "request.malformed",
        400,
        "Yêu cầu không đọc được",
        "The request cannot be read",
        "Kiểm tra tiêu đề và nội dung của yêu cầu.",
        "Look at the request's headers and body.",
    ),
    ProblemKind(
        "request.invalid",
        422,
        "Tham số hoặc nội dung không đúng",
        "A parameter or the body is not right",
        "Mỗi lỗi được nêu ở errors, kèm vị trí.",
        "Each error stands in errors, with its place.",
    ),
    ProblemKind(
        "body.not-json",
        400,
        "Nội dung không phải JSON hợp lệ",
        "The body is not JSON",
        "Gửi JSON hợp lệ bằng UTF-8: một học bạ hoặc một mảng học bạ; hoặc NDJSON với kiểu application/x-ndjson.",
        "Send well-formed JSON in UTF-8: one card, or an array of cards; or NDJSON as application/x-ndjson.",
    ),
    ProblemKind(
        "body.empty",
        400,
        "Không có bản ghi nào",
        "There is no record",
        "Nội dung phải có ít nhất một bản ghi.",
        "The body must hold one record at least.",
    ),
    ProblemKind(
        "body.cut-off",
        400,
        "Nội dung bị đứt giữa chừng",
        "The body was cut off",
        "Gửi lại; các bản ghi đã nhận sẽ được nhận ra theo mã học bạ.",
        "Send it again; records that were accepted are recognised by their card ids.",
    ),
    ProblemKind(
        "body.gzip-broken",
        400,
        "Nội dung gzip bị hỏng",
        "The gzip body is broken",
        "Nén lại và gửi lại.",
        "Compress it and send it again.",
    ),
    ProblemKind(
        "body.too-large",
        413,
        "Nội dung quá lớn",
        "The body is too large",
        "Chia thành nhiều lần gửi nhỏ hơn.",
        "Split it into smaller submissions.",
    ),
    ProblemKind(
        "body.too-many-records",
        413,
        "Quá nhiều bản ghi",
        "Too many records",
        "Chia thành nhiều lần gửi nhỏ hơn.",
        "Split it into smaller submissions.",
    ),
    ProblemKind(
        "body.record-too-large",
        413,
        "Có bản ghi quá lớn",
        "A record is too large",
        "Kiểm tra bản ghi; một học bạ không lớn đến thế.",
        "Look at the record; no report card is that large.",
    ),
    ProblemKind(
        "body.gzip-bomb",
        413,
        "Nội dung gzip giãn ra quá nhiều",
        "The gzip body grows too much",
        "Gửi không nén, hoặc chia nhỏ.",
        "Send it uncompressed, or in smaller parts.",
    ),
    ProblemKind(
        "body.media-type",
        415,
        "Kiểu nội dung không được hỗ trợ",
        "The media type is not supported",
        "Dùng application/json, hoặc application/x-ndjson cho mỗi dòng một học bạ.",
        "Use application/json, or application/x-ndjson for one card a line.",
    ),
    ProblemKind(
        "body.content-coding",
        415,
        "Kiểu nén không được hỗ trợ",
        "The content coding is not supported",
        "Dùng gzip, hoặc gửi không nén.",
        "Use gzip, or send it uncompressed.",
    ),
    ProblemKind(
        "records-rejected",
        422,
        "Không bản ghi nào được nhận",
        "No record was accepted",
        "Từng bản ghi có danh sách lỗi riêng ở records; sửa rồi gửi lại.",
        "Each record has its own findings in records; correct them and send them again.",
    ),
    ProblemKind(
        "idempotency.malformed-key",
        400,
        "Idempotency-Key sai dạng",
        "The Idempotency-Key is malformed",
        "Khóa là chuỗi 1–255 ký tự in được, ví dụ một UUID.",
        "The key is 1 to 255 printable characters, a UUID for example.",
    ),
    ProblemKind(
        "idempotency.still-running",
        409,
        "Lần gửi đầu với khóa này chưa xong",
        "The first call with this key is still running",
        "Đợi rồi hỏi lại với cùng khóa.",
        "Wait, then ask again with the same key.",
    ),
    ProblemKind(
        "idempotency.other-payload",
        422,
        "Khóa này đã dùng cho nội dung khác",
        "The key was used with another payload",
        "Mỗi Idempotency-Key chỉ dùng cho một nội dung; tạo khóa mới.",
        "An Idempotency-Key stands for one payload; make a new one.",
    ),
    ProblemKind(
        "selection.empty",
        422,
        "Chưa chọn gì",
        "Nothing is selected",
        "Nêu ít nhất một điều kiện: deliveries, destination, code, school, since hoặc until.",
        "Give one condition at least: deliveries, destination, code, school, since or until.",
    ),
    ProblemKind(
        "selection.state",
        422,
        "Trạng thái này không chọn được",
        "This state cannot be taken",
        "Gửi lại nhận held, parked, refused, cancelled; hủy nhận queued, awaiting_ack, in_doubt, held, parked.",
        "A replay takes held, parked, refused, cancelled; a cancellation queued, awaiting_ack, in_doubt, held, parked.",
    ),
    ProblemKind(
        "selection.refused",
        422,
        "Bản ghi bị từ chối phải chọn theo mã lỗi",
        "Refused deliveries are taken by code",
        "Nơi nhận đã từ chối chính nội dung này: hãy nêu code của lỗi đã khắc phục, hoặc từng delivery.",
        "The destination refused these very bytes: name the code whose cause was cured, or each delivery.",
    ),
    ProblemKind(
        "rate.exceeded",
        429,
        "Gọi quá nhanh",
        "Too many calls",
        "Đợi số giây trong Retry-After; gửi nhiều bản ghi trong một lần gọi.",
        "Wait for the seconds of Retry-After; send many records in one call.",
    ),
    ProblemKind(
        "hub.fault",
        500,
        "Lỗi của hệ thống",
        "A fault of the hub",
        "Gửi lại sau. Nếu còn lỗi, báo cho Sở kèm trace_id.",
        "Try again later. If it persists, report it with the trace_id.",
    ),
    ProblemKind(
        "hub.store-full",
        503,
        "Kho lưu trữ đã đầy",
        "The store is full",
        "Không có gì được ghi. Gửi lại sau số giây trong Retry-After.",
        "Nothing was written. Send it again after the seconds of Retry-After.",
    ),
    ProblemKind(
        "hub.store-away",
        503,
        "Kho lưu trữ không trả lời",
        "The store does not answer",
        "Gửi lại sau số giây trong Retry-After, với cùng Idempotency-Key.",
        "Send it again after the seconds of Retry-After, with the same Idempotency-Key.",
    ),
    ProblemKind(
        "hub.disk-full",
        503,
        "Sắp hết chỗ lưu trữ",
        "The disk is almost full",
        "Hệ thống tạm ngừng nhận. Gửi lại sau số giây trong Retry-After.",
        "The hub takes nothing for the moment. Send it again after the seconds of Retry-After.",
    ),
    ProblemKind(
        "hub.backlog-full",
        503,
        "Hàng chờ đã đầy",
        "The backlog is full",
        "Các nơi nhận chưa theo kịp. Gửi lại sau số giây trong Retry-After.",
        "The destinations have fallen behind. Send it again after the seconds of Retry-After.",
    ),
)

KINDS: Mapping[str, ProblemKind] = {kind.code: kind for kind in _KINDS}
"""Code → kind, in the order of the documentation."""
