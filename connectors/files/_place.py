"""Where files lie: the few things that are done with them, in a folder of this machine or on an SFTP server."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from landbridge import seam
from landbridge.errors import Denied, OutcomeUnknown, Unavailable
from landbridge.net import RemoteFile, Sftp

_CHUNK = 1 << 20
_AGAIN = "Tried again by itself; look whether the disk is there and has room."


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as a listing tells it; `mtime` in nanoseconds, `kind` is `file`, `folder` or `other` (a link)."""

    name: str
    size: int
    mtime: int
    kind: str = "file"


class Place(Protocol):
    """Files by (folder, name); folders are relative. A missing file is FileNotFoundError, a missing folder Denied."""

    where: str

    def list(self, folder: str) -> list[Entry]: ...

    def look(self, folder: str, name: str) -> Entry | None: ...

    def fetch(self, folder: str, name: str, into: Callable[[bytes], Any]) -> int: ...

    def read(self, folder: str, name: str) -> bytes: ...

    def write(self, folder: str, name: str, content: bytes) -> None: ...

    def rename(self, folder: str, name: str, to: str, new: str, *, effect: bool = False) -> None: ...

    def remove(self, folder: str, name: str) -> None: ...

    def make(self, folder: str) -> None: ...

    def close(self) -> None: ...


