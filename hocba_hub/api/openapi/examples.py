"""Examples in the OpenAPI document; a test holds each against the schema that it stands in. All made up."""

from __future__ import annotations

from typing import Any

Example = dict[str, Any]

FINDING: Example = {
    "code": "schema.missing",
    "severity": "error",
    "pointer": "/pupil/birth_date",
    "expected": "",
    "value_class": "missing",
    "message_vi": "Thiếu «Ngày sinh».",
    "message_en": "«birth_date» is missing.",
}

_RECEIVED = {
    "position": 0,
    "status": "accepted",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "record_id": "2025-2026/HB-33-000001",
    "school_year": "2025-2026",
    "card_id": "HB-33-000001",
    "version": 1,
    "event": "NEW",
}

SUBMISSION: Example = {
    "submission_id": "0197a5b2-7c1e-7d3a-9f00-3f6f1c2a9b10",
    "state": "partial",
    "received_at": "2026-05-31T02:30:00.000Z",
    "media_type": "application/json",
    "atomic": False,
    "bytes": 20480,
    "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "accepted": 1,
    "rejected": 1,
    "records": [
        _RECEIVED,
        {
            "position": 1,
            "status": "rejected",
            "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            "record_id": "2025-2026/HB-33-000002",
            "school_year": "2025-2026",
            "card_id": "HB-33-000002",
            "findings": [FINDING],
        },
    ],
}

CARD: Example = {
    "record_id": "2025-2026/HB-33-000001",
    "school_year": "2025-2026",
    "card_id": "HB-33-000001",
    "school_code": "33-TH-0001",
    "version": 1,
    "recalled": False,
    "changed_at": "2026-05-31T02:30:00.120Z",
    "versions": [
        {
            "version": 1,
            "event": "NEW",
            "accepted_at": "2026-05-31T02:30:00.120Z",
            "school_code": "33-TH-0001",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "media_type": "application/json",
            "bytes": 10240,
        }
    ],
    "deliveries": [
        {
            "id": 7,
            "destination": "province",
            "version": 1,
            "event": "NEW",
            "state": "acknowledged",
            "code": "OK",
            "accepted_at": "2026-05-31T02:30:00.120Z",
            "settled_at": "2026-05-31T02:30:00.900Z",
            "attempts": [
                {
                    "id": 3,
                    "kind": "send",
                    "leased_at": "2026-05-31T02:30:00.300Z",
                    "sent_at": "2026-05-31T02:30:00.310Z",
                    "ended_at": "2026-05-31T02:30:00.900Z",
                    "http_status": 200,
                    "meaning": "acknowledged",
                    "code": "OK",
                    "detail": "",
                    "mapping": "ndc-primary 1.0.0",
                }
            ],
        }
    ],
}

OPEN_CARD: Example = {
    "school_code": "33-TH-0001",
    "school_year": "2025-2026",
    "card_id": "HB-33-000002",
    "since": "2026-05-30T02:30:00.000Z",
    "last_at": "2026-05-31T02:30:00.000Z",
    "times": 2,
    "submission_id": "0197a5b2-7c1e-7d3a-9f00-3f6f1c2a9b10",
    "position": 1,
    "findings": [FINDING],
    "matter": "record",
}

FAILURES: Example = {
    "deliveries": 412,
    "groups": [
        {
            "destination": "province",
            "state": "refused",
            "code": "SCHOOL_UNKNOWN",
            "deliveries": 412,
            "oldest_at": "2026-05-30T02:30:00.000Z",
            "newest_at": "2026-05-31T02:30:00.000Z",
        }
    ],
}

FAILED_DELIVERY: Example = {
    "id": 8,
    "destination": "province",
    "school_year": "2025-2026",
    "card_id": "HB-33-000003",
    "version": 1,
    "state": "refused",
    "code": "SCHOOL_UNKNOWN",
    "attempts": 1,
    "accepted_at": "2026-05-30T02:29:58.000Z",
    "settled_at": "2026-05-30T02:30:00.000Z",
}

