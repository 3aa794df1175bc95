"""The texts of the operators' commands, in Vietnamese and English.

The language is `HOCBA_LANG` (vi or en), else that of the terminal's locale (`LC_ALL`, `LC_MESSAGES`, `LANG`), else
English. It is a matter of the terminal, known before any setting is read: help pages need it too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from hocba_hub.cli.file_texts import FILE_TEXTS

Language = Literal["vi", "en"]

TEXTS: Mapping[str, tuple[str, str]] = {
    "main": (
        "hocba-hub: chuyển học bạ số từ phần mềm nhà trường đến tỉnh và Bộ, có bằng chứng.",
        "hocba-hub: report cards from the schools' systems to the province and the Ministry, with proof.",
    ),
    "commands": ("Lệnh", "Commands"),
    "up": (
        (
            "Chạy tất cả trên máy này: API, tiến trình gửi, bộ lịch; Redis riêng nếu không có HOCBA_REDIS_URL; "
            "SQLite trong HOCBA_HOME (var/) nếu không có HOCBA_DATABASE_URL. Cơ sở dữ liệu được nâng cấp trước."
        ),
        (
            "Everything on this machine: the API, the workers and the scheduler; a private Redis without "
            "HOCBA_REDIS_URL; SQLite in HOCBA_HOME (var/) without HOCBA_DATABASE_URL. The store's schema is "
            "upgraded first."
        ),
    ),
    "demo": (
        (
            "Chạy công việc chính từ đầu đến cuối trên một tỉnh giả lập có lỗi; thoát với mã 0 chỉ khi không mất,"
            " không trùng."
        ),
        (
            "The main job, end to end, on a synthetic province with faults; exit code 0 only if nothing was lost "
            "or doubled."
        ),
    ),
    "api": (
        "Chỉ chạy HTTP API, đến khi nhận SIGTERM; cơ sở dữ liệu phải đúng phiên bản.",
        "Only the HTTP API, until SIGTERM; the store must be up to date.",
    ),
    "worker": (
        "Chỉ chạy tiến trình gửi, đến khi nhận SIGTERM: xong việc đang làm rồi mới dừng.",
        "Only the delivery workers, until SIGTERM: what is under way is finished first.",
    ),
    "importer": (
        "Chỉ chạy tiến trình nhập tệp, tách khỏi việc gửi, đến khi nhận SIGTERM. Chạy bao nhiêu bản cũng được.",
        "Only the worker that imports files, apart from the deliveries, until SIGTERM. Any number may run.",
    ),
    "scheduler": (
        (
            "Chỉ chạy bộ lịch, đến khi nhận SIGTERM: báo việc đến hạn, thu lại việc quá hạn giữ. Chạy bao nhiêu "
            "bản cũng được."
        ),
        "Only the scheduler, until SIGTERM: rings for what is due, takes over expired leases. Any number may run.",
    ),
    "sandbox": (
        (
            "Giả lập nền tảng của tỉnh và cơ sở dữ liệu của Bộ, có sổ và lỗi theo kịch bản, đến khi nhận SIGTERM."
            " GET /ledger ở mỗi cổng cho biết đã nhận gì; POST /faults đổi kịch bản."
        ),
        (
            "Simulators of the province's platform and the Ministry's database, with ledgers and scripted faults,"
            " until SIGTERM. GET /ledger on either port says what arrived and what is held; POST /faults changes "
            "the script."
        ),
    ),
    "mappings": (
        (
            "Ánh xạ: xem, kiểm tra, thử, chạy, so sánh, duyệt. MAPPING là một tệp, hoặc tên ánh xạ có sẵn, có thể kèm "
            "phiên bản: NAME@1.0.0."
        ),
        (
            "Mappings: show, check, test, run, compare, review. MAPPING is a file, or the name of one that comes "
            "with the hub, with or without its version: NAME@1.0.0."
        ),
    ),
    "option.host": ("Địa chỉ lắng nghe (HOCBA_HOST, 127.0.0.1).", "Address to listen on (HOCBA_HOST, 127.0.0.1)."),
    "option.port": ("Cổng của HTTP API (HOCBA_PORT, 8080).", "Port of the HTTP API (HOCBA_PORT, 8080)."),
    "option.processes.api": ("Số tiến trình dùng chung cổng.", "How many processes share the port."),
    "option.processes.worker": ("Số tiến trình (HOCBA_WORKER_PROCESSES, 2).", "How many (HOCBA_WORKER_PROCESSES, 2)."),
    "option.demo.cards": ("Số học bạ.", "Report cards."),
    "option.demo.schools": ("Số trường.", "Schools they come from."),
    "option.demo.defects": ("Tỉ lệ học bạ có lỗi.", "Share with defects."),
    "option.demo.seed": (
        "Hạt giống khác cho tỉnh khác và lỗi khác.",
        "Another seed, another province and other faults.",
    ),
    "option.demo.home": ("Thư mục làm việc; bị xóa trước khi chạy.", "Working folder; emptied first."),
    "option.sandbox.host": ("Địa chỉ lắng nghe.", "Address to listen on."),
    "option.sandbox.province": ("Cổng REST; 0 là cổng trống bất kỳ.", "REST; 0 takes a free port."),
    "option.sandbox.ministry": ("Cổng SOAP; 0 là cổng trống bất kỳ.", "SOAP; 0 takes a free port."),
    "option.sandbox.seed": (
        "Hạt giống của lỗi; được ưu tiên hơn kịch bản.",
        "Seed of the faults; wins over the script's.",
    ),
    "option.sandbox.faults": (
        "none, demo, harsh, hoặc một kịch bản (YAML hay JSON).",
        "none, demo, harsh, or a script (YAML or JSON).",
    ),
    "option.sandbox.ledger": ("Giữ hai sổ cạnh tên tệp này.", "Keep both ledgers beside this name."),
    "option.sandbox.token": ("Thời hạn mã truy cập của tỉnh, giây.", "How long the province's tokens hold, seconds."),
    "option.schema": (
        "Lược đồ riêng của đích: tệp JSON Schema (.json) hoặc bảng trường (.csv).",
        "The target's own schema: a JSON Schema (.json) or a field table (.csv).",
    ),
    "option.table-out": (
        "Tệp bảng để ghi: .xlsx hoặc .csv.",
        "The table file to write: .xlsx or .csv.",
    ),
    "option.tables": ("Thư mục có thêm bảng mã.", "A folder of more code tables."),
    "ends": ("Nhấn Ctrl-C để dừng.", "Ctrl-C ends it."),
    "clients": ("Phần mềm nhà trường và khóa của chúng.", "Vendor systems and their keys."),
    "clients.add": (
        "Thêm phần mềm NAME được gửi thay các trường đã nêu; in khóa một lần duy nhất.",
        "Add the vendor system NAME, which may speak for the given schools; prints its key, once.",
    ),
    "clients.list": ("Liệt kê các phần mềm, phạm vi và khóa.", "List the vendor systems, their schools and keys."),
    "clients.revoke": (
        "Thu hồi phần mềm NAME với mọi khóa, hoặc chỉ một khóa. Không hoàn tác được.",
        "Revoke NAME with all its keys, or one key only. It cannot be undone.",
    ),
    "clients.rotate": (
        "Cấp thêm một khóa cho NAME; khóa cũ dùng được đến khi thu hồi (revoke --key).",
        "Give NAME one more key; the old ones go on until they are revoked (revoke --key).",
    ),
    "clients.schools": (
        "Thay toàn bộ danh sách trường của NAME.",
        "Replace the list of schools that NAME may speak for.",
    ),
    "option.school.scope": (
        "Mã trường; lặp lại cho nhiều trường, * cho mọi trường.",
        "School code; repeat it for several, * for all.",
    ),
    "operators": ("Cán bộ vận hành và khóa của họ.", "Operators and their keys."),
    "operators.add": (
        "Thêm cán bộ NAME với một vai trò; in khóa một lần duy nhất.",
        "Add the operator NAME with a role; prints the key, once.",
    ),
    "operators.list": ("Liệt kê cán bộ, vai trò và khóa.", "List the operators, their roles and keys."),
    "operators.revoke": (
        "Thu hồi cán bộ NAME với mọi khóa, hoặc chỉ một khóa. Không hoàn tác được.",
        "Revoke NAME with all keys, or one key only. It cannot be undone.",
    ),
    "operators.rotate": (
        "Cấp thêm một khóa cho NAME; khóa cũ dùng được đến khi thu hồi.",
        "Give NAME one more key; the old ones go on until they are revoked.",
    ),
    "option.role": (
        "viewer chỉ xem; operator gửi lại, hủy, tạm dừng; administrator mọi việc.",
        "viewer only looks; operator replays, cancels, pauses; administrator does whatever there is.",
    ),
    "option.key": ("Chỉ thu hồi khóa có mã này (xem list).", "Revoke only the key of this id (see list)."),
    "failures": (
        "Các bản ghi lỗi theo nơi nhận, trạng thái và mã.",
        "Deliveries that failed, by destination, state and code.",
    ),
    "option.list": ("Liệt kê từng bản ghi.", "List the deliveries one by one."),
    "option.limit": ("Số bản ghi tối đa khi liệt kê.", "Most deliveries to list."),
    "replay": (
        "Gửi lại các bản ghi lỗi. Mặc định: parked và held; refused chỉ khi nêu --code hoặc --delivery.",
        "Send failed deliveries again. By default parked and held ones; refused only with --code or --delivery.",
    ),
    "option.delivery": ("Mã bản ghi chuyển; lặp lại được.", "Id of a delivery; may be repeated."),
    "option.destination": ("Chỉ nơi nhận này.", "Only this destination."),
    "option.code": ("Chỉ mã lỗi này.", "Only this code."),
    "option.school": ("Chỉ học bạ của trường này.", "Only the cards of this school."),
    "option.since": (
        "Kết quả gần nhất từ lúc này: 2026-05-31, 2026-05-31T10:00+07:00, hoặc 90m, 6h, 2d trước.",
        "The last outcome since then: 2026-05-31, 2026-05-31T10:00+07:00, or 90m, 6h, 2d ago.",
    ),
    "option.until": ("Kết quả gần nhất trước lúc này.", "The last outcome before then."),
    "option.state": ("Chỉ trạng thái này; lặp lại được.", "Only this state; may be repeated."),
    "option.reason": ("Lý do, ghi vào nhật ký; không ghi dữ liệu cá nhân.", "Why; kept for audit, no personal data."),
    "option.dry-run": ("Chỉ đếm, không gửi.", "Only count, send nothing."),
    "option.yes": ("Không hỏi lại.", "Do not ask again."),
    "destinations": ("Các nơi nhận: xem, kiểm tra, tạm dừng, chạy tiếp.", "Destinations: show, check, pause, resume."),
    "destinations.list": ("Tình trạng mọi nơi nhận.", "How every destination stands."),
    "destinations.check": (
        "Kiểm tra một tệp mô tả nơi nhận (YAML), không gọi ra ngoài.",
        "Check a destination file (YAML); calls nobody.",
    ),
    "destinations.pause": ("Tạm dừng gửi đến NAME.", "Send nothing to NAME until it is resumed."),
    "destinations.resume": ("Tiếp tục gửi đến NAME.", "Send to NAME again."),
    "database": ("Cơ sở dữ liệu của hệ thống.", "The store's schema."),
    "database.upgrade": ("Tạo hoặc nâng cấp cơ sở dữ liệu.", "Create the schema, or bring it to the newest revision."),
    "database.revision": ("Phiên bản đang có và phiên bản cần có.", "The revision there is, and the one needed."),
    # what the commands say
    "key.once": (
        "Khóa của {name}. Chỉ hiện một lần; hãy lưu vào nơi an toàn:",
        "The key of {name}. It is shown only this once; keep it in a safe place:",
    ),
    "revoked": ("Đã thu hồi {name}; có hiệu lực trong một giây.", "{name} is revoked, in force within a second."),
    "revoked.key": (
        "Đã thu hồi khóa {key} của {name}; có hiệu lực trong một giây.",
        "Key {key} of {name} is revoked, in force within a second.",
    ),
    "schools.set": ("{name} được gửi thay: {schools}.", "{name} may speak for: {schools}."),
    "none": ("Không có gì.", "There is nothing."),
    "column.name": ("Tên", "Name"),
    "column.scope.client": ("Trường", "Schools"),
    "column.scope.operator": ("Vai trò", "Role"),
    "column.created": ("Từ", "Since"),
    "column.revoked": ("Thu hồi", "Revoked"),
    "column.keys": ("Khóa", "Keys"),
    "column.destination": ("Nơi nhận", "Destination"),
    "column.state": ("Trạng thái", "State"),
    "column.code": ("Mã", "Code"),
    "column.deliveries": ("Số bản ghi", "Deliveries"),
    "column.oldest": ("Cũ nhất", "Oldest"),
    "column.newest": ("Mới nhất", "Newest"),
    "column.card": ("Học bạ", "Card"),
    "column.version": ("Phiên bản", "Version"),
    "column.at": ("Lúc", "At"),
    "column.id": ("Mã bản ghi", "Id"),
    "column.depth": ("Đang chờ", "Waiting"),
    "column.standing": ("Tình trạng", "Standing"),
    "column.due": ("Quá hạn từ", "Due since"),
    "schools.more": ("{first} … ({count} trường)", "{first} … ({count} schools)"),
    "total": ("Tổng", "Total"),
    "standing.open": ("đang gửi", "open"),
    "standing.paused": ("tạm dừng từ {at}: {reason}", "paused since {at}: {reason}"),
    "standing.breaker": ("ngắt mạch đến {at}", "breaker open until {at}"),
    "replay.planned": ("Sẽ gửi lại:", "Would be sent again:"),
    "replay.done": ("Đã đưa vào hàng chờ gửi lại (nhật ký số {audit}):", "Queued to be sent again (audit {audit}):"),
    "replay.superseded": (
        "{count} bản ghi bỏ qua: đã có phiên bản mới hơn.",
        "{count} skipped: a newer version exists.",
    ),
    "replay.changed": ("{count} bản ghi bỏ qua: trạng thái vừa đổi.", "{count} skipped: no longer in their state."),
    "replay.unmatched": (
        "{count} mã không có, hoặc đang ở trạng thái không gửi lại được.",
        "{count} ids are not there, or in a state that is not replayed.",
    ),
    "replay.confirm": ("Gửi lại?", "Send them again?"),
    "reason.prompt": ("Lý do", "Reason"),
    "reason.short": (
        "Lý do từ 3 đến 500 ký tự, trên một dòng.",
        "A reason has 3 to 500 characters, on one line.",
    ),
    "paused": ("Đã tạm dừng {name}.", "{name} is paused."),
    "resumed": ("{name} tiếp tục.", "{name} is resumed."),
    "plain-http": (
        "Cảnh báo: {name} dùng http không mã hóa ({host}); dữ liệu học sinh và mật khẩu đi qua mạng ở dạng đọc được.",
        "Warning: {name} is reached by plain http ({host}): pupils' data and secrets can be read on the way.",
    ),
    "checked": ("{name} dùng được: {title}.", "{name} can be used: {title}."),
    "unknown.destination": (
        "Không có nơi nhận {name}; có: {known}.",
        "There is no destination {name}; known: {known}.",
    ),
    "upgraded": ("Cơ sở dữ liệu ở phiên bản {revision}.", "The store is at revision {revision}."),
    "revision": (
        "Đang ở phiên bản {found}, cần phiên bản {needed}.",
        "At revision {found}, this version needs {needed}.",
    ),
    "revision.none": ("chưa có", "none"),
    "moment.wrong": (
        "Không đọc được thời điểm; dùng 2026-05-31, 2026-05-31T10:00+07:00, hoặc 90m, 6h, 2d.",
        "Not a time; use 2026-05-31, 2026-05-31T10:00+07:00, or 90m, 6h, 2d.",
    ),
    # rules
    "rules": (
        "Quy tắc kiểm tra học bạ: liệt kê, xem, kiểm tra một tệp.",
        "The rules that report cards are checked by: list, show, check a file.",
    ),
    "rules.list": ("Liệt kê mọi quy tắc.", "Every rule: code, row of the circular's rules, severity, source."),
    "rules.show": ("Xem quy tắc CODE.", "What the rule CODE demands, and of which cards."),
    "rules.check": (
        "Kiểm tra các học bạ chuẩn trong FILE (NDJSON, hoặc một bản JSON); mã thoát 1 nếu có lỗi.",
        "Check the canonical cards in FILE (NDJSON, or one card as JSON); exit code 1 if there is an error.",
    ),
    "rules.checked": ("{cards} học bạ, {wrong} bản có lỗi.", "{cards} cards, {wrong} with errors."),
    "option.rules": ("Tệp YAML: tắt quy tắc, đổi mức độ, con số.", "YAML: rules off, severities, figures."),
    "option.rules.all": ("Cả những gì không kiểm tra được.", "What could not be checked too."),
    "rule.severity": ("mức độ", "severity"),
    "rule.source": ("căn cứ", "source"),
    "rule.kinds": ("loại học bạ", "kinds of card"),
    "rule.grades": ("khối", "grades"),
    "rule.years": ("năm học", "school years"),
    "rule.follows": ("có thể là hệ quả của", "may follow from"),
    "error.rule": (
        "Không có quy tắc {code}; xem `hocba-hub rules list`.",
        "There is no rule {code}; see `hocba-hub rules list`.",
    ),
    "error.rules": ("{path}: {where}: cần {expected}.", "{path}: {where}: expected {expected}."),
    "error.unreadable": ("Không đọc được {path}: {reason}.", "{path} cannot be read: {reason}."),
    # synthetic cards
    "generate": (
        "Tạo học bạ hư cấu của cả tỉnh. Với --defects, lỗi cài ở dòng nào được ghi trong FILE.truth.json.",
        "Write made-up report cards. With --defects, FILE.truth.json says what was planted in which line.",
    ),
    "option.cards": ("Số học bạ.", "How many report cards."),
    "option.seed": ("Cùng một số cho cùng một kết quả.", "The same seed gives the same bytes."),
    "option.out": ("Tệp NDJSON, mỗi dòng một học bạ.", "NDJSON file, one card a line."),
    "option.schools": (
        "Chỉ lấy bấy nhiêu trong 739 trường và trung tâm.",
        "Only so many of the 739 schools and centres.",
    ),
    "option.defects": ("Tỉ lệ học bạ có một lỗi cài sẵn.", "Share of cards with one planted defect."),
    "option.year": ("Năm học.", "School year."),
    "generated": ("{cards} học bạ, {defects} bản có lỗi: {out}", "{cards} cards, {defects} with a defect: {out}"),
    "option.profile": (
        "Định dạng: canonical, hoặc tên hồ sơ của một nhà cung cấp; chỉ ghi học bạ mà định dạng đó chứa được.",
        "The format: canonical, or the name of a vendor's profile; it gets those of the cards that it can hold.",
    ),
    "profile.unknown": ("chỉ có: {known}", "there is only: {known}"),
    "defects.canonical": ("chỉ dùng với định dạng canonical", "only with the canonical format"),
    "year.wrong": ("cần hai năm liên tiếp, như 2025-2026", "two years in a row, as 2025-2026"),
    "error.unwritable": ("Không ghi được {path}: {reason}.", "{path} cannot be written: {reason}."),
    # versions of mappings, unmapped codes
    "mappings.draft": (
        "Kiểm tra FILE và lưu làm bản nháp; chưa có hiệu lực.",
        "Check FILE and store it as a draft; it is in force for nobody.",
    ),
    "mappings.preview": (
        "Chạy thử MAPPING (tệp, hoặc NAME@VERSION) trên bản ghi đã nhận: trường nào đổi, học bạ nào thành sai, đúng.",
        "Run MAPPING (a file, or NAME@VERSION) on recorded submissions: what changes, what starts or stops to pass.",
    ),
    "mappings.activate": (
        "Kích hoạt MAPPING (tệp, hoặc NAME@VERSION); có hiệu lực ở mọi tiến trình sau một giây.",
        "Put MAPPING (a file, or NAME@VERSION) in force; it counts in every process after a second.",
    ),
    "mappings.deactivate": (
        "Kết thúc lần kích hoạt mới nhất của NAME: phiên bản trước đó có hiệu lực trở lại.",
        "End the newest activation of NAME: what was in force before it is so again.",
    ),
    "mappings.active": ("Các phiên bản đã kích hoạt.", "The versions that were put in force."),
    "option.records": ("Số bản ghi chạy thử.", "Records to run on."),
    "option.client": ("Chỉ cho phần mềm này.", "For this client only."),
    "option.from": ("Ngày đầu.", "First day."),
    "option.to": ("Ngày cuối.", "Last day."),
    "option.activation": ("Chỉ kết thúc lần kích hoạt số này.", "The activation with this number instead."),
    "option.client.profile": ("Ánh xạ đọc những gì phần mềm này gửi.", "The mapping that reads what it sends."),
    "clients.profile": (
        "Đặt ánh xạ MAPPING đọc những gì NAME gửi; report-card cho học bạ theo mẫu chuẩn.",
        "Set the mapping that reads what NAME sends; report-card for canonical cards.",
    ),
    "profile.set": ("{name} gửi theo {profile}.", "{name} sends {profile}."),
    "unknown.profile": ("Không có ánh xạ {name} cho học bạ.", "There is no mapping {name} to report cards."),
    "unknown.mapping": (
        "Không có {name}; cần tệp .yaml, hoặc NAME@VERSION.",
        "No {name}; give a .yaml, or NAME@VERSION.",
    ),
    "draft.stored": ("Đã lưu bản nháp {name}.", "Stored the draft {name}."),
    "activated": ("{name} đã có hiệu lực (số {id}).", "{name} is in force (number {id})."),
    "deactivated": ("{name} (số {id}) đã hết hiệu lực.", "{name} (number {id}) is no more in force."),
    "preview.records": ("{records} bản ghi, {changed} bản thay đổi.", "{records} records, {changed} change."),
    "preview.failing": ("Bắt đầu sai: {count}.", "Start to fail: {count}."),
    "preview.passing": ("Bắt đầu đúng: {count}.", "Start to pass: {count}."),
    "codes": ("Mã chưa ánh xạ và ý nghĩa của chúng.", "Values that no code table knows, and what they mean."),
    "codes.list": ("Danh sách mã chưa ánh xạ, nhiều nhất trước.", "The work list, the most frequent first."),
    "codes.show": ("Ai đã gửi mã số NUMBER.", "Who sent the code with this NUMBER."),
    "codes.fill": (
        "Mã số NUMBER nghĩa là RESULT của bảng; học bạ đang chờ được đọc lại ngay.",
        "The code NUMBER means RESULT of its table; the cards that waited for it are read again.",
    ),
    "codes.take-back": ("Rút lại lần điền số NUMBER.", "Take back the fill with this NUMBER."),
    "option.filled": ("Các mã đã điền.", "What was filled."),
    "option.source": ("Căn cứ: văn bản, công văn.", "Where the answer comes from."),
    "option.new": ("Bảng chưa có RESULT.", "The table has no RESULT yet."),
    "code.done": (
        "Đã điền (số {id}): {accepted} học bạ được nhận, {rejected} còn lỗi khác, {left} sẽ đọc lại sau.",
        "Filled (number {id}): {accepted} cards accepted, {rejected} still not right, {left} to be read later.",
    ),
    "code.taken-back": ("{table}: {value} lại chưa có nghĩa.", "{table}: {value} is unknown again."),
    "column.field": ("Trường", "Field"),
    "column.change": ("Thay đổi", "Change"),
    "column.places": ("Số chỗ", "Places"),
    "column.number": ("Số", "Number"),
    "column.client": ("Phần mềm", "Client"),
    "column.year": ("Năm học", "School year"),
    "column.days": ("Ngày", "Days"),
    "column.by": ("Người làm", "By"),
    "column.table": ("Bảng mã", "Table"),
    "column.system": ("Hệ mã", "System"),
    "column.value": ("Giá trị", "Value"),
    "column.result": ("Nghĩa là", "Means"),
    "column.source": ("Căn cứ", "Source"),
    "column.times": ("Số lần", "Times"),
    "column.clients": ("Số phần mềm", "Clients"),
    "column.schools": ("Số trường", "Schools"),
    "column.school": ("Trường", "School"),
    "column.waiting": ("Đang chờ", "Waiting"),
    "column.since": ("Từ", "Since"),
    "column.last": ("Gần nhất", "Last"),
    # what can go wrong
    "error.name-taken": (
        "Tên này đã có; tên của đối tượng đã thu hồi không dùng lại được.",
        "The name is taken; the name of one that was revoked is not given again.",
    ),
    "error.no-owner": ("Không có tên này, hoặc đã thu hồi.", "Nobody of that name is in force."),
    "error.no-key": ("Không có khóa này, hoặc đã thu hồi.", "There is no such key in force."),
    "error.too-many-keys": (
        "Đã có quá nhiều khóa còn hiệu lực; thu hồi bớt một khóa trước.",
        "There are too many keys in force; revoke one first.",
    ),
    "error.no-school": ("Cần ít nhất một mã trường; * cho mọi trường.", "One school at least is needed; * for all."),
    "error.store-full": ("Đĩa của kho lưu trữ đã đầy; không có gì được ghi.", "The store's disk is full."),
    "error.store-away": (
        "Kho lưu trữ không trả lời; kiểm tra HOCBA_DATABASE_URL hoặc HOCBA_HOME.",
        "The store does not answer; look at HOCBA_DATABASE_URL or HOCBA_HOME.",
    ),
    "error.store": ("Kho lưu trữ không dùng được: {message}", "The store cannot be used: {message}"),
    "error.destination": ("Tệp nơi nhận không dùng được: {message}", "The destination file cannot be used: {message}"),
    "error.settings": ("Cấu hình không đúng: {message}", "The settings are not right: {message}"),
    **FILE_TEXTS,
}
"""Name → Vietnamese, English."""


def language() -> Language:
    """The language of this terminal."""
    wanted = os.environ.get("HOCBA_LANG", "").lower()
    if wanted in {"vi", "en"}:
        return "vi" if wanted == "vi" else "en"
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "vi" if locale.lower().startswith("vi") else "en"


def text(name: str, /, **facts: object) -> str:
    """A text in the language of this terminal, its facts filled in."""
    vi, en = TEXTS[name]
    return (vi if language() == "vi" else en).format_map(facts)
