"""An SFTP server on loopback over a folder: paramiko's own, with faults on request in front of each operation."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
from paramiko import sftp

STATUS = {"permission": sftp.SFTP_PERMISSION_DENIED, "failure": sftp.SFTP_FAILURE, "missing": sftp.SFTP_NO_SUCH_FILE}


@dataclass
class Fault:
    """What happens to the next `times` operations of these names (on paths that hold `about`)."""

    operations: tuple[str, ...]
    act: str
    times: int | None = 1
    about: str = ""
    after: Callable[[Callable[[], Any]], None] | None = None


@dataclass
class State:
    """What the server and its sessions share."""

    root: Path
    users: dict[str, str]
    keys: dict[str, paramiko.PKey] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    transports: list[paramiko.Transport] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    read_only: set[str] = field(default_factory=set)
    posix_rename: bool = True
    refuse_login: int = 0

    def fault(self, operation: str, path: str) -> Fault | None:
        """The fault that is due; each is used up by its times."""
        for fault in self.faults:
            if operation in fault.operations and fault.about in path and (fault.times is None or fault.times > 0):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


class Login(paramiko.ServerInterface):
    """Passwords and public keys of the state's users."""

    def __init__(self, state: State) -> None:
        self.state = state

    def check_auth_password(self, username: str, password: str) -> int:
        if self.state.refuse_login:
            self.state.refuse_login -= 1
            return paramiko.AUTH_FAILED
        known = self.state.users.get(username) == password
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if self.state.keys.get(username) == key else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class Handle(paramiko.SFTPHandle):
    """An open file whose reads may fail."""

    server: Folder
    path: str

    def read(self, offset: int, length: int) -> Any:
        return self.server.guarded("read", self.path, lambda: super(Handle, self).read(offset, length))


class Folder(paramiko.SFTPServerInterface):
    """The files below the state's root."""

    def __init__(self, server: Login, *args: Any, **words: Any) -> None:
        super().__init__(server, *args, **words)
        self.state = server.state

    def _real(self, path: str) -> Path:
        return self.state.root / path.lstrip("/")

    def guarded(self, operation: str, path: str, act: Callable[[], Any]) -> Any:
        """Act, or what the fault makes of it."""
        self.state.seen.append(f"{operation} {path}")
        fault = self.state.fault(operation, path)
        if fault is None:
            return self._acted(act)
        if fault.act in STATUS:
            return STATUS[fault.act]
        if fault.act == "later":
            assert fault.after is not None
            fault.after(lambda: self._acted(act))
            return self._cut()
        if fault.act in ("drop_after", "garbage_after"):
            self._acted(act)
        if fault.act == "hang":
            threading.Event().wait(1.5)
            return self._cut()
        return self._garbage() if fault.act.startswith("garbage") else self._cut()

    def _acted(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 5)

    def _cut(self) -> int:
        for transport in self.state.transports:
            transport.close()
        return int(sftp.SFTP_FAILURE)

    def _garbage(self) -> int:
        for transport in self.state.transports:
            for channel in list(transport._channels.values()):  # type: ignore[attr-defined]  # no other way to its wire
                channel.send(b"<html>an error page of some proxy</html>")
        return int(sftp.SFTP_FAILURE)

    def list_folder(self, path: str) -> Any:
        def act() -> list[paramiko.SFTPAttributes]:
            return [
                paramiko.SFTPAttributes.from_stat(each.stat(follow_symlinks=False), each.name)
                for each in os.scandir(self._real(path))
            ]

        return self.guarded("list", path, act)

    def stat(self, path: str) -> Any:
        return self.guarded("stat", path, lambda: paramiko.SFTPAttributes.from_stat(self._real(path).stat()))

    def lstat(self, path: str) -> Any:
        return self.guarded("stat", path, lambda: paramiko.SFTPAttributes.from_stat(os.lstat(self._real(path))))

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> Any:
        writes = flags & (os.O_WRONLY | os.O_RDWR)
        if writes and any(path.strip("/").startswith(folder) for folder in self.state.read_only):
            return sftp.SFTP_PERMISSION_DENIED

        def act() -> Handle:
            mode = "rb" if not writes else "r+b" if flags & os.O_RDWR else "wb"
            file = os.fdopen(os.open(self._real(path), flags, 0o664), mode)
            handle = Handle(flags)
            handle.server, handle.path = self, path
            handle.readfile = handle.writefile = file  # type: ignore[attr-defined]  # paramiko's own names
            return handle

        return self.guarded("write" if writes else "open", path, act)

    def remove(self, path: str) -> Any:
        return self.guarded("remove", path, lambda: self._real(path).unlink() or sftp.SFTP_OK)

    def _rename(self, old: str, new: str, *, replace: bool) -> Any:
        def act() -> int:
            if not replace and self._real(new).exists():
                return int(sftp.SFTP_FAILURE)
            self._real(old).rename(self._real(new))
            return int(sftp.SFTP_OK)

        return self.guarded("publish" if "/.landbridge/" not in new and old.endswith(".part") else "rename", new, act)

    def rename(self, oldpath: str, newpath: str) -> Any:
        return self._rename(oldpath, newpath, replace=False)

    def posix_rename(self, oldpath: str, newpath: str) -> Any:
        if not self.state.posix_rename:
            return sftp.SFTP_OP_UNSUPPORTED
        return self._rename(oldpath, newpath, replace=True)

    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> Any:
        return self.guarded("mkdir", path, lambda: self._real(path).mkdir() or sftp.SFTP_OK)


class SftpServer:
    """Serves a folder on a free port of this machine until `close`."""

    def __init__(self, root: Path, users: dict[str, str]) -> None:
        self.state = State(root, users)
        self.key = paramiko.ECDSAKey.generate()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # cut lines are what the tests ask for
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def host_key(self) -> str:
        """The server's key as a configuration pins it."""
        return f"{self.key.get_name()} {self.key.get_base64()}"

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(line)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Folder)
            self.state.transports.append(transport)
            try:
                transport.start_server(server=Login(self.state))
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()

    def cut(self) -> None:
        """End every session."""
        for transport in self.state.transports:
            transport.close()
        for transport in self.state.transports:
            transport.join(2)
        self.state.transports.clear()

    def close(self) -> None:
        """Stop serving."""
        with suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join(2)
