# SPDX-License-Identifier: Apache-2.0
"""Pages in a browser: tables break no word inside, and nothing is wider than the window."""

import asyncio

import pytest
from playwright.sync_api import Route, expect

from api.accounts import Role
from tests.portal.desk import PASSWORD
from tests.portal.script_folders import STEPS, pack
from tests.portal.test_fleet_pages import roll_out
from tests.stack.browser import log_in, measure_overflow, open_browser

PAGES = (
    "/queue",
    "/incidents?parts=true",
    "/devices",
    "/models",
    "/people",
    "/audit",
    "/policies",
    "/models/compare/health?after=1",
    "/scripts",
    "/scripts/linux-clear-print-queue/1.1.2",
)
NO_PLOT = '<svg xmlns="http://www.w3.org/2000/svg"/>'
BROKEN_WORDS = r"""() => {
    const broken = [];
    for (const cell of document.querySelectorAll("td, th")) {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const node = walker.currentNode;
            const hidden = "pre, code, details:not([open]) > :not(summary)";
            if (node.parentElement.closest(hidden)) continue;
            for (const found of node.textContent.matchAll(/[A-Za-z0-9\u00d7]{2,16}/g)) {
                const range = document.createRange();
                range.setStart(node, found.index);
                range.setEnd(node, found.index + found[0].length);
                const lines = new Set([...range.getClientRects()].map((one) => one.top));
                if (lines.size > 1) broken.push(found[0]);
            }
        }
    }
    return broken;
}"""
HIDDEN_CELLS = """() => [...document.querySelectorAll("table.labelled td")].filter((cell) => {
    const box = cell.getBoundingClientRect();
    const named = getComputedStyle(cell, "::before").content.includes(cell.dataset.label);
    return box.right > innerWidth || !named;
}).map((cell) => cell.textContent)"""


@pytest.mark.browser
async def test_a_small_screen_leads_to_the_decision_and_shows_all_on_the_way(desk):
    proposal = (await desk.propose()).proposal
    await desk.let_in("grace", Role.APPROVER)

    def look() -> None:
        with open_browser() as browser, log_in(browser, desk.url, "grace", PASSWORD) as page:
            path = f"/proposals/{proposal.proposal_id}"
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(path)
            link, button = page.locator(".jump a.main"), page.locator("#approve")
            expect(link).to_be_hidden()
            expect(button).to_be_in_viewport()
            for cell in page.locator("#considered td:first-child").all():
                box = cell.bounding_box()
                assert box is not None
                assert box["width"] > 180, "the names of scripts have room"
            page.set_viewport_size({"width": 390, "height": 844})
            page.goto(path)
            expect(link).to_be_in_viewport()
            expect(button).not_to_be_in_viewport()
            page.locator("#run").scroll_into_view_if_needed()
            expect(link).to_be_in_viewport()  # it stays while one reads
            link.click()
            expect(page.locator("#decide h2").first).to_be_in_viewport()
            page.locator("#approve-reason").click()  # nothing lies over it
            assert measure_overflow(page) <= 0
            assert page.evaluate(HIDDEN_CELLS) == []

    await asyncio.to_thread(look)


@pytest.mark.browser
async def test_a_refused_script_fits_a_small_screen(desk):
    await desk.let_in("ivan", Role.HELPDESK)
    archive = pack({"remediate": STEPS["remediate"] + "systemctl stop cron.service\n"})
    sent = {"name": "script.zip", "mimeType": "application/zip", "buffer": archive}

    def look() -> None:
        with open_browser() as browser, log_in(browser, desk.url, "ivan", PASSWORD) as page:
            page.set_viewport_size({"width": 390, "height": 844})
            page.goto("/scripts")
            page.set_input_files("#file", files=[sent])
            page.route("**/scripts", answer_without_status)
            page.click("#import")
            expect(page.locator("#refusal")).to_contain_text("remediate.sh")
            assert measure_overflow(page) <= 0
            assert page.evaluate(HIDDEN_CELLS) == []
            page.click("#places a")
            expect(page.locator("#remediate-5")).to_be_in_viewport()

    await asyncio.to_thread(look)


def answer_without_status(route: Route) -> None:
    """Answer a refusal as 200: the console tells of any other status, which is no fault here."""
    answer = route.fetch(max_redirects=0)
    route.fulfill(response=answer, status=200)


@pytest.mark.browser
async def test_no_word_is_broken_and_nothing_is_wider_than_the_window(desk, tmp_path):
    fleet_id = await roll_out(desk.services)
    await desk.change("UPDATE devices SET hostname = 'sim-linux-desktop-00' || device_id")
    await desk.change(
        "UPDATE incidents SET occurrences = 124, failure_class = 'security_agent_off',"
        " title = 'File system /System/Volumes/Data is almost full' WHERE part_of IS NOT NULL"
    )
    await desk.let_in("dora", *Role)

    def look() -> None:
        with open_browser() as browser, log_in(browser, desk.url, "dora", PASSWORD) as page:
            page.route(  # this fleet has no telemetry to draw, which the console would tell
                "**/devices/*/plots/**",
                lambda route: route.fulfill(body=NO_PLOT, content_type="image/svg+xml"),
            )
            for path in (*PAGES, f"/incidents/{fleet_id}"):
                page.goto(path)
                for width, height in ((1280, 900), (390, 844)):
                    page.set_viewport_size({"width": width, "height": height})
                    name = path.strip("/").replace("/", "-").partition("?")[0]
                    page.screenshot(path=tmp_path / f"{name}-{width}.png", full_page=True)
                    assert measure_overflow(page) <= 0, f"{path} is wider than the window"
                    assert page.evaluate(BROKEN_WORDS) == [], (path, width)
                    hidden = page.evaluate(HIDDEN_CELLS) if width < 600 else []
                    assert hidden == [], (path, width)

    await asyncio.to_thread(look)
