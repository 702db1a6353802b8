"""Takes pictures of the stand-in's page with Chromium: always the same size, light, moment.

The clocks of what is photographed run as always; the page shows all times moved by one distance,
so that every picture is taken on the same morning.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, FloatRect, Locator, Page, async_playwright

VIEWPORT = {"width": 1280, "height": 860}
_MORNING = datetime(2026, 3, 3, 9, 20, 5, tzinfo=UTC)
_ZONE = "Europe/Berlin"
_PATIENCE_MILLISECONDS = 15_000
_MARGIN = 12
_COLOURS = 256
_MOVED = """
(() => {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() - DISTANCE);
      else if (given.length === 1 && typeof given[0] === "number") super(given[0] - DISTANCE);
      else super(...given);
    }
    getTime() { return super.getTime() + DISTANCE; }
  };
})();
"""
"""What is shown of a moment is moved; the number that stands for it is not."""
_STILL = "* { animation: none !important; transition: none !important; caret-color: transparent; }"


@dataclass
class Camera:
    """Looks at the page as one of the team does, and writes pictures to a folder."""

    browser: Browser
    slack_url: str
    folder: Path
    began: float = field(default_factory=time.time)
    taken: list[Path] = field(default_factory=list)

    @asynccontextmanager
    async def looking(self, at: str, *, height: int = VIEWPORT["height"]) -> AsyncIterator[Page]:
        """The page at `person/place/thread`; a tall one where a picture needs more height."""
        context = await self.browser.new_context(
            viewport={"width": VIEWPORT["width"], "height": height},
            device_scale_factor=1,
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id=_ZONE,
        )
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        distance = round(1000 * (self.began - _MORNING.timestamp()))
        await context.add_init_script(_MOVED.replace("DISTANCE", str(distance)))
        page = await context.new_page()
        await page.goto(f"{self.slack_url}/slack#/{at}")
        await page.locator("html[data-revision]").wait_for()
        try:
            yield page
        finally:
            await context.close()

    async def page(self, page: Page, name: str) -> None:
        """Picture the whole page."""
        await self._take(page, name, None)

    async def part(self, name: str, *parts: Locator, margin: int = _MARGIN) -> None:
        """Picture the smallest piece of the page that holds all these parts."""
        page = parts[0].page
        boxes = [await _box(part) for part in parts]
        left, top = min(b["x"] for b in boxes), min(b["y"] for b in boxes)
        right = max(b["x"] + b["width"] for b in boxes)
        bottom = max(b["y"] + b["height"] for b in boxes)
        clip: FloatRect = {
            "x": max(0, left - margin),
            "y": max(0, top - margin),
            "width": right - left + 2 * margin,
            "height": bottom - top + 2 * margin,
        }
        await self._take(page, name, clip)

    async def _take(self, page: Page, name: str, clip: FloatRect | None) -> None:
        path = self.folder / f"{name}.png"
        await page.mouse.move(1, 1)
        await page.evaluate("document.activeElement?.blur()")
        await page.evaluate("document.fonts.ready")
        taken = await page.screenshot(clip=clip, style=_STILL, animations="disabled")
        _write(taken, path)
        self.taken.append(path)
        print(f"  {path.name}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def _write(taken: bytes, path: Path) -> None:
    """Write a picture with a palette, which takes half the room and looks the same."""
    picture = Image.open(BytesIO(taken)).convert("RGB")
    reduced = picture.quantize(
        _COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    reduced.save(path, optimize=True)


async def _box(part: Locator) -> FloatRect:
    """Where a part is; the page may draw it anew while it is looked at."""
    while True:
        await part.scroll_into_view_if_needed()
        box = await part.bounding_box()
        if box is not None:
            return box


@asynccontextmanager
async def chromium(program: str) -> AsyncIterator[Browser]:
    """Debian's browser, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--hide-scrollbars", "--font-render-hinting=none"],
        )
        yield browser
        await browser.close()
