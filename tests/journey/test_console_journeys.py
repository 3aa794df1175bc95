"""The console in a real browser: what operators come for, from the cause of 900 failures to the last of them sent."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from hocba_hub.model.clock import system_clock
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store import failures, jobs
from hocba_hub.store.access import Role
from hocba_hub.store.counters import backlog
from hocba_hub.store.tables import report_cards
from tests.support.browser import Browser, browser, browser_programs
from tests.support.console import Person, add_person
from tests.support.imports import workbook
from tests.support.operators_session import Session, session

pytestmark = pytest.mark.timeout(240)

REASON = "agreed with the province by telephone"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("console")
    browser_programs()  # where there is no browser, nothing is started
    with session(folder, importers=1) as running:
        with running.rig.store() as store:
            for name, role in (("hoa", Role.ADMINISTRATOR), ("binh", Role.OPERATOR), ("tam", Role.VIEWER)):
                add_person(store, name, role, system_clock(), sees_bodies=name == "hoa")
            with store.write() as connection:
                for key in ("deadlines", "reconcile:province"):
                    jobs.ask(connection, key, "os:setup", system_clock())
        yield running


@pytest.fixture
def window(hub: Session, tmp_path: Path) -> Iterator[Browser]:
    with browser(hub.rig.url, tmp_path) as opened:
        yield opened
        assert opened.faults() == []


def a_card(hub: Session) -> str:
    with hub.rig.store() as store, store.read() as connection:
        return str(connection.execute(report_cards.select().order_by(report_cards.c.card_id)).first().card_id)


def test_no_page_is_hard_to_use_in_either_language_or_colours(hub: Session, window: Browser):
    """Each page once: half of them in English and dark colours, half in Vietnamese and light ones."""
    card = a_card(hub)
    with hub.rig.store() as store, store.read() as connection:
        submission = connection.exec_driver_sql("SELECT id FROM submissions LIMIT 1").scalar_one()
    pages = [
        "", "/failure-groups", "/failure-groups/1", "/deliveries", "/deliveries?state=refused", "/replays",
        "/destinations", "/destinations/province", f"/cards/2025-2026/{card}", f"/find?q={card[:4]}", "/submissions",
        f"/submissions/{submission}", "/files", "/findings", "/mappings", "/mappings/vendor-flat-secondary",
        "/code-tables", "/code-tables/gender", "/unmapped-codes", "/jobs", "/jobs/deadlines", "/reconciliation",
        "/reconciliation/province", "/deadlines", "/deadlines?by=class", "/clients", "/clients/vendor", "/operators",
        "/audit", "/account", "/nowhere",
    ]  # fmt: skip
    window.open("/console/sign-in")
    assert window.hard_to_use() == []
    window.sign_in("hoa")
    for number, page in enumerate(pages):
        if number in {0, len(pages) // 2}:
            language, theme = ("vi", "light") if number else ("en", "dark")
            window.open(f"/console/theme/{theme}?to=/console/account")
            window.open(f"/console/language/{language}?to=/console/account")
        window.open(f"/console{page}")
        for one in window.driver.find_elements(By.CSS_SELECTOR, "details.act > summary"):
            window.driver.execute_script("arguments[0].parentElement.open = true", one)
        assert window.hard_to_use() == [], page
        wide = window.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 1366, page  # tables scroll in themselves
    faults = window.faults()
    assert all("404" in one and "nowhere" in one for one in faults), faults


def test_no_page_of_a_client_is_hard_to_use(hub: Session, window: Browser):
    window.open("/portal/sign-in")
    assert window.hard_to_use() == []
    window.find("#key").send_keys(hub.rig.client_key("north"))
    window.press("Vào")
    window.wait_for("Lần gửi gần đây")
    for page in ("", "/submissions", "/files", "/findings", "/errors", "/validate", "/keys"):
        window.open(f"/portal{page}")
        assert window.hard_to_use() == [], page
    window.open("/portal/validate")
    window.driver.execute_script("document.querySelector('#sample').value = arguments[0]", '[{"x": 1}]')
    window.press("Kiểm tra")
    window.wait_for("sẽ bị từ chối")
    assert window.hard_to_use() == []
    window.link("English")
    window.wait_for("Test validation")


def test_the_keyboard_alone_leads_from_signing_in_to_a_cards_story(hub: Session, window: Browser):
    card = a_card(hub)
    window.open("/console")

    def type_keys(*keys: str) -> None:
        ActionChains(window.driver).send_keys(*keys).perform()

    type_keys("binh", Keys.TAB, "đúng con ngựa, đúng pin", Keys.ENTER)  # the first field has the focus
    window.wait_for("Nhóm lỗi đang mở")
    type_keys(Keys.TAB)
    assert window.driver.switch_to.active_element.get_attribute("class") == "skip"
    type_keys("/")  # from anywhere
    type_keys(card, Keys.ENTER)
    window.wait_for("Diễn biến")
    assert window.path == f"/console/cards/2025-2026/{card}"
    for _ in range(60):
        type_keys(Keys.TAB)
        focused = window.driver.switch_to.active_element
        assert window.driver.execute_script("return arguments[0].matches(':focus-visible')", focused)
        if focused.tag_name == "summary":
            break
    type_keys(Keys.ENTER)
    assert "Thử trước" in window.find("details.act[open]").text


def test_the_cause_is_found_the_mapping_mended_and_all_is_replayed_and_watched(hub: Session, window: Browser):
    window.sign_in("hoa")
    window.wait_for("Nhóm lỗi đang mở")
    assert all(number in window.text for number in ("300", "181", "119"))
    window.link("not-representable")
    assert "mapping.table.unknown" in window.text
    group = window.path
    window.link("archive-primary")
    mended = (hub.folder / "archive-primary.yaml").read_text(encoding="utf-8")
    window.act("Sửa thành bản mới…", "Lưu bản nháp", document=mended, reason="a code was missing")
    window.wait_for("chưa có hiệu lực với ai")
    window.act("Kích hoạt bản này…", "Kích hoạt", reason="a code was missing")
    window.wait_for("Đã có hiệu lực")
    replay(window, group)

    hub.others_mend()
    for code in ("SCHOOL_UNKNOWN", "CARD_LOCKED", "SCHOOL_UNKNOWN"):
        window.open("/console")
        window.link(code)
        replay(window, window.path)
    window.open("/console")
    window.wait_for("Không có lỗi nào đang mở.")
    with hub.rig.store() as store, store.read() as connection:
        assert wait_until(lambda: backlog(connection) == 0, 5)
        assert {(one.standing, str(one.state)) for one in failures.listed(connection, 0)} == {(0, "resolved")}


def replay(window: Browser, group: str) -> None:
    """Replay a group: choose, look at what would go out, begin, and watch it to its end on the same page."""
    window.open(group)
    window.act("Gửi lại…", "Chọn và xem trước", canary="1, 10", reason=REASON)
    window.wait_for("Đã chọn, chưa gửi gì")
    assert "Chạy thử: sẽ gửi gì" in window.text
    window.act("Bắt đầu gửi…", "Bắt đầu gửi", reason=REASON)
    number = re.match(r"/console/replays/(\d+)", window.path)
    assert number is not None
    chosen = re.search(r"Tổng ([\d.]+)", window.text)
    assert chosen is not None
    window.wait_for(f"Đã nhận {chosen[1]} Tổng {chosen[1]}", 60)


def test_what_was_sent_is_shown_for_a_reason_and_the_look_is_in_the_trail(hub: Session, window: Browser):
    window.sign_in("hoa")
    window.open(f"/console/cards/2025-2026/{a_card(hub)}")
    window.link("đã gửi gì, trả lời gì")
    masked = window.text
    assert "Dữ liệu cá nhân đã che" in masked
    window.act("Xem không che…", "Xem không che", reason="the school asks what was sent of this card")
    window.wait_for("Đang hiện dữ liệu cá nhân")
    assert window.text != masked
    window.open("/console/audit")
    assert "reveal-bodies" in window.text
    assert "the school asks what was sent of this card" in window.text


def test_an_error_is_told_in_the_form_and_nothing_typed_is_lost(hub: Session, window: Browser):
    window.sign_in("hoa")
    window.open("/console/clients")
    window.act(
        "Thêm phần mềm…", "Thêm và cấp khóa", name="phần mềm B", schools="không phải mã", reason="the new vendor"
    )
    window.wait_for("Tham số hoặc nội dung không đúng")
    assert "/schools/0" in window.find("details.act[open] #error").text
    assert window.find("#name").get_attribute("value") == "phần mềm B"
    window.driver.execute_script("document.querySelector('#schools').value = '*'")
    window.press("Thêm và cấp khóa", "details.act[open]")
    window.wait_for("Phần bí mật, chỉ hiện lần này")
    assert window.find("h1").text == "phần mềm B"
    assert [one for one in window.faults() if "422" not in one] == []


def test_a_clerk_downloads_the_workbook_with_what_is_wrong_marked_in_its_cells(
    hub: Session, window: Browser, tmp_path: Path
):
    book = load_workbook(io.BytesIO(workbook(5)))
    book["Kết quả học tập"]["E5"] = "31/02/2015"
    changed = io.BytesIO()
    book.save(changed)
    with httpx.Client(
        base_url=hub.rig.url, headers={"Authorization": f"Bearer {hub.rig.client_key('clerk')}"}
    ) as vendor:
        sent = vendor.post(
            "/v1/files", params={"name": "Lớp 3A.xlsx", "profile": "workbook-primary"}, content=changed.getvalue(),
            headers={"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
        )  # fmt: skip
        assert sent.status_code == 202, sent.text
    window.sign_in("binh")
    window.open("/console/files")
    window.link("Lớp 3A.xlsx")
    window.wait_for("Tải bảng tính đã đánh dấu lỗi")
    window.link("Tải bảng tính")
    assert wait_until(lambda: any(path.suffix == ".xlsx" for path in tmp_path.iterdir()), 20)
    [marked] = [path for path in tmp_path.iterdir() if path.suffix == ".xlsx"]
    assert any(cell.comment for row in load_workbook(marked).active.iter_rows() for cell in row)


def test_two_operators_at_one_destination_and_the_second_language(hub: Session, window: Browser):
    window.sign_in("binh")
    window.open("/console/destinations/ministry")
    other = Person(hub.rig.url)
    other.sign_in("hoa")
    other.post("/console/destinations/ministry/pause", {"reason": "they asked for it"})
    window.act("Tạm dừng…", "Tạm dừng", reason="a second one at the same moment")
    window.wait_for("tạm dừng")
    window.link("English")
    assert "paused" in window.text
    assert window.path.startswith("/console/destinations/ministry")
    window.act("Resume…", "Resume", reason="the line is back")
    window.wait_for("It is sent to again.")
    window.link("Dark")
    assert window.find("html").get_attribute("data-theme") == "dark"
    window.press("Sign out", ".who")
    window.wait_for("Operator's name")
    window.open("/console/audit")
    assert window.path.startswith("/console/sign-in")
    for _ in range(5):
        window.sign_in("tam", "wrong password")
        window.wait_for("The name or the password is not right.")
    window.sign_in("tam")
    window.wait_for("locked for 15 minutes")
    assert any("401" in one for one in window.faults())
