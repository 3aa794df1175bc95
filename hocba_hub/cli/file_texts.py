"""The texts of `watch` and `files`, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping

FILE_TEXTS: Mapping[str, tuple[str, str]] = {
    "watch": (
        (
            "Nhập các tệp được thả vào một thư mục (ví dụ của máy chủ SFTP), đến khi nhận SIGTERM. Tệp được giữ trong "
            "working/ khi đang nhập, rồi chuyển sang done/ hoặc failed/ kèm kết quả và sổ tính đánh dấu lỗi. Chạy bao "
            "nhiêu bản cũng được."
        ),
        (
            "Import the files that are dropped into a folder, such as an SFTP server's, until SIGTERM. A file lies in "
            "working/ while it is imported, then in done/ or failed/, with its results and the workbook of its "
            "findings beside it. Any number may run."
        ),
    ),
    "files": (
        "Tệp mà các phần mềm gửi: danh sách, tiến độ, nhập từ máy này.",
        "Files that clients send: list, progress, import from this machine.",
    ),
    "files.list": ("Các tệp mới nhất.", "The newest files."),
    "files.show": ("Tiến độ và phát hiện của một tệp.", "How far a file is, and what was found of it."),
    "files.cancel": (
        "Hủy một tệp chưa xong; phần đã nhận giữ nguyên.",
        "Want no more of a file that is not ended; what was accepted of it stays.",
    ),
    "files.retry": (
        "Cho nhập lại một tệp đã hỏng, từ chỗ dừng.",
        "Let the import of a failed file be tried again, from where it stopped.",
    ),
    "files.cancelled": ("Đã hủy.", "Cancelled."),
    "files.waits": ("Tệp chờ được nhập lại.", "The file waits to be imported again."),
    "files.ended-already": ("Không có tệp này, hoặc tệp đã kết thúc.", "There is no such file, or it is ended."),
    "files.not-failed": ("Không có tệp hỏng với mã này.", "There is no failed file of this id."),
    "files.import": (
        "Nhập tệp của máy này thay cho một phần mềm. Mã thoát: 0 nhận hết, 1 có bản ghi bị từ chối, 2 không đọc được.",
        "Import a file of this machine for a client. Exit code: 0 all accepted, 1 some rejected, 2 not readable.",
    ),
    "option.files.client": ("Phần mềm đứng tên gửi.", "The client in whose name it is sent."),
    "option.files.profile": (
        "Ánh xạ đọc tệp; mặc định là của phần mềm, hoặc học bạ theo mẫu chuẩn.",
        "The mapping that reads it; by default the client's own, or canonical report cards.",
    ),
    "option.files.limit": ("Số tệp tối đa.", "Most files."),
    "option.files.result": ("Ghi kết quả NDJSON vào đây.", "Write the results here, as NDJSON."),
    "option.files.workbook": ("Ghi sổ tính đánh dấu lỗi vào đây.", "Write the workbook of findings here."),
    "option.watch.settle": (
        "Tệp không đổi kích thước trong ngần này giây mới được nhận.",
        "A file is taken when it has not changed for so many seconds.",
    ),
    "option.watch.every": ("Số giây giữa hai lần xem thư mục.", "Seconds between two looks into the folder."),
    "option.watch.once": ("Nhập những tệp đang có rồi dừng.", "Import what is there, then end."),
    "files.ended": (
        "{name}: {state}, nhận {accepted}, từ chối {rejected} bản ghi",
        "{name}: {state}, {accepted} accepted, {rejected} rejected",
    ),
    "files.form-unknown": (
        "{name}: không phải XLSX, CSV, XML, NDJSON hay ZIP.",
        "{name}: none of XLSX, CSV, XML, NDJSON and ZIP.",
    ),
    "files.missing": ("Không có tệp này.", "There is no such file."),
    "column.file": ("Tên tệp", "File"),
    "column.form": ("Dạng", "Form"),
    "column.records": ("Số bản ghi", "Records"),
    "column.imported": ("Đã nhập", "Imported"),
    "column.accepted": ("Nhận", "Accepted"),
    "column.rejected": ("Từ chối", "Rejected"),
    "column.part": ("Mục", "Entry"),
    "column.finding": ("Phát hiện", "Finding"),
}
"""Name → Vietnamese, English."""
