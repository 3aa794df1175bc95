"""What is expected, said in Vietnamese: the phrases that findings about a document use in their `expected`.

Anything else there (names, patterns, examples) reads the same in both languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

VIETNAMESE: Mapping[str, str] = {
    "a CSV file beside the table": "một tệp CSV nằm cạnh bảng mã",
    "a code table": "một bảng mã",
    "a condition, as {source path: value}": "một điều kiện, dạng {đường dẫn nguồn: giá trị}",
    "a date such as 2025-09-01": "một ngày, dạng 2025-09-01",
    "a description, or {about: …, match: loose}": "một mô tả, hoặc {about: …, match: loose}",
    "a list of entries, each with its target fields": "một danh sách các mục, mỗi mục có các trường đích",
    "a list of examples": "một danh sách ví dụ",
    "a list of rows, or file: name.csv": "một danh sách các dòng, hoặc file: ten.csv",
    "a list of sheets": "một danh sách trang tính",
    "a mapping document": "một tài liệu ánh xạ",
    "a mapping to merge": "một đối tượng để ghép vào",
    "a name of a-z, 0-9 and -": "một tên gồm a-z, 0-9 và -",
    "a path does not end with /": "đường dẫn không kết thúc bằng /",
    "a path such as hocSinh/hoTen": "một đường dẫn như hocSinh/hoTen",
    "a row, as {column: value}": "một dòng, dạng {cột: giá trị}",
    "a rule before it always gives a value": "quy tắc phía trước luôn cho một giá trị",
    "a rule before it has the same condition and always gives a value": (
        "quy tắc phía trước có cùng điều kiện và luôn cho một giá trị"
    ),
    "a semantic version such as 1.0.0": "một phiên bản ngữ nghĩa như 1.0.0",
    "a single value": "một giá trị đơn",
    "a source path, or a rule such as {from: path}": "một đường dẫn nguồn, hoặc một quy tắc như {from: đường dẫn}",
    "a table's name, or {name: …, from: …, to: …}": "tên bảng mã, hoặc {name: …, from: …, to: …}",
    "a target field given once, either whole or by its parts": (
        "một trường đích khai báo một lần, hoặc toàn bộ hoặc theo từng phần"
    ),
    "a text": "một văn bản",
    "a text or a list of texts": "một văn bản hoặc một danh sách văn bản",
    "a value, a list of values, or a test": "một giá trị, một danh sách giá trị, hoặc một phép thử",
    "an object": "một đối tượng",
    "an object with": "một đối tượng có",
    "at-least is greater than at-most": "at-least lớn hơn at-most",
    "at most this many values": "nhiều nhất từng này giá trị",
    "at most this many characters": "nhiều nhất từng này ký tự",
    "at most this many levels": "nhiều nhất từng này cấp",
    "boolean": "đúng hoặc sai",
    "columns of the first sheet, one for each of key": "các cột của trang tính đầu, mỗi cột ứng với một cột của key",
    "from and to as names of code systems, where as {system: value}": (
        "from và to là tên hệ mã, where là {hệ mã: giá trị}"
    ),
    "integer": "số nguyên",
    "its tests contradict each other": "các phép thử mâu thuẫn với nhau",
    "join, the text between the values": "join, văn bản đặt giữa các giá trị",
    "list": "danh sách",
    "no such step; known are . .key .position, and .. at the start": (
        "không có bước này; chỉ có . .key .position, và .. ở đầu"
    ),
    "no tags": "không dùng thẻ kiểu (tag)",
    "none": "không có tham số",
    "nothing can follow": "không gì được đứng sau",
    "nothing is above the record's root": "không có gì phía trên gốc của bản ghi",
    "number": "số",
    "object": "đối tượng",
    "one document in one file": "mỗi tệp một tài liệu",
    "one of": "một trong",
    "one selector a step": "mỗi bước chỉ một bộ chọn",
    "pairs, as {code of the source: meaning}": "các cặp, dạng {mã nguồn: ý nghĩa}",
    "quote names that hold / [ ] or '": "đặt trong nháy đơn những tên có / [ ] hoặc '",
    "rules": "các quy tắc",
    "target fields, as {target: source path or rule}": "các trường đích, dạng {đích: đường dẫn nguồn hoặc quy tắc}",
    "text": "văn bản",
    "text as a key": "khóa là văn bản",
    "texts, as {name: text}": "các văn bản, dạng {tên: văn bản}",
    "the anchor": "có neo",
    "the code systems, as {name: description}": "các hệ mã, dạng {tên: mô tả}",
    "the header row, or [first, last] of at most ten": "dòng tiêu đề, hoặc [đầu, cuối] nhiều nhất mười dòng",
    "this stands alone or after ..": "bước này đứng một mình hoặc sau ..",
    "true or false": "true hoặc false",
    "write [0], [-1] or [key=text]": "viết [0], [-1] hoặc [khóa=văn bản]",
}


def in_vietnamese(expected: str) -> str:
    """The phrase in Vietnamese, with what stands after its colon left as it is; other texts as they are."""
    if expected in VIETNAMESE:
        return VIETNAMESE[expected]
    phrase, colon, detail = expected.partition(": ")
    return f"{VIETNAMESE[phrase]}{colon}{detail}" if colon and phrase in VIETNAMESE else expected


_CLASSES = {
    "missing": "không có gì",
    "whole number": "số nguyên",
    "number": "số",
    "date": "ngày",
    "object": "đối tượng",
}
_COUNTED = (
    (re.compile(r"text of (\d+) characters"), r"văn bản \1 ký tự"),
    (re.compile(r"list of (\d+)"), r"danh sách \1 mục"),
)


def class_in_vietnamese(value_class: str) -> str:
    """The class of a value in Vietnamese."""
    for pattern, words in _COUNTED:
        value_class = pattern.sub(words, value_class)
    return _CLASSES.get(value_class, VIETNAMESE.get(value_class, value_class))
