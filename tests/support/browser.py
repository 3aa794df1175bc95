"""A real browser for the console's pages: headless Chromium, and axe, which says what of a page is hard to use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from hocba_hub.sandbox.vendor import wait_until
from tests.support.console import PASSWORD, text_of
from tests.support.npm import npm_packages

_SECONDS = 20


class Browser:
    """One window of 1366 × 768, with the language and the cookies of one person."""

    def __init__(self, url: str, driver: webdriver.Chrome) -> None:
        self.url, self.driver = url, driver

    def open(self, path: str) -> None:
        self.driver.get(f"{self.url}{path}")

    @property
    def path(self) -> str:
        return self.driver.current_url.removeprefix(self.url)

    @property
    def text(self) -> str:
        return text_of(self.driver.page_source)

    def find(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def link(self, text: str) -> None:
        """Follow the link whose text holds this, as a person reads it."""
        self.driver.find_element(By.PARTIAL_LINK_TEXT, text).click()

    def press(self, text: str, within: str = "main") -> None:
        """Press the button, or what opens a form, of this text."""
        for one in self.driver.find_elements(By.CSS_SELECTOR, f"{within} button, {within} summary"):
            if one.is_displayed() and one.text.strip() == text:
                one.click()
                return
        raise AssertionError(f"there is no button {text!r} on {self.path}: {self.text[:1500]}")

    def act(self, opened_by: str, confirmed_by: str, **fields: str) -> None:
        """Open a form by its button, fill its fields by name, and send it."""
        self.press(opened_by)
        form = next(
            one for one in self.driver.find_elements(By.CSS_SELECTOR, "details.act[open] form") if one.is_displayed()
        )
        for name, value in fields.items():
            field = form.find_element(By.NAME, name)
            if field.tag_name == "select":
                field.find_element(By.CSS_SELECTOR, f"option[value='{value}']").click()
            elif field.tag_name == "textarea":  # typed letter by letter, a whole mapping takes a minute
                self.driver.execute_script("arguments[0].value = arguments[1]", field, value)
            else:
                field.clear()
                field.send_keys(value)
        self.press(confirmed_by, "details.act[open]")

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.open("/console/sign-in")
        self.find("#name").send_keys(name)
        self.find("#password").send_keys(password)
        form = self.find("main form")
        self.find("main button").click()
        assert wait_until(lambda: _is_gone(form), _SECONDS)

    def wait_for(self, text: str, seconds: float = _SECONDS) -> None:
        """Wait until the page says this, without loading it again: what is live comes by itself."""
        assert wait_until(lambda: text in self.text, seconds), (
            f"{text!r} is not told on {self.path}: {self.text[:1500]}"
        )

    def faults(self) -> list[str]:
        """What the browser's console says is wrong, since it was asked last."""
        return [one["message"] for one in self.driver.get_log("browser") if one["level"] == "SEVERE"]

    def hard_to_use(self) -> list[str]:
        """What axe finds on this page, of WCAG 2.2 AA and best practice, that is serious or critical."""
        axe = npm_packages() / "node_modules" / "axe-core" / "axe.min.js"
        self.driver.execute_script(axe.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = self.driver.execute_async_script(
            "const end = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',"
            " 'wcag22aa', 'best-practice']}).then(found => end(found.violations))"
        )
        return [
            f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:160]})"
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]


def _is_gone(element: WebElement) -> bool:
    """Whether another page has come."""
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    return False


def browser_programs() -> tuple[str, str]:
    """Chromium and its driver; the test is skipped where they are not, unless HOCBA_NEEDS_BROWSER is set."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        if os.environ.get("HOCBA_NEEDS_BROWSER"):
            pytest.fail("there is no chromium and chromedriver on PATH")
        pytest.skip("there is no chromium and chromedriver on PATH: the console is not tried in a browser")
    return chromium, driver


@contextmanager
def browser(url: str, folder: Path) -> Iterator[Browser]:
    """A browser whose downloads go to `folder`."""
    programs = browser_programs()
    chosen = webdriver.ChromeOptions()
    chosen.binary_location = programs[0]
    for one in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1366,907"):
        chosen.add_argument(one)
    chosen.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chosen.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    driver = webdriver.Chrome(options=chosen, service=webdriver.ChromeService(programs[1]))
    try:
        yield Browser(url, driver)
    finally:
        driver.quit()