ACT: Example = {
    "selection": {"destination": "province", "code": "SCHOOL_UNKNOWN"},
    "reason": "The province declared the missing schools on 31 May",
    "dry_run": True,
}

ACT_REPORT: Example = {
    "dry_run": True,
    "deliveries": 410,
    "counts": [{"destination": "province", "state": "refused", "code": "SCHOOL_UNKNOWN", "deliveries": 410}],
    "changed": 0,
    "unmatched": 0,
}

REPLAY: Example = {
    "id": 7,
    "state": "stopped",
    "created_at": "2026-05-31T02:30:00.000Z",
    "created_by": "operator:lan",
    "reason": "The province declared the missing schools on 31 May",
    "selection": {"group": 12},
    "meaning": "mapping-in-force",
    "canary": [1, 10, 100],
    "most_failed": 0.1,
    "records": 412,
    "counts": [
        {"outcome": "acknowledged", "code": "", "records": 10},
        {"outcome": "failed", "code": "SCHOOL_UNKNOWN", "records": 1},
        {"code": "waiting", "records": 401},
    ],
    "stop_code": "same-cause",
    "stop_group_id": 12,
    "started_at": "2026-05-31T02:31:00.000Z",
}

BODIES: Example = {
    "destination": "province",
    "request": '{\n  "idbanghi": "2025-2026/0100000001-1",\n  "hovaten": "•••"\n}',
    "response": '{\n  "record_id": "2025-2026/0100000001-1",\n  "verdict": "OK"\n}',
}

TRACE: Example = {
    "cards": [{"school_year": "2025-2026", "card_id": "0100000001-1"}],
    "story": {
        "school_year": "2025-2026",
        "card_id": "0100000001-1",
        "school_code": "33-TH-0001",
        "version": 1,
        "recalled": False,
        "standing": {"province": "acknowledged", "ministry": "awaiting_ack"},
        "events": [
            {
                "at": "2026-05-31T02:00:00.000Z",
                "kind": "received",
                "place": "vendor",
                "version": 1,
                "actor": "client:vendor",
                "code": "NEW",
                "facts": {"submission": "0190a000-0000-7000-8000-000000000000", "position": 0},
            },
            {
                "at": "2026-05-31T02:00:01.000Z",
                "kind": "called",
                "place": "province",
                "version": 1,
                "actor": "",
                "code": "OK",
                "facts": {"attempt": 7, "call": "send", "meaning": "acknowledged", "mapping": "ndc-primary 1.0.0"},
            },
        ],
    },
}

EDIT_ASKED: Example = {
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "version": 2,
    "changes": [{"place": "issue/place", "value": "Hưng Yên"}],
    "reason": "The place was misspelt by the vendor",
}

EDIT: Example = {
    "id": 3,
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "base_version": 2,
    "made_version": 3,
    "places": ["issue/place"],
    "state": "made",
    "asked_at": "2026-05-31T03:00:00.000Z",
    "asked_by": "operator:lan",
    "reason": "The place was misspelt by the vendor",
    "decided_at": "2026-05-31T03:10:00.000Z",
    "decided_by": "operator:minh",
}

EDIT_DETAIL: Example = {**EDIT, "changes": [{"place": "issue/place", "before": "Hưng Yê", "after": "Hưng Yên"}]}

RETURN: Example = {
    "selection": {"group": 12},
    "note": "Kiểm tra lại mã học sinh với cơ sở dữ liệu ngành, sửa rồi gửi lại.",
    "reason": "Only the schools have the pupils' codes",
}

RETURN_REPORT: Example = {
    "dry_run": False,
    "cards": 3,
    "schools": {"33-TH-0001": 2, "33-TH-0002": 1},
    "before": 0,
    "superseded": 1,
}

RETURNED: Example = {
    "id": 5,
    "delivery_id": 4711,
    "destination": "ministry",
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "version": 1,
    "school_code": "33-TH-0001",
    "code": "PUPIL_UNKNOWN",
    "note": "Kiểm tra lại mã học sinh với cơ sở dữ liệu ngành, sửa rồi gửi lại.",
    "returned_at": "2026-05-31T03:00:00.000Z",
    "returned_by": "operator:lan",
    "is_open": True,
}

