"""Examples of mappings, code tables and unmapped codes in the OpenAPI document. All made up."""

from __future__ import annotations

from hocba_hub.api.openapi.examples import Example

MAPPING_ENTRY: Example = {
    "name": "vendor-flat-secondary",
    "title_vi": "REST JSON, khóa tiếng Việt không dấu, trung học",
    "title_en": "REST JSON with flat Vietnamese keys, secondary",
    "source_format": "json",
    "target": "report-card",
    "default_version": "1.1.0",
    "activations": 1,
}

MAPPING: Example = {
    **MAPPING_ENTRY,
    "versions": [
        {"version": "1.0.0", "shipped": True, "in_force": False},
        {
            "version": "1.1.0",
            "shipped": False,
            "in_force": True,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "added_at": "2026-05-31T02:30:00.000Z",
            "added_by": "operator:lan",
        },
    ],
    "in_force": [
        {
            "id": 3,
            "version": "1.1.0",
            "valid_from": "2026-06-01",
            "activated_at": "2026-05-31T02:40:00.000Z",
            "activated_by": "operator:lan",
        }
    ],
}

DRAFT: Example = {
    "document": "mapping: vendor-flat-secondary\nversion: 1.1.0\nsource: {format: json}\ntarget: report-card\n…",
    "reason": "The vendor calls the field tenTruongHoc since June",
}

ASKED_PREVIEW: Example = {"version": "1.1.0", "records": 200}

PREVIEW: Example = {
    "records": 200,
    "unreadable": 0,
    "not_kept": 14,
    "changed": 12,
    "fields": [{"field": "year/subjects[]/comment", "change": "added", "places": 31}],
    "start_failing": {"count": 0, "record_ids": []},
    "start_passing": {"count": 1, "record_ids": ["2025-2026/HB-33-000002"]},
    "findings_more": {},
    "findings_fewer": {"mapping.value.missing": 1},
    "unmapped": {},
}

ACTIVATION: Example = {
    "version": "1.1.0",
    "client": "north-vendor",
    "valid_from": "2026-06-01",
    "reason": "Previewed on 200 cards, one starts to pass",
}

TABLE: Example = {
    "name": "ethnic-groups",
    "version": "1.0.0",
    "title_vi": "Dân tộc",
    "title_en": "Ethnic groups",
    "systems": ["name", "qd121", "gso_census"],
    "rows": 55,
    "filled": 1,
}

TABLE_PAGE: Example = {
    **TABLE,
    "source": "Decision 121-TCTK/PPCĐ and the list of the 2019 census",
    "page": [{"values": {"name": ["Kinh", "Việt"], "qd121": ["01"], "gso_census": ["1"]}}],
    "fills": [
        {
            "id": 7,
            "system": "name",
            "value": "Ê đê",
            "result_system": "qd121",
            "result": "12",
            "where": {},
            "source": "Decision 121-TCTK/PPCĐ, a spelling of Ê-đê",
            "filled_at": "2026-05-31T03:00:00.000Z",
            "filled_by": "operator:lan",
        }
    ],
}

UNMAPPED: Example = {
    "id": 5,
    "table": "ethnic-groups",
    "system": "name",
    "value": "Ê đê",
    "result_system": "qd121",
    "where": {},
    "times": 41,
    "first_at": "2026-05-30T02:30:00.000Z",
    "last_at": "2026-05-31T02:30:00.000Z",
    "clients": 1,
    "schools": 3,
    "waiting": 38,
}

FILL: Example = {"result": "12", "source": "Decision 121-TCTK/PPCĐ, a spelling of Ê-đê"}
