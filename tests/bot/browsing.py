"""A person with a browser: Debian's Chromium on the stand-in's page."""

import os
import shutil
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, Route, async_playwright

PICTURES = "a.example"
_PATIENCE_MILLISECONDS = 5000
_MISSING = "Chromium is not installed (Debian: chromium)"


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a window; the test is skipped where there is none, except in CI."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{_MISSING}; with CI=true nothing is skipped")
        pytest.skip(_MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser, port: int, at: str = "U0ANN/C0SUPPORT", **context: Any
) -> AsyncIterator[Page]:
    """The page as somebody sees it (`person/place/thread`). Nothing may go wrong in it unseen."""
    opened = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context})
    opened.set_default_timeout(_PATIENCE_MILLISECONDS)
    page = await opened.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: wrong.extend(_abroad(request.url)))
    await page.route(f"https://{PICTURES}/*", _picture)
    await page.goto(f"http://127.0.0.1:{port}/slack#/{at}")
    await page.locator("html[data-revision]").wait_for()
    yield page
    await opened.close()
    assert wrong == []


async def _picture(route: Route) -> None:
    await route.fulfill(body=png(), content_type="image/png")


def _abroad(url: str) -> list[str]:
    """An address that is not this machine's: the page must need nothing from elsewhere."""
    host = urlsplit(url).hostname
    return [] if host in ("127.0.0.1", PICTURES, None) else [f"asked {host}"]


def channel(page: Page) -> Locator:
    """The open channel's messages."""
    return page.locator("[data-list=channel]")


def thread(page: Page) -> Locator:
    """The open thread's messages."""
    return page.locator("[data-list=thread]")


def action(where: Page | Locator, action_id: str) -> Locator:
    """A button or field of the app's, by its action id."""
    return where.locator(f"[data-action={action_id}]")


def png() -> bytes:
    """A small picture."""
    width, height = 60, 30

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    rows = (b"\0" + b"\x40\x80\xc0" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts
