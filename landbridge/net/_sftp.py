"""Files on one SFTP server: its key is pinned, nothing of the machine's own SSH set-up is asked, errors are ours."""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import io
import stat
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import unquote, urlsplit

from landbridge import seam
from landbridge.errors import Denied, Failure, OutcomeUnknown, Unavailable
from landbridge.net._address import ForbiddenAddress, resolve
from landbridge.net._settings import NetSettings
from landbridge.secrets import Secret, scrub

if TYPE_CHECKING:
    import socket

    from paramiko import PKey, SFTPClient, Transport

T = TypeVar("T")
_CHUNK = 1 << 18
_AGAIN = "Tried again by itself; look whether the server is up."
_LOOK_UP = "Looked up by our reference after the settle time."


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """Where an SFTP server is, and the folder on it that everything happens in."""

    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> SftpAddress:
        """Of `sftp://host[:port]/path`; ValueError for anything doubtful."""
        if any(ch <= " " or ch == "\\" or ch == "\x7f" for ch in url):
            raise ValueError("holds a space, a control character or a backslash; write %20 for a space")
        parts = urlsplit(url)
        if parts.scheme != "sftp":
            raise ValueError("must begin with sftp://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold a user or password; those are settings of their own")
        if not parts.hostname or parts.query or parts.fragment:
            raise ValueError("has no host, or has a query or fragment")
        path = unquote(parts.path).rstrip("/") or "/"
        if ".." in path.split("/"):
            raise ValueError("must not hold '..'")
        return cls(parts.hostname, parts.port or 22, path)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sftp://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class SftpLogin:
    """Who we are there, and the keys by which the server is known: `ssh-ed25519 AAAA…` or `SHA256:…`."""

    user: str
    host_keys: Sequence[str]
    password: Secret | None = None
    private_key: Secret | None = None
    passphrase: Secret | None = None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One entry of a folder; `kind` is `file`, `folder` or `other` (a link is `other`: it is never followed)."""

    name: str
    size: int
    mtime: int
    kind: str


class Sftp:
    """One server; safe to share between threads: one request at a time. The line is opened when first asked for.

    What only reads is tried once more on a new line if the old one was cut. A missing file is FileNotFoundError.
    """

    def __init__(
        self, system: str, address: SftpAddress, login: SftpLogin, settings: NetSettings, admit: Callable[[], None]
    ) -> None:
        self.system = system
        self.address = address
        self._login = login
        self._settings = settings
        self._admit = admit
        self._lock = threading.RLock()
        self._client: SFTPClient | None = None
        self._transport: Transport | None = None

    def __repr__(self) -> str:
        return f"<Sftp {self.system} {self.address}>"

    # -- requests ------------------------------------------------------------------------------------------------------

    def list(self, path: str) -> list[RemoteFile]:
        """What a folder holds, in no order."""
        found = self._safe(f"list {path}", lambda client: client.listdir_attr(path))
        return [_entry(each) for each in found]

    def look(self, path: str) -> RemoteFile | None:
        """One entry as it is now; None if it is not there."""
        try:
            return _entry(self._safe(f"look at {path}", lambda client: client.lstat(path)), path.rpartition("/")[2])
        except FileNotFoundError:
            return None

    def fetch(self, path: str, into: Callable[[bytes], Any]) -> int:
        """Read a whole file piece by piece; the bytes that came. Not repeated: pieces have gone out already."""

        def read(client: SFTPClient) -> int:
            size = 0
            expected = client.stat(path).st_size or 0
            with client.open(path, "rb") as file:
                if expected > _CHUNK:
                    file.prefetch(expected, max_concurrent_requests=32)
                while chunk := file.read(_CHUNK):
                    into(chunk)
                    size += len(chunk)
            return size

        return self._ask(f"read {path}", read)

    def read(self, path: str) -> bytes:
        """A small file, whole; no longer than `net.max_reply`."""
        limit = self._settings.max_reply

        def read(client: SFTPClient) -> bytes:
            with client.open(path, "rb") as file:
                return file.read(limit + 1)

        content = self._safe(f"read {path}", read)
        if len(content) > limit:
            raise Unavailable(f"{self.system}: {path} is longer than {limit:,} bytes (`net.max_reply`).", hint=_AGAIN)
        return content

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Write a whole file and have the server put it on its disk where it offers that; replaces what stands there.

        Nothing counts yet for whoever reads the folder if `path` is a temporary name: what fails is Unavailable.
        """

        def write(client: SFTPClient) -> None:
            source = io.BytesIO(content) if isinstance(content, bytes) else content
            source.seek(0)
            with client.open(path, "wb") as file:
                file.set_pipelined(True)
                size = 0
                while chunk := source.read(_CHUNK):
                    file.write(chunk)
                    size += len(chunk)
                file.set_pipelined(False)
                _flushed(client, file)
            came = client.stat(path).st_size
            if came != size:
                raise OSError(f"{came} of {size} bytes arrived")

        self._ask(f"write {path}", write)

    def rename(self, old: str, new: str, *, effect: bool = False) -> None:
        """Rename, replacing what stands there where the server can; `effect`: a lost answer is OutcomeUnknown."""

        def rename(client: SFTPClient) -> None:
            try:
                client.posix_rename(old, new)
            except OSError as error:
                if error.errno is not None or "nsupported" not in str(error):
                    raise
                client.rename(old, new)

        what = f"rename {old} to {new}"
        if effect:
            seam.step("send", f"{self.system}: {what}")
        self._ask(what, rename, effect=effect)
        if effect:
            seam.step("receive", f"{self.system}: {what}")

    def remove(self, path: str) -> None:
        """Delete a file."""
        self._ask(f"remove {path}", lambda client: client.remove(path))

    def make_folder(self, path: str) -> None:
        """Make a folder; nothing happens if it is there."""
        found = self.look(path)
        if found is None:
            self._ask(f"make folder {path}", lambda client: client.mkdir(path, 0o750))

    def close(self) -> None:
        """Close the line; the next request opens a new one."""
        with self._lock:
            client, transport = self._client, self._transport
            self._client = self._transport = None
            for each in (client, transport):
                if each is not None:
                    with suppress(Exception):
                        each.close()
            if transport is not None:
                transport.join(1)

    # -- the line ------------------------------------------------------------------------------------------------------

    def _safe(self, what: str, act: Callable[[SFTPClient], T]) -> T:
        """A request that does no harm when it is sent twice."""
        with self._lock:
            old = self._client
            try:
                return self._ask(what, act)
            except Unavailable:
                if old is None or self._client is not None:
                    raise  # the line was new, or the server itself said no
                return self._ask(what, act)

    def _ask(self, what: str, act: Callable[[SFTPClient], T], *, effect: bool = False) -> T:
        said = f"{self.system}: {what}"
        with self._lock:
            client = self._connected(said)
            self._admit()
            try:
                return act(client)
            except OSError as error:
                if not isinstance(error, TimeoutError | ConnectionError) and "closed" not in str(error):
                    raise self._refused(error, said, effect=effect) from None
                self.close()
                raise _lost(error, said, effect=effect) from None
            except _line_errors() as error:
                self.close()
                raise _lost(error, said, effect=effect) from None
            except BaseException:
                self.close()  # a crash of ours in the middle of an answer: the line is of no use any more
                raise

    def _refused(self, error: OSError, said: str, *, effect: bool) -> Exception:
        if error.errno == errno.ENOENT:
            return FileNotFoundError(errno.ENOENT, said)
        if error.errno == errno.EACCES:
            hint = f"Give {self._login.user} the right on the server; `landbridge check --live` tries them."
            return Denied(f"{said}: the server does not allow it.", hint=hint, status="permission denied")
        text = scrub(str(error))[:200]
        if effect:
            return OutcomeUnknown(f"{said}: the server says: {text}", hint=_LOOK_UP, status="failure")
        return Unavailable(f"{said}: the server says: {text}", hint=_AGAIN, status="failure")

    def _connected(self, said: str) -> SFTPClient:
        if self._client is not None and self._transport is not None and self._transport.is_active():
            return self._client
        self.close()
        try:
            from paramiko import SFTPClient, Transport
        except ImportError:
            hint = "Install it: pip install 'landbridge[sftp]'."
            raise Denied(f"{self.system}: the package paramiko is missing.", hint=hint, sent=False) from None
        self._admit()
        line = self._opened(said)
        transport: Any = None
        try:
            transport = Transport(line)
            transport.banner_timeout = transport.auth_timeout = self._settings.connect
            self._greet(transport, said)
            client = SFTPClient.from_transport(transport)
            if client is None:
                raise Unavailable(f"{said}: the server offers no SFTP.", hint=_AGAIN, sent=False)
            channel = client.get_channel()
            assert channel is not None
            channel.settimeout(self._settings.read)
        except BaseException as error:
            line.close() if transport is None else transport.close()
            if isinstance(error, Failure) or not isinstance(error, (*_line_errors(), OSError)):
                raise
            message = f"{said}: no connection ({type(error).__name__})."
            raise Unavailable(message, hint=_AGAIN, sent=False) from None
        self._client, self._transport = client, transport
        return client

    def _opened(self, said: str) -> socket.socket:
        import socket

        try:
            addresses = resolve(self.address.host, self.address.port)
        except ForbiddenAddress as error:
            raise Denied(f"{said}: {error}.", hint="Look at the name server and at `url`.", sent=False) from None
        except OSError:
            message = f"{said}: the name {self.address.host} is not known."
            raise Unavailable(message, hint="Look at `url` and at the name server.", sent=False) from None
        for address in addresses:
            with suppress(OSError):
                return socket.create_connection((address, self.address.port), timeout=self._settings.connect)
        raise Unavailable(f"{said}: no connection.", hint=_AGAIN, sent=False)

    def _greet(self, transport: Transport, said: str) -> None:
        """Shake hands, hold the server to its pinned key before anything is told, then log in."""
        from paramiko import AuthenticationException

        kinds = [each.split()[0] for each in self._login.host_keys if " " in each]
        if kinds and len(kinds) == len(self._login.host_keys):
            options = transport.get_security_options()
            options.key_types = [k for k in options.key_types if k in kinds or ("ssh-rsa" in kinds and "rsa" in k)]
        transport.start_client(timeout=self._settings.connect)
        self._hold_to_key(transport.get_remote_server_key(), said)
        try:
            key = self._private_key(said)
            if key is not None:
                left = transport.auth_publickey(self._login.user, key)
            elif self._login.password is not None:
                left = transport.auth_password(self._login.user, self._login.password.reveal(), fallback=False)
            else:
                left = transport.auth_none(self._login.user)
        except AuthenticationException:
            hint = "Look at `user`, and at the password or the private key."
            raise Denied(f"{said}: the server does not let {self._login.user} in.", hint=hint, sent=False) from None
        if left:
            hint = "Use a login that needs one step only; a second factor cannot be given."
            raise Denied(f"{said}: the server asks for {', '.join(left)} as well.", hint=hint, sent=False)

    def _hold_to_key(self, key: PKey, said: str) -> None:
        plain = f"{key.get_name()} {key.get_base64()}"
        print_ = "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
        for pinned in self._login.host_keys:
            known = " ".join(pinned.split()[:2]).rstrip("=") if pinned.startswith("SHA256:") else pinned
            offered = print_ if pinned.startswith("SHA256:") else plain
            if hmac.compare_digest(" ".join(known.split()[:2]).encode(), offered.encode()):
                return
        hint = (
            "Nothing was told to it. If the server really has a new key, have its administrator confirm it and pin it."
        )
        raise Denied(f"{said}: the server shows the key {print_}, which is not the pinned one.", hint=hint, sent=False)

    def _private_key(self, said: str) -> PKey | None:
        if self._login.private_key is None:
            return None
        from paramiko import ECDSAKey, Ed25519Key, RSAKey, SSHException

        text = self._login.private_key.reveal()
        phrase = self._login.passphrase.reveal() if self._login.passphrase is not None else None
        for kind in (Ed25519Key, ECDSAKey, RSAKey):
            with suppress(SSHException, ValueError, IndexError, TypeError):
                return kind.from_private_key(io.StringIO(text + "\n"), phrase)
        hint = "Give an Ed25519, ECDSA or RSA key in PEM or OpenSSH form, and its passphrase."
        raise Denied(f"{said}: the private key cannot be read.", hint=hint, sent=False)


def _line_errors() -> tuple[type[Exception], ...]:
    from paramiko import SFTPError, SSHException

    return (SSHException, SFTPError, EOFError)


def _lost(error: Exception, said: str, *, effect: bool) -> Failure:
    happened = "no answer in time" if isinstance(error, TimeoutError) else "the line was cut"
    if effect:
        return OutcomeUnknown(f"{said}: {happened}; it may or may not have had its effect.", hint=_LOOK_UP)
    return Unavailable(f"{said}: {happened}.", hint=_AGAIN)


def _flushed(client: SFTPClient, file: Any) -> None:
    """fsync@openssh.com, which paramiko has no name for; servers without it say so, and that is taken."""
    from paramiko.sftp import CMD_EXTENDED

    file.flush()
    try:
        client._request(CMD_EXTENDED, "fsync@openssh.com", file.handle)  # type: ignore[attr-defined]  # as posix_rename does it
    except OSError as error:
        if isinstance(error, TimeoutError | ConnectionError) or "closed" in str(error):
            raise


def _entry(found: Any, name: str = "") -> RemoteFile:
    mode = found.st_mode or 0
    kind = "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"
    return RemoteFile(name or found.filename, found.st_size or 0, found.st_mtime or 0, kind)
