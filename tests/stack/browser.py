# SPDX-License-Identifier: Apache-2.0
"""A person at the portal with a real Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
PATIENCE_MILLISECONDS = 60_000


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def log_in(browser: Browser, url: str, username: str, password: str) -> Iterator[Page]:
    """Open a window of its own and log in by keyboard; fails on any error of the page's scripts."""
    context = browser.new_context(base_url=url)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.goto("/login")
    expect(page.locator("#username")).to_be_focused()  # by itself, shortly after the page came
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue")
    try:
        yield page
    finally:
        context.close()
    assert not faults


def measure_overflow(page: Page) -> int:
    """Count the pixels by which a page, with its styles, is wider than its window."""
    page.wait_for_load_state()  # a page that was clicked to may show its words before its styles
    assert page.viewport_size
    return page.evaluate("document.documentElement.scrollWidth") - page.viewport_size["width"]