class Local:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, system: str, root: str) -> None:
        self._system = system
        self._root = Path(root)
        self.where = root

    def list(self, folder: str) -> list[Entry]:
        """What a folder holds, in no order."""
        with self._told(f"list {folder or '.'}", folder=True), os.scandir(self._path(folder)) as found:
            entries = []
            for each in found:
                with suppress(FileNotFoundError):  # gone between listing and looking
                    entries.append(_entry(each.name, each.stat(follow_symlinks=False)))
            return entries

    def look(self, folder: str, name: str) -> Entry | None:
        """One entry as it is now."""
        try:
            with self._told(f"look at {folder}/{name}"):
                return _entry(name, os.lstat(self._path(folder, name)))
        except FileNotFoundError:
            return None

    def fetch(self, folder: str, name: str, into: Callable[[bytes], Any]) -> int:
        """Read a whole file piece by piece; a link is never followed."""
        size = 0
        with self._told(f"read {folder}/{name}"):
            handle = os.open(self._path(folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - of a handle that was opened with care
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise FileNotFoundError(errno.ENOENT, "is no plain file")
                while chunk := file.read(_CHUNK):
                    into(chunk)
                    size += len(chunk)
        return size

    def read(self, folder: str, name: str) -> bytes:
        """A small file, whole."""
        chunks: list[bytes] = []
        self.fetch(folder, name, chunks.append)
        return b"".join(chunks)

    def write(self, folder: str, name: str, content: bytes) -> None:
        """Write a file and have it on the disk."""
        with self._told(f"write {folder}/{name}"):
            path = self._path(folder, name)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(path, flags, 0o664), "wb") as file:  # noqa: PTH123 - as above
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

    def rename(self, folder: str, name: str, to: str, new: str, *, effect: bool = False) -> None:
        """Rename in one step, and have that on the disk."""
        what = f"rename {folder}/{name} to {to}/{new}"
        if effect:
            seam.step("send", f"{self._system}: {what}")
        with self._told(what, effect=effect):
            self._path(folder, name).rename(self._path(to, new))
            self._to_disk(to)
        if effect:
            seam.step("receive", f"{self._system}: {what}")

    def remove(self, folder: str, name: str) -> None:
        """Delete a file."""
        with self._told(f"remove {folder}/{name}"):
            self._path(folder, name).unlink()

    def make(self, folder: str) -> None:
        """Make a folder inside of one that is there."""
        with self._told(f"make folder {folder}", folder=True):
            self._path(folder).mkdir(exist_ok=True)

    def close(self) -> None:
        """Nothing is held open."""

    def _to_disk(self, folder: str) -> None:
        handle = os.open(self._path(folder), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _path(self, folder: str, name: str = "") -> Path:
        inside = self._root / folder
        if folder and not inside.resolve().is_relative_to(self._root.resolve()):
            hint = "Folders below it must not be links that lead out of it."
            raise Denied(f"{self._system}: {folder} leads out of {self._root}.", hint=hint, sent=False)
        return inside / name if name else inside

    @contextmanager
    def _told(self, what: str, *, folder: bool = False, effect: bool = False) -> Iterator[None]:
        said = f"{self._system}: {what}"
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else type(error).__name__
            if error.errno in (errno.ENOENT, errno.ENOTDIR) and not folder:
                raise FileNotFoundError(error.errno, said) from None
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                hint = f"Make the folder below {self._root}, or correct `folder`."
                raise Denied(f"{said}: the folder is not there.", hint=hint, sent=False) from None
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                hint = "Give the user that runs us the right; `landbridge check --live` tries them."
                raise Denied(f"{said}: {reason}.", hint=hint, status="permission denied") from None
            if error.errno == errno.ELOOP:
                raise FileNotFoundError(error.errno, f"{said}: it is a link") from None
            if effect:
                hint = "Looked up by our reference after the settle time."
                raise OutcomeUnknown(f"{said}: {reason}; it may or may not have happened.", hint=hint) from None
            raise Unavailable(f"{said}: {reason}.", hint=_AGAIN, sent=False) from None


def _entry(name: str, found: os.stat_result) -> Entry:
    kind = "file" if stat.S_ISREG(found.st_mode) else "folder" if stat.S_ISDIR(found.st_mode) else "other"
    return Entry(name, found.st_size, found.st_mtime_ns, kind)


class Remote:
    """A folder of an SFTP server."""

    def __init__(self, system: str, sftp: Sftp) -> None:
        self._system = system
        self._sftp = sftp
        self.where = str(sftp.address)

    def list(self, folder: str) -> list[Entry]:
        """What a folder holds, in no order."""
        with self._there(folder):
            return [_remote(each) for each in self._sftp.list(self._path(folder)) if each.name not in (".", "..")]

    def look(self, folder: str, name: str) -> Entry | None:
        """One entry as it is now."""
        found = self._sftp.look(self._path(folder, name))
        return None if found is None else _remote(found)

    def fetch(self, folder: str, name: str, into: Callable[[bytes], Any]) -> int:
        """Read a whole file piece by piece."""
        return self._sftp.fetch(self._path(folder, name), into)

    def read(self, folder: str, name: str) -> bytes:
        """A small file, whole."""
        return self._sftp.read(self._path(folder, name))

    def write(self, folder: str, name: str, content: bytes) -> None:
        """Write a file and have it on the server's disk where it offers that."""
        with self._there(folder):
            self._sftp.write(self._path(folder, name), content)

    def rename(self, folder: str, name: str, to: str, new: str, *, effect: bool = False) -> None:
        """Rename in one step."""
        self._sftp.rename(self._path(folder, name), self._path(to, new), effect=effect)

    def remove(self, folder: str, name: str) -> None:
        """Delete a file."""
        self._sftp.remove(self._path(folder, name))

    def make(self, folder: str) -> None:
        """Make a folder inside of one that is there."""
        with self._there(folder):
            self._sftp.make_folder(self._path(folder))

    def close(self) -> None:
        """Close the line."""
        self._sftp.close()

    def _path(self, folder: str, name: str = "") -> str:
        base = self._sftp.address.path.rstrip("/")
        return base + "".join(f"/{part}" for part in (folder, name) if part) or "/"

    @contextmanager
    def _there(self, folder: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            hint = f"Make the folder below {self._sftp.address}, or correct `folder`."
            raise Denied(f"{self._system}: {folder or '.'}: the folder is not there.", hint=hint, sent=False) from None


def _remote(found: RemoteFile) -> Entry:
    return Entry(found.name, found.size, found.mtime * 1_000_000_000, found.kind)
