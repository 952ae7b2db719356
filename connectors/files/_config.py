"""Where the files are, how each entity's files are written, and what becomes of them afterwards."""

from __future__ import annotations

import string
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from landbridge.connector import Config
from landbridge.net import SftpAddress
from landbridge.secrets import Secret
from landbridge.strict import csv

OWN, DONE, FAILED = ".landbridge", "done", "failed"
"""Folders that we make: our journal beside what is written, and where files go that were read or are broken."""


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"'{name}' is no time zone; write one such as Europe/Berlin or UTC")
    return name


def _folder(path: str) -> str:
    parts = path.split("/")
    if path and (path.startswith("/") or any(p in ("", ".", "..") or p.startswith(".") for p in parts)):
        raise ValueError("is a folder below the system's own, such as in/customers")
    return path


def _plain(name: str) -> str:
    if not name or "/" in name or "\\" in name or name.startswith("."):
        raise ValueError("is a plain file name, without folders, that does not begin with a dot")
    return name


def _encoding(name: str) -> str:
    try:
        csv.codec_of(name)
    except LookupError:
        raise ValueError(f"'{name}' is no encoding; write one such as utf-8, latin-1, cp1252 or gb18030") from None
    return name


def _address(url: str) -> str:
    return str(SftpAddress.parse(url))


Zone = Annotated[str, AfterValidator(_zone)]
SubFolder = Annotated[str, AfterValidator(_folder)]
FileName = Annotated[str, AfterValidator(_plain)]
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
Scalar = str | int | bool


