"""The first page of a hub: who calls its address by hand learns where everything is."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hocba_hub import __version__

router = APIRouter(tags=["front-page"], include_in_schema=False)

_LINKS = (
    ("/console", "trang quản trị của cán bộ vận hành", "the operators' console"),
    ("/portal", "trang của phần mềm nhà trường", "the page of a school's system"),
    ("/openapi.json", "mô tả toàn bộ API (OpenAPI 3.1)", "the whole API (OpenAPI 3.1)"),
    ("/soap/v1?wsdl", "mô tả dịch vụ SOAP", "the SOAP service"),
    (
        "/v1/findings/catalogue",
        "các lỗi của học bạ và cách sửa (cần khóa)",
        "what can be wrong with a card (needs a key)",
    ),
    ("/problems", "các lỗi của yêu cầu", "what can be wrong with a call"),
    ("/readyz", "tình trạng", "whether it is ready"),
    ("/metrics", "số đo cho Prometheus", "figures for Prometheus"),
)
_LINES = "".join(
    f'<li><a href="{path}"><code>{path}</code></a> {vi} · <span lang="en">{en}</span></li>' for path, vi, en in _LINKS
)
_PAGE = f"""<!doctype html>
<html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>hocba-hub</title>
<style>body{{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}}code{{font-size:1rem}}</style>
<h1>hocba-hub {__version__}</h1>
<p>Trục tích hợp học bạ số: kiểm tra, lưu và chuyển học bạ của nhà trường đến Sở và Bộ.</p>
<p lang="en">Integration hub for report cards: checked, stored, and delivered to the province and the Ministry.</p>
<ul>{_LINES}</ul>
</html>
"""


@router.get("/")
@router.get("/docs")
async def front_page() -> Response:
    """Where everything is."""
    return Response(_PAGE, media_type="text/html")