FROZEN: Example = {
    "replay": REPLAY,
    "selected": [{"destination": "province", "state": "refused", "code": "SCHOOL_UNKNOWN", "deliveries": 412}],
    "held": [{"replay_id": 6, "created_by": "operator:minh", "deliveries": 3}],
    "unmatched": 0,
}

REPLAY_ASKED: Example = {
    "selection": {"group": 12},
    "meaning": "mapping-in-force",
    "canary": [1, 10, 100],
    "reason": "The province declared the missing schools on 31 May",
}

REPLAY_ITEM: Example = {
    "delivery_id": 4711,
    "destination": "province",
    "school_code": "33-TH-0001",
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "version": 1,
    "state": "refused",
    "failure_group_id": 12,
    "released_at": "2026-05-31T02:31:00.000Z",
    "outcome": "acknowledged",
    "code": "",
    "ended_at": "2026-05-31T02:31:01.000Z",
}

FORESEEN: Example = {
    "delivery_id": 4711,
    "destination": "province",
    "school_code": "33-TH-0001",
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "version": 1,
    "becomes": "sent",
    "code": "",
    "mapping_before": "to-province 1.0.0",
    "mapping": "to-province 1.0.1",
    "changed": ["diem/0/mamon"],
}

DESTINATION: Example = {
    "name": "province",
    "title_vi": "Nền tảng dữ liệu của tỉnh",
    "title_en": "The province's data platform",
    "paused_at": "2026-05-31T02:30:00.000Z",
    "pause_reason": "Maintenance there until noon",
    "failed_calls": 0,
    "concurrency": 4,
    "oldest_due_at": "2026-05-31T02:30:05.000Z",
    "depth": {"queued": 1200, "leased": 0, "awaiting_ack": 0, "in_doubt": 0, "held": 0, "parked": 0},
}

AUDIT: Example = {
    "id": 12,
    "at": "2026-05-31T02:30:00.000Z",
    "actor": "operator:lan",
    "action": "pause",
    "reason": "Maintenance there until noon",
    "detail": {"destination": "province"},
}

JOB: Example = {
    "key": "retention",
    "kind": "retention",
    "standing": "idle",
    "schedule": "17 * * * *",
    "next_run_at": "2026-05-31T03:17:00.000Z",
    "run": {
        "id": 12,
        "asked_by": "schedule",
        "started_at": "2026-05-31T02:17:00.300Z",
        "ended_at": "2026-05-31T02:17:02.100Z",
        "state": "done",
        "done": 9,
        "total": 9,
        "result": {"answers": 1200, "rejected_records": 0},
        "takeovers": 0,
    },
}

VERDICTS: Example = {
    "acknowledgements": [
        {"record_id": "2025-2026/0100000001-1", "version": 1, "code": "ACCEPTED"},
        {"record_id": "2025-2026/0100000002-1", "version": 3, "code": "SCHOOL_UNKNOWN"},
    ]
}

RECEPTIONS: Example = {
    "results": [
        {"record_id": "2025-2026/0100000001-1", "version": 1, "reception": "settled"},
        {"record_id": "2025-2026/0100000002-1", "version": 3, "reception": "repeated"},
    ]
}

ACKNOWLEDGEMENT: Example = {
    "id": 7,
    "delivery_id": 4711,
    "destination": "ministry",
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "version": 1,
    "state": "acknowledged",
    "source": "poll",
    "kind": "contradictory",
    "code": "CONTRADICTED",
    "verdict": "refused",
    "first_at": "2026-05-31T02:30:00.000Z",
    "last_at": "2026-05-31T02:31:00.000Z",
    "times": 2,
}

