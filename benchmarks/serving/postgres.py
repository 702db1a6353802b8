"""A throw-away PostgreSQL, durable as it comes out of the box, for the gateway to record in."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.serving.servers import ON_DISK, free_port


def _programs() -> Path:
    """The folder of PostgreSQL's server programs: the newest of Debian's, else the PATH's."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if debian:
        return debian[-1]
    found = shutil.which("initdb")
    if found is None:
        raise SystemExit("PostgreSQL's server programs are missing (Debian: postgresql).")
    return Path(found).resolve().parent


@contextmanager
def cluster() -> Iterator[str]:
    """Start one on loopback; gives the URL of its `postgres` database."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="understudy-postgres-", dir=ON_DISK))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "-U", "postgres", "-A", "trust")
    options = f"-h 127.0.0.1 -p {port} -k {folder}"
    run("pg_ctl", "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-m", "fast", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def new_database(url: str, name: str) -> str:
    """Make an empty database in a cluster; its URL."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{url.rpartition('/')[0]}/{name}"
