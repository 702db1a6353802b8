"""Takes the pictures of docs/slack.md: `make screenshots`.

The real bot works before the stand-in for Slack, people of a made-up team press its buttons, and
Chromium pictures what they see. Needs the development requirements and Debian's chromium.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images" / "slack"
LARGEST_BYTES = 150_000
LARGEST_SUM_BYTES = 3_000_000


def main() -> None:
    """Take all pictures of the guide for support teams."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder of the pictures")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    taken = asyncio.run(_take(_chromium(), out))
    sizes = [path.stat().st_size for path in taken]
    large = [path.name for path in taken if path.stat().st_size > LARGEST_BYTES]
    print(f"{len(taken)} pictures, {sum(sizes) / 1e6:.2f} MB in all.")
    if large or sum(sizes) > LARGEST_SUM_BYTES:
        sys.exit(f"Too large: {', '.join(large) or 'all together'}. Crop them more narrowly.")


def _chromium() -> str:
    """Where the browser is; ends with what to install."""
    if find_spec("playwright") is None:
        sys.exit("Playwright is not installed: run `make screenshots`, which installs it.")
    program = shutil.which("chromium")
    if program is None:
        sys.exit("Chromium is not installed: on Debian, `apt-get install chromium`.")
    return program


async def _take(program: str, out: Path) -> list[Path]:
    from deploy.demo.pictures.camera import Camera, chromium
    from deploy.demo.pictures.day import DAY
    from deploy.demo.pictures.office import open_office
    from deploy.demo.pictures.scene import Scene

    with tempfile.TemporaryDirectory(prefix="understudy-pictures-") as home:
        async with open_office(Path(home)) as office, chromium(program) as browser:
            camera = Camera(browser, office.slack_url, out)
            scene = Scene(office, camera)
            for part in DAY:
                print(f"▸ {(part.__doc__ or '').splitlines()[0]}", flush=True)
                await part(scene)
            return camera.taken


if __name__ == "__main__":
    main()