LOCK: Example = {
    "id": 3,
    "school_code": "33-TH-0001",
    "school_year": "2025-2026",
    "grade": 5,
    "locked_at": "2026-08-25T09:00:00.000Z",
    "locked_by": "operator:lan",
    "reason": "The year's data are complete",
    "unlock_asked_at": "2026-09-02T02:00:00.000Z",
    "unlock_asked_by": "operator:lan",
    "unlock_reason": "The school found a wrong mark",
}

TRANSFER: Example = {
    "id": 5,
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "from_school": "33-TH-0001",
    "to_school": "33-TH-0002",
    "decided_at": "2026-08-25T09:00:00.000Z",
    "decided_by": "operator:lan",
    "reason": "The pupil has moved; both schools have confirmed it",
}

CODE_LIST: Example = {
    "id": 4,
    "destination": "ministry",
    "name": "DANTOC",
    "version": "2",
    "state": "draft",
    "code_table": "ethnic-groups",
    "code_system": "qd121",
    "name_system": "name",
    "counts": {"added": 1, "renamed": 1, "ended": 0},
    "fetched_at": "2026-08-25T19:30:00.000Z",
}

CODE_LIST_DETAIL: Example = CODE_LIST | {
    "added": [{"code": "77", "name": "Nhóm mới"}],
    "renamed": [{"code": "02", "name": "Tày (Thổ)"}],
    "ended": [],
    "codes_solved": 1,
    "cards_waiting": 12,
    "deliveries_held": 0,
}

RECONCILIATION: Example = {
    "run_id": 812,
    "places": [{"school_code": "33-TH-0001", "counts": {"all": 640, "equal": 637, "missing": 2, "waiting": 1}}],
}

IDENTITY: Example = {
    "places": [
        {"commune_code": "11953", "counts": {"mismatch": 12, "not-found": 3, "verified": 5210}},
    ]
}

CHECKED_CARD: Example = {
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "version": 1,
    "result": "mismatch",
    "told_at": "2026-07-02T03:45:01Z",
    "school_code": "33-TH-0001",
    "commune_code": "11953",
}

FAILURE_GROUP: Example = {
    "id": 12,
    "destination": "ministry",
    "stage": "send",
    "error_class": "refused",
    "code": "SCHOOL_UNKNOWN",
    "detail": "",
    "mapping": "to-ministry 1.0.0",
    "standing": 412,
    "times": 430,
    "first_at": "2026-05-31T01:00:00Z",
    "last_at": "2026-05-31T03:12:09Z",
    "schools": 2,
    "clients": 1,
    "state": "watching",
    "owner": "lan",
    "note": "Đã hỏi đầu mối của Bộ / asked the Ministry's contact",
    "revision": 3,
}

FAILURE_GROUP_DETAIL: Example = {
    "group": FAILURE_GROUP,
    "under": [],
    "trend": [{"hour_at": "2026-05-31T01:00:00Z", "times": 430}],
    "sources": [{"school_code": "33-TH-0001", "client_id": 3, "times": 300, "last_at": "2026-05-31T03:00:00Z"}],
    "members": [
        {
            "delivery_id": 4711,
            "destination": "ministry",
            "school_code": "33-TH-0001",
            "school_year": "2025-2026",
            "card_id": "0100000001-1",
            "version": 1,
            "state": "refused",
        }
    ],
}

FAILURE_GROUP_CHANGE: Example = {"state": "watching", "owner": "lan", "reason": "Asked the Ministry", "revision": 2}

DIFFERENCE: Example = {
    "id": 90,
    "kind": "missing",
    "school_year": "2025-2026",
    "card_id": "0100000001-1",
    "school_code": "33-TH-0001",
    "grade": 5,
    "class_code": "5A",
    "our_version": 2,
    "our_state": "acknowledged",
    "delivery_id": 4711,
}

PROBLEM: Example = {
    "type": "/problems/rate.exceeded",
    "title": "Gọi quá nhanh",
    "status": 429,
    "detail": "Đợi số giây trong Retry-After; gửi nhiều bản ghi trong một lần gọi.",
    "instance": "/v1/report-cards",
    "code": "rate.exceeded",
    "title_vi": "Gọi quá nhanh",
    "title_en": "Too many calls",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
}
