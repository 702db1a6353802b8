"""Set up `.venv` with everything pinned: the CPU build, or the CUDA one where an NVIDIA GPU is.

Runs on a plain Python 3.11+ (standard library only), shows what it does, and does nothing where
nothing has changed. Usage: python3 deploy/install.py [--dev] [--quiet]
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TORCH = "torch==2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
NEWEST_TRIED = (3, 13)


def main() -> None:
    """Install what is missing; a second run takes a moment."""
    dev = "--dev" in sys.argv
    check_python()
    gpu = has_nvidia_gpu()
    lists = [ROOT / "requirements" / ("cuda.txt" if gpu else "cpu.txt")]
    if dev:
        lists.append(ROOT / "requirements" / "dev.txt")
    began = time.monotonic()
    worked = False
    if not has_pip():
        create_environment()
    if not gpu and stamp("torch") != TORCH:
        say("No NVIDIA GPU here: taking the CPU build of torch (about 200 MB)")
        install_cpu_torch()
        write_stamp("torch", TORCH)
        worked = True
    for file in lists:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if stamp(file.stem) != digest:
            install_list(file)
            write_stamp(file.stem, digest)
            worked = True
    pyproject = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp("understudy") != pyproject:
        say("Installing understudy itself")
        pip("install", "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
        write_stamp("understudy", pyproject)
    if worked:
        compile_bytecode()
        say(f"Set up in {time.monotonic() - began:.0f} s")


def has_pip() -> bool:
    """Whether `.venv` is whole: one whose making was interrupted has a Python but no pip."""
    if not PYTHON.exists():
        return False
    command = [str(PYTHON), "-m", "pip", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def create_environment() -> None:
    """Make `.venv` anew, or stop with what is missing for it."""
    say(f"Creating {VENV.name} with Python {sys.version.split()[0]}")
    try:
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    except (subprocess.CalledProcessError, ImportError, OSError) as error:
        sys.exit(
            f"The virtual environment could not be made: {error}. On Debian and Ubuntu, install "
            "the package python3-venv first."
        )


def check_python() -> None:
    """Stop with a sentence where this Python cannot be used."""
    version = sys.version_info[:2]
    if version < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. "
                 "Set PYTHON=/path/to/python3.11 for make.")  # fmt: skip
    if version > NEWEST_TRIED:
        say(f"Python {version[0]}.{version[1]} has not been tried; 3.11 to 3.13 have pinned wheels")


def has_nvidia_gpu() -> bool:
    """Whether nvidia-smi lists a GPU. UNDERSTUDY_ACCELERATOR=cpu or =cuda overrides it."""
    wish = os.environ.get("UNDERSTUDY_ACCELERATOR")
    if wish:
        return wish == "cuda"
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    listing = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    return listing.returncode == 0 and "GPU" in listing.stdout


def install_cpu_torch() -> None:
    """Ask pip for the CPU build; only where it isn't found, name PyTorch's own index."""
    exact = f"{TORCH}+cpu"
    asked = subprocess.run(
        [str(PYTHON), "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", exact],
        capture_output=True, check=False,
    )  # fmt: skip
    where = [] if asked.returncode == 0 else ["--extra-index-url", TORCH_CPU_INDEX]
    pip("install", "--quiet", "--no-deps", *where, exact)


def install_list(file: Path) -> None:
    """Install a pinned list, telling how far it is."""
    packages = [line for line in file.read_text().splitlines() if line and line[0] != "#"]
    say(f"Installing {len(packages)} packages from requirements/{file.name} (a few minutes)")
    command = [str(PYTHON), "-m", "pip", "install", "--no-deps", "--progress-bar", "off",
               "-r", str(file)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    seen, tail = 0, list[str]()
    for line in process.stdout:
        tail = [*tail[-20:], line.rstrip()]
        name = re.match(r"(?:Collecting|Processing|Requirement already satisfied:) (\S+)", line)
        if name:
            seen += 1
            show_progress(f"  {seen}/{len(packages)} {Path(name[1]).name}")
        elif line.startswith("Installing collected"):
            show_progress(f"  {seen}/{len(packages)} fetched; writing them to .venv ...")
    print(flush=True)
    if process.wait() != 0:
        sys.exit("\n".join([*tail, f"pip could not install requirements/{file.name} (see above)."]))


def show_progress(line: str) -> None:
    """One line that is overwritten on a terminal; every tenth package elsewhere."""
    if sys.stdout.isatty():
        print(f"\r\033[K{line}", end="", flush=True)
    elif "0/" in line or "fetched" in line:
        print(line, flush=True)


def compile_bytecode() -> None:
    """Compile once: without byte code the engine takes twice as long at every start."""
    say("Compiling (makes every later start faster)")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [str(PYTHON), "-m", "compileall", "-q", "-j", "0", str(VENV / "lib")],
        env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def pip(*arguments: str) -> None:
    """Run the environment's pip, or stop with its message."""
    command = [str(PYTHON), "-m", "pip", *arguments]
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit(f"pip failed: {' '.join(arguments)}")


def stamp(name: str) -> str | None:
    """What was installed under that name at the last run."""
    path = VENV / f".installed-{name}"
    return path.read_text() if path.exists() else None


def write_stamp(name: str, value: str) -> None:
    """Remember what is installed now."""
    (VENV / f".installed-{name}").write_text(value)


def say(line: str) -> None:
    """One line of what is being done."""
    print(f"▸ {line}", flush=True)


if __name__ == "__main__":
    main()
