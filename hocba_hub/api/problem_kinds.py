"""Every kind of problem that the API answers with: the closed list that `docs/problems.md` is made from.

A code is stable; `/problems/<code>` is the problem's type (RFC 9457) and an address of this very service.
"""

from __future__ import annotations

from collections.abc import Mapping

from hocba_hub.api.problem_kind import ProblemKind
from hocba_hub.api.sending_problems import SENDING

_KINDS = (
    *SENDING,
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
        "precondition.required",
        428,
        "Thiếu If-Match",
        "If-Match is missing",
        "Đọc ánh xạ trước, rồi gửi giá trị ETag của nó trong If-Match.",
        "Read the mapping first, then send its ETag as If-Match.",
    ),
    ProblemKind(
        "precondition.failed",
        412,
        "Đã có người khác thay đổi",
        "Somebody else changed it meanwhile",
        "Đọc lại, xem thay đổi, rồi làm lại với ETag mới.",
        "Read it again, look at the change, and act with the new ETag.",
    ),
    ProblemKind(
        "mapping.wrong",
        422,
        "Ánh xạ có lỗi",
        "The mapping has errors",
        "Mỗi lỗi được nêu ở findings, kèm dòng; sửa rồi gửi lại.",
        "Each error stands in findings, with its line; correct them and send it again.",
    ),
    ProblemKind(
        "mapping.version-taken",
        409,
        "Phiên bản này đã có nội dung khác",
        "The version has another text",
        "Nội dung của phiên bản đã được kích hoạt không thay đổi nữa: tăng số phiên bản.",
        "The text of a version that was activated never changes: give the new one another version.",
    ),
    ProblemKind(
        "activation.scope",
        422,
        "Phạm vi kích hoạt không đúng",
        "The scope of the activation is not right",
        "Phải là tên một phần mềm đã có, và ngày cuối không trước ngày đầu.",
        "Name a client that is there, and a last day that is not before the first.",
    ),
    ProblemKind(
        "code.table",
        422,
        "Không có bảng mã này",
        "There is no such code table",
        "Xem /v1/code-tables; bảng riêng của một ánh xạ có tên ánh-xạ/bảng.",
        "See /v1/code-tables; a mapping's own table is named mapping/table.",
    ),
    ProblemKind(
        "code.system",
        422,
        "Bảng không có hệ mã này",
        "The table has no such code system",
        "Các hệ mã của bảng có ở /v1/code-tables/{tên}.",
        "/v1/code-tables/{name} lists the table's code systems.",
    ),
    ProblemKind(
        "code.known",
        409,
        "Bảng đã biết giá trị này",
        "The table knows this value already",
        "Không ghi đè bảng mã; nếu bảng sai, hãy sửa chính bảng đó.",
        "A fill overrides nothing; if the table is wrong, correct the table itself.",
    ),
    ProblemKind(
        "code.result",
        422,
        "Bảng không có kết quả này",
        "The table has no such result",
        "Nêu một mã mà bảng đang có, hoặc new: true cho mã mới thật sự.",
        "Name a code that the table has, or say new: true for one that is new indeed.",
    ),
    ProblemKind(
        "code.filled",
        409,
        "Đã có người điền mã này",
        "Somebody filled this value already",
        "Xem danh sách đã điền; rút lại lần điền cũ trước khi điền khác.",
        "See what was filled; take that back before it is filled otherwise.",
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
        "hub.connections-full",
        503,
        "Quá nhiều kết nối",
        "Too many connections",
        "Đóng bớt kết nối, hoặc dùng lại kết nối cho nhiều lần gọi.",
        "Close connections, or use one for many calls.",
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
