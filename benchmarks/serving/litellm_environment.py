"""Sets up `.venv-bench` for LiteLLM, whose pins would clash with ours. Quick where it is there.

Usage: python -m benchmarks.serving.litellm_environment
"""

import hashlib
import os
import re
import subprocess
import sys
import venv

from benchmarks.serving.servers import LITELLM_ENVIRONMENT, ROOT

_LIST = ROOT / "requirements" / "bench.txt"
_STAMP = LITELLM_ENVIRONMENT / ".installed"
_PYTHON = LITELLM_ENVIRONMENT / "bin" / "python"


def set_up() -> None:
    """Install what requirements/bench.txt names, unless it is installed already."""
    wanted = hashlib.sha256(_LIST.read_bytes()).hexdigest()
    if _STAMP.exists() and _STAMP.read_text() == wanted:
        return
    total = sum(line[:1] not in ("", "#") for line in _LIST.read_text().splitlines())
    print(f"▸ Setting up {LITELLM_ENVIRONMENT.name} for LiteLLM: {total} packages (a minute)")
    venv.create(LITELLM_ENVIRONMENT, with_pip=True, clear=True)
    _install(total)
    print("  Compiling")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    compiling = [str(_PYTHON), "-m", "compileall", "-q", "-j", "0", str(LITELLM_ENVIRONMENT)]
    subprocess.run(compiling, env=environment, check=False, capture_output=True)
    _STAMP.write_text(wanted)


def _install(total: int) -> None:
    command = [str(_PYTHON), "-m", "pip", "install", "--no-deps", "--progress-bar", "off",
               "-r", str(_LIST)]  # fmt: skip
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert pip.stdout is not None
    seen, printed = 0, list[str]()
    for line in pip.stdout:
        printed.append(line)
        if re.match(r"(Collecting|Processing|Requirement already)", line):
            seen += 1
            if seen % 20 == 0:
                print(f"  {seen}/{total}", flush=True)
        elif line.startswith("Installing collected"):
            print("  All fetched; writing them", flush=True)
    if pip.wait() != 0:
        sys.exit("".join([*printed[-20:], f"pip could not install {_LIST.name} (see above)."]))


if __name__ == "__main__":
    set_up()