class Block(BaseModel):
    """A part of the configuration: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Column(Block):
    """One column: a text unless it says otherwise."""

    name: str = Field(min_length=1)
    type: Literal["text", "number", "date", "datetime"] = "text"
    length: int | None = Field(default=None, ge=1)
    required: bool = False


AnyColumn = Annotated[Column, BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value)]


class Flag(Block):
    """A column that says that a record is deleted."""

    column: str = Field(min_length=1)
    values: tuple[Scalar, ...] = Field(min_length=1)


class Lines(Block):
    """Rows that follow each other with the same key are the lines of one document."""

    columns: Names = Field(min_length=1, description="Columns of a line; all others are of the document.")
    key: str | None = Field(default=None, description="Column of the line's own number.")
    under: str = "lines"
    reference: str | None = Field(default=None, description="Column that carries our line key where we write.")


class Trailer(Block):
    """The last row, which is no record: where it holds how many there are and what columns add up to.

    Places are cells counted from 1; in JSON lines, keys.
    """

    mark: str = Field(min_length=1, description="Text of its first cell; in JSON lines a key that it has.")
    rows: int | str | None = None
    sums: dict[str, int | str] = Field(default_factory=dict)


class WriteTo(Block):
    """How records go out: one file for each batch, under its name only when it is whole."""

    folder: SubFolder = ""
    name: FileName = "{entity}-{key}"
    reference: str = Field(min_length=1, description="Column that carries our own reference.")
    version: str | None = None
    action: str | None = None
    formulas: Literal["keep", "quote"] = "keep"
    marker: FileName | None = None

    @model_validator(mode="after")
    def _names(self) -> Self:
        if "{key}" not in self.name:
            raise ValueError("`name` must hold {key}, by which no two batches have the same name")
        if self.marker is not None and "{name}" not in self.marker:
            raise ValueError("`marker` must hold {name}")
        for text, known in ((self.name, {"entity", "key", "date", "time"}), (self.marker or "", {"name"})):
            if unknown := {part for _, part, _, _ in string.Formatter().parse(text) if part is not None} - known:
                raise ValueError(f"'{{{sorted(unknown)[0]}}}' is not known; there are {', '.join(sorted(known))}")
        return self


class FileEntity(Block):
    """One entity: its files, their form, and what is done with them."""

    folder: SubFolder = ""
    pattern: FileName | None = None
    format: Literal["csv", "excel", "jsonl"] = "csv"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: str = Field(default="", max_length=1)
    header: int = Field(default=1, ge=0, description="Row of the header; 0: there is none.")
    sheet: str | None = None
    columns: tuple[AnyColumn, ...] = ()
    empty: Literal["null", "text"] = "null"
    key: Names = ()
    changed: str | None = None
    changed_format: str | None = None
    zone: Zone | None = None
    deleted: Flag | None = None
    lines: Lines | None = None
    trailer: Trailer | None = None
    snapshot: bool = False
    order: Literal["time", "name"] = "time"
    quiet: float = Field(default=5.0, ge=0, le=300)
    marker: FileName | None = None
    afterwards: Literal["keep", "move", "delete"] = "keep"
    broken: Literal["set_aside", "keep"] = "set_aside"
    repeat: Literal["skip", "take"] = "skip"
    write: WriteTo | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.pattern is None and self.write is None:
            raise ValueError("give a `pattern` to read, or `write`, or both")
        if self.pattern is not None and not self.key:
            raise ValueError("`key` is needed where files are read: the column or columns that name a record")
        if self.pattern is not None and self.write is not None and self.folder == self.write.folder:
            raise ValueError("`write.folder` must not be the folder that is read: we would read what we wrote")
        if self.header == 0 and self.format != "jsonl" and not self.columns:
            raise ValueError("`columns` are needed where there is no header")
        if self.write is not None and self.format != "jsonl" and not self.columns:
            raise ValueError("`columns` are needed where tables are written: their order is the consumer's contract")
        if self.snapshot and self.broken == "keep":
            raise ValueError("a broken snapshot is set aside; it cannot be kept")
        if self.marker is not None and not {"{name}", "{stem}"} & {f"{{{p}}}" for p in _places(self.marker)}:
            raise ValueError("`marker` must hold {name} or {stem}")
        if self.delimiter == self.quote or (self.thousands and self.thousands == self.decimal):
            raise ValueError("two signs with different meanings are the same")
        return self

    def zone_info(self) -> ZoneInfo | None:
        """The zone of stamps without one; None where it was not said."""
        return ZoneInfo(self.zone) if self.zone else None


def _places(text: str) -> list[str]:
    return [part for _, part, _, _ in string.Formatter().parse(text) if part is not None]


class FilesConfig(Config):
    """Where the files are: a folder of this machine, or one of an SFTP server."""

    speaks_http: ClassVar[bool] = False

    folder: str | None = Field(
        default=None,
        description="Folder that everything happens below; either this or `url`.",
        examples=["/srv/exchange/erp"],
        json_schema_extra={"environment": True},
    )
    url: Annotated[str, AfterValidator(_address)] | None = Field(
        default=None,
        description="`sftp://host:port/folder`; a path from the server's root.",
        examples=["sftp://files.acme.example/exchange"],
        json_schema_extra={"environment": True},
    )
    user: str | None = Field(default=None, description="Who we are on the SFTP server.", examples=["landbridge"])
    password: Secret | None = Field(default=None, description="Its password.", examples=["env:SFTP_PASSWORD"])
    private_key: Secret | None = Field(
        default=None, description="Its private key, instead of a password.", examples=["file:/run/secrets/sftp_key"]
    )
    passphrase: Secret | None = Field(
        default=None, description="Passphrase of the private key.", examples=["env:SFTP_PASSPHRASE"]
    )
    host_key: Names = Field(
        default=(),
        description="The server's pinned key or keys, `ssh-ed25519 AAAA…` or `SHA256:…`; no other is talked to.",
        examples=["SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"],
        json_schema_extra={"environment": True},
    )
    entities: dict[str, FileEntity] = Field(
        min_length=1,
        description="Each canonical entity with its files; see below.",
        examples=[{"customer": {"folder": "in", "pattern": "customers_*.csv", "key": "number"}}],
    )
    page_size: int = Field(default=2000, ge=1, le=50_000, description="Records per page.", examples=[2000])
    batch: int = Field(
        default=1000, ge=1, le=50_000, description="Most records in one file that we write.", examples=[500]
    )
    max_file: int = Field(
        default=4 * 1024**3, ge=1024, description="Longest file in bytes that is read.", examples=[4294967296]
    )
    remember: int = Field(
        default=30, ge=1, le=3650, description="Days for which what was written is remembered.", examples=[30]
    )
    settle: int = Field(
        default=120, ge=1, description="Seconds after which a rename has happened or never will.", examples=[120]
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.folder is None) == (self.url is None):
            raise ValueError("give either `folder` or `url`")
        if self.url is not None and (not self.user or not self.host_key):
            raise ValueError("an SFTP server needs `user` and `host_key`")
        if self.url is not None and (self.password is None) == (self.private_key is None):
            raise ValueError("an SFTP server needs either `password` or `private_key`")
        return self

    @model_validator(mode="after")
    def _own_files(self) -> Self:
        """A file that two entities read must stay: the one would take it away before the other has read it."""
        for (one, a), (other, b) in combinations(self.entities.items(), 2):
            if a.afterwards == b.afterwards == "keep" or a.folder != b.folder:
                continue
            if a.pattern is not None and b.pattern is not None and _meet(a.pattern, b.pattern):
                text = f"{one} and {other} read the same files: say `afterwards: keep` of both, or other patterns"
                raise ValueError(text)
        return self


def _meet(one: str, other: str) -> bool:
    """Whether a file name may fit both patterns, as far as two samples of each can tell."""
    samples = [(text.replace("*", filled).replace("?", "x"), against) for filled in ("", "x") for text, against in (
        (one, other), (other, one)
    )]  # fmt: skip
    return one == other or any(fnmatchcase(name, against) for name, against in samples)
