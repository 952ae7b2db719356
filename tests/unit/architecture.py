"""The rules of the house as checkers of source text; `test_architecture.py` runs them over the checkout.

A rule takes one `Source` and yields `Fault`s. It judges what is written, not what runs, and so it needs no imports.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

KERNEL = "landbridge"
OURS = ("landbridge", "connectors", "mdm", "dags")
PACKAGES = (*OURS, "sandbox")
EVERYTHING = (*PACKAGES, "benchmarks", "tests")
LONGEST = 450


@dataclass(frozen=True)
class Fault:
    """One breach of a rule; `what` is stable enough to be named in a waiver."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Source:
    """One Python file: its path in the checkout, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def top(self) -> str:
        return PurePosixPath(self.path).parts[0]

    @property
    def part(self) -> str:
        """What the file belongs to inside of its package: `landbridge/store/_inbox.py` is `store`."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return parts[1] if len(parts) > 1 else parts[0]

    def inside(self, *folders: str) -> bool:
        return any(self.path.startswith(f"{folder}/") or self.path == f"{folder}.py" for folder in folders)

    def fault(self, node: ast.AST | int, what: str) -> Fault:
        return Fault(self.path, node if isinstance(node, int) else getattr(node, "lineno", 1), what)

    @cached_property
    def imports(self) -> list[tuple[ast.stmt | ast.expr, str, str]]:
        """(node, module, name) of every import, lazy and typing-only ones included; name is empty for `import x`."""
        found: list[tuple[ast.stmt | ast.expr, str, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node, alias.name, "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found += [(node, "." * node.level + (node.module or ""), alias.name) for alias in node.names]
            elif isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] in ("import_module", "__import__"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.append((node, first.value, ""))
        return found

    @cached_property
    def bound(self) -> dict[str, str]:
        """What a name of this file stands for, by its imports: `sql` → `sqlalchemy.text`."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names |= {
                    a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
                }
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        return names

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call with the full dotted name of what is called, as far as the imports tell it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                first, _, rest = _dotted(node.func).partition(".")
                yield node, ".".join(filter(None, (self.bound.get(first, first), rest)))


Rule = Callable[[Source], Iterator[Fault]]
RULES: dict[str, Rule] = {}


def rule(check: Rule) -> Rule:
    RULES[check.__name__] = check
    return check


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}".lstrip(".")
    return ""


# -- dependencies ------------------------------------------------------------------------------------------------------

MAY_IMPORT = {
    "landbridge": {"landbridge"},
    "connectors": {"landbridge", "connectors"},
    "mdm": {"landbridge", "mdm"},
    "dags": {"landbridge"},
    "sandbox": {"sandbox"},
}
PROJECT = {*MAY_IMPORT, "tests", "benchmarks", "mappings", "config", "schemas"}

BOTTOM = {"errors", "time", "seam"}
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "time": set(),
    "seam": set(),
    "strict": BOTTOM,
    "secrets": BOTTOM,
    "supervise": BOTTOM,
    "telemetry": BOTTOM | {"secrets"},
    "net": BOTTOM | {"strict", "secrets", "telemetry"},
    "canonical": BOTTOM | {"strict"},
    "signatures": BOTTOM | {"secrets"},
    "connector": BOTTOM | {"net", "strict", "signatures"},
    "translator": BOTTOM | {"strict", "canonical", "connector"},
    "store": BOTTOM | {"strict", "supervise"},
    "settings": BOTTOM | {"signatures", "strict", "secrets", "net", "canonical", "connector", "quality"},
    "engine": BOTTOM
    | {"net", "signatures", "strict", "canonical", "connector", "settings", "store", "telemetry", "translator"},
    "quality": BOTTOM | {"strict", "canonical"},
    "drift": BOTTOM | {"strict", "canonical", "connector", "settings", "store", "translator"},
    "contract": BOTTOM | {"net", "strict", "connector"},
    "profile": BOTTOM | {"strict", "canonical", "connector", "translator"},
}
"""What each part of the kernel may import; parts that are not named here stand above them all."""
ROOTS = {
    "reconcile",
    "metrics",
    "webhook",
    "worker",
    "installation",
    "scaffold",
    "rehearsal",
    "retention",
    "codes",
    "gate",
    "airflow",
    "up",
    "demo",
    "cli",
}
"""Where the kernel is put together or used: nothing of LAYERS imports them, and `installation` is the one root."""


@rule
def dependencies_point_one_way(source: Source) -> Iterator[Fault]:
    allowed = MAY_IMPORT.get(source.top)
    if allowed is None:
        return
    for node, module, _ in source.imports:
        package = module.split(".")[0]
        if package in PROJECT and package not in allowed:
            yield source.fault(node, f"{source.top} imports {package}")
        if module.startswith("."):
            yield source.fault(node, "relative import")
        if source.top == "connectors" and package == "connectors" and module.split(".")[1:2] not in ([], [source.part]):
            yield source.fault(node, f"{source.part} imports another product's connector, {module}")


@rule
def kernel_parts_import_downwards(source: Source) -> Iterator[Fault]:
    if source.top != KERNEL or source.path == "landbridge/__init__.py":
        return
    if source.part not in LAYERS and source.part not in ROOTS:
        yield source.fault(1, f"{source.part} has no place in the layers")
    for node, module, name in source.imports:
        parts = module.split(".")
        if parts[0] != KERNEL or not (imported := parts[1] if len(parts) > 1 else name):
            continue
        if source.part in LAYERS and imported not in {*LAYERS[source.part], source.part}:
            yield source.fault(node, f"{source.part} imports {imported}")
        if imported in ("airflow", "cli") and imported != source.part:
            yield source.fault(node, f"{source.part} imports {imported}")


@rule
def private_modules_stay_private(source: Source) -> Iterator[Fault]:
    """What stands outside of the kernel takes what a package's `__init__` offers, and no `_module` of it."""
    if source.top not in OURS or source.top == KERNEL:
        return
    for node, module, name in source.imports:
        private = [part for part in (*module.split("."), name) if part.startswith("_") and not part.startswith("__")]
        if module.split(".")[0] != source.top and module.split(".")[0] in PACKAGES and private:
            yield source.fault(node, f"imports private {module}.{name}".rstrip("."))


@rule
def a_package_says_what_it_offers(source: Source) -> Iterator[Fault]:
    """An `__init__` that takes names from its own modules lists them in `__all__`, and lists nothing else."""
    if source.top not in OURS or not source.path.endswith("/__init__.py"):
        return
    own = ".".join(PurePosixPath(source.path).parent.parts)
    taken = {
        alias.asname or alias.name
        for node in ast.walk(source.tree)  # those for the type checker alone included: `__getattr__` brings them later
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(own)
        for alias in node.names
    }
    made = {node.name for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    offered: set[str] | None = None
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and [_dotted(one) for one in node.targets] == ["__all__"]:
            offered = set(ast.literal_eval(node.value))
    if taken and offered is None:
        yield source.fault(1, "takes names and has no __all__")
    if offered is not None:
        for name in sorted(offered - taken - made):
            yield source.fault(1, f"offers {name}, which is not there")
        for name in sorted(taken - offered):
            yield source.fault(1, f"takes {name} and does not offer it")


@rule
def airflow_is_an_extra(source: Source) -> Iterator[Fault]:
    if source.top not in OURS:
        return
    extras = {
        "airflow": "landbridge/airflow",
        "great_expectations": "landbridge/gate",
        "pandas": "landbridge/gate",
        "splink": "mdm/bulk",
        "duckdb": "mdm/bulk",
    }
    for node, module, _ in source.imports:
        extra = module.split(".")[0]
        if extra in extras and not source.inside(extras[extra]):
            yield source.fault(node, f"imports the extra {extra}")


# -- who may do what ---------------------------------------------------------------------------------------------------

NETWORK = (
    "aiohttp", "asyncio", "ftplib", "http.client", "http.server", "httpx", "imaplib", "paramiko", "poplib", "pycurl",
    "requests", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib.request", "urllib3", "websockets",
    "xmlrpc", "zeep",
)  # fmt: skip
PARSERS = (
    "ast.literal_eval", "configparser", "csv", "defusedxml", "html.parser", "lxml", "ruamel", "simplejson", "tomllib",
    "ujson", "xml", "xmltodict", "yaml",
)  # fmt: skip
READS = re.compile(
    r"(json|orjson|yaml|toml|tomllib|csv)\.(load|loads|load_all|safe_load|JSONDecoder|reader|DictReader)$"
)
SQL = re.compile(
    r"^\s*(select\s[^;]*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+(table|index)\s"
    r"|alter\s+table\s|drop\s+table\s|truncate\s|with\s+\w+\s+as\s*(materialized\s*)?\()",
    re.IGNORECASE,
)


@rule
def only_net_opens_sockets(source: Source) -> Iterator[Fault]:
    if source.top not in OURS or source.inside("landbridge/net"):
        return
    for node, module, name in source.imports:
        full = f"{module}.{name}" if name else module
        for network in NETWORK:
            if network == "asyncio" and source.inside("landbridge/webhook"):
                continue  # the ASGI edge: it accepts, and opens no line of its own
            if full == network or full.startswith(f"{network}.") or module == network:
                yield source.fault(node, f"imports {network}")
                break


@rule
def only_strict_parses_foreign_bytes(source: Source) -> Iterator[Fault]:
    if source.top not in OURS or source.inside("landbridge/strict"):
        return
    for node, module, name in source.imports:
        full = f"{module}.{name}" if name else module
        found = next((p for p in PARSERS if full == p or full.startswith(f"{p}.")), "")
        if found:
            yield source.fault(node, f"imports {found}")
    for call, called in source.calls():
        if READS.search(called) and not called.startswith("landbridge.strict."):
            yield source.fault(call, f"calls {called}")
        if called == "ast.literal_eval":
            yield source.fault(call, f"calls {called}")


@rule
def only_store_speaks_sql(source: Source) -> Iterator[Fault]:
    if source.top not in OURS or source.inside("landbridge/store", "mdm/store", "connectors/sql"):
        return
    if source.inside("mdm/bulk"):
        return  # DuckDB in memory computes with it; it reaches no store
    for node, module, name in source.imports:
        if module.split(".")[0] in ("psycopg", "psycopg2", "sqlite3", "asyncpg", "alembic"):
            yield source.fault(node, f"imports {module.split('.')[0]}")
        if module.split(".")[0] == "sqlalchemy" and name != "Connection":  # the type of what the store hands out
            yield source.fault(node, f"imports sqlalchemy.{name}")
    if source.top == "connectors":
        return  # products have query languages of their own that look like SQL; no database is reached from here
    for node, text in _texts(source):
        if SQL.match(text):
            yield source.fault(node, "holds SQL")


@rule
def the_clock_is_injected(source: Source) -> Iterator[Fault]:
    if not source.inside(
        "landbridge/engine", "landbridge/store", "landbridge/translator", "landbridge/net", "landbridge/canonical",
        "connectors", "mdm",
    ):  # fmt: skip
        return
    for call, called in source.calls():
        if re.search(
            r"(datetime\.now|datetime\.utcnow|datetime\.today|date\.today|^time\.time|uuid\.uuid[147])$", called
        ):
            yield source.fault(call, f"calls {called}")


VENDORS = re.compile(
    r"salesforce|kingdee|netsuite|workday(?!s)|fxiaoke|(?<![a-z])(sap|zoho|odoo|tryton|oracle|s4hana|s_?4|s/4)(?![a-z0-9])"
    r"|金蝶|纷享销客"
)


@rule
def the_kernel_names_no_vendor(source: Source) -> Iterator[Fault]:
    if source.top != KERNEL:
        return
    if found := VENDORS.search(source.path.lower()):
        yield source.fault(1, f"names {found.group()}")
    for number, line in enumerate(source.text.splitlines(), 1):
        if found := VENDORS.search(line.lower()):
            yield source.fault(number, f"names {found.group()}")


# -- what nobody does --------------------------------------------------------------------------------------------------

FORBIDDEN_CALLS = re.compile(
    r"^(eval|exec|compile|__import__|input|breakpoint"
    r"|os\.(system|popen|spawn\w+)|yaml\.(load|load_all|unsafe_load|full_load)|tempfile\.mktemp|random\.seed"
    r"|ssl\._create_unverified_context)$"
)
FORBIDDEN_IMPORTS = ("pickle", "cPickle", "dill", "marshal", "shelve", "jinja2", "telnetlib", "imp")
SENDS = re.compile(r"^requests\.(get|post|put|patch|delete|head|options|request)$")
SECRET = re.compile(r"signature|hmac|secret|password|passwd", re.IGNORECASE)


@rule
def no_dangerous_calls(source: Source) -> Iterator[Fault]:
    if source.top not in PACKAGES:
        return
    for node, module, _ in source.imports:
        if module.split(".")[0] in FORBIDDEN_IMPORTS:
            yield source.fault(node, f"imports {module.split('.')[0]}")
    for call, called in source.calls():
        if FORBIDDEN_CALLS.match(called):
            yield source.fault(call, f"calls {called}")
        words = {word.arg: word.value for word in call.keywords}
        if _is(words.get("shell"), True):
            yield source.fault(call, "shell=True")
        if _is(words.get("verify"), False):
            yield source.fault(call, "verify=False")
        if SENDS.match(called) and ("timeout" not in words or _is(words["timeout"], None)):
            yield source.fault(call, f"{called} without a time-out")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and _is(node.value, False):
            for target in node.targets:
                if _dotted(target).endswith((".verify", ".check_hostname")):
                    yield source.fault(node, f"{_dotted(target).split('.')[-1]} = False")


@rule
def secrets_are_compared_in_constant_time(source: Source) -> Iterator[Fault]:
    if source.top not in OURS:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Constant) for side in sides):
                continue  # "is it empty" is no comparison of secrets
            for side in sides:
                name = _dotted(side.func if isinstance(side, ast.Call) else side).split(".")[-1]
                if SECRET.search(name):
                    yield source.fault(node, f"compares {name} by ==; use hmac.compare_digest")


def _is(node: ast.AST | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _texts(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Every text that is not a docstring; an f-string counts by its fixed parts."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node, node.value
        elif isinstance(node, ast.JoinedStr):
            yield node, "".join(str(p.value) if isinstance(p, ast.Constant) else "x" for p in node.values)


# -- words, sentences, sizes -------------------------------------------------------------------------------------------

FORBIDDEN_WORDS = {
    "job", "jobs", "etl", "handler", "handlers", "processor", "processors", "manager", "managers", "helper", "helpers",
    "util", "utils", "common", "misc",
}  # fmt: skip
FORBIDDEN_ALONE = {"item", "object", "objects", "data", "sync", "synchronise", "synchronize"}
"""Not as a whole name; `items` is a mapping's own word for its pairs, and a product's `SalesOrderItem` is its own."""


@rule
def names_use_the_words_of_the_house(source: Source) -> Iterator[Fault]:
    if source.top not in OURS:
        return
    for part in PurePosixPath(source.path).with_suffix("").parts:
        yield from _judge(source, 1, part)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _judge(source, node.lineno, node.name)


def _judge(source: Source, line: int, name: str) -> Iterator[Fault]:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    alone = {words[0]} & FORBIDDEN_ALONE if len(words) == 1 and not name.startswith("_") else set()
    bad = FORBIDDEN_WORDS.intersection(words) | alone
    for word in sorted(bad):
        yield source.fault(line, f"the name {name} says “{word}”")


@rule
def public_names_have_a_docstring(source: Source) -> Iterator[Fault]:
    if source.top not in PACKAGES:
        return
    if not ast.get_docstring(source.tree) and source.tree.body:
        yield source.fault(1, "the module has no docstring")
    yield from _undocumented(source, source.tree.body)


def _undocumented(source: Source, body: list[ast.stmt], within: str = "", protocol: bool = False) -> Iterator[Fault]:
    for node in body:
        if isinstance(node, ast.If):
            yield from _undocumented(source, [*node.body, *node.orelse], within, protocol)
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        marks = {_dotted(m.func if isinstance(m, ast.Call) else m).split(".")[-1] for m in node.decorator_list}
        name = f"{within}{node.name}"
        if not ast.get_docstring(node) and not protocol and not marks & {"overload", "override", "setter"}:
            yield source.fault(node, f"{name} has no docstring")
        if isinstance(node, ast.ClassDef):
            declared = any(_dotted(base) == "Protocol" for base in node.bases)  # its own docstring tells of its methods
            yield from _undocumented(source, node.body, f"{name}.", declared)


EXCEPTION = re.compile(
    r"#\s*(noqa|type:\s*ignore)(?P<codes>:\s*[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*|\[[\w,\s-]+\])?(?P<rest>[^#]*(#.*)?)$"
)


@rule
def every_lint_exception_has_its_reason(source: Source) -> Iterator[Fault]:
    if source.top not in EVERYTHING:
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if not (found := EXCEPTION.search(line)) or _quoted(line, found.start()):
            continue
        if not found["codes"]:
            yield source.fault(number, f"{found[1]} names no rule")
        if len(re.findall(r"\w+", found["rest"])) < 2:
            yield source.fault(number, f"{found[1]} has no reason beside it")


def _quoted(line: str, at: int) -> bool:
    """Whether the mark stands in a text rather than in a comment, as the marks in a test of this rule do."""
    before = line[:at]
    return before.count('"') % 2 == 1 or before.count("'") % 2 == 1


@rule
def no_module_is_long(source: Source) -> Iterator[Fault]:
    if source.top in PACKAGES and (lines := source.text.count("\n")) > LONGEST:
        yield source.fault(1, f"has more than {LONGEST} lines ({lines})")


@rule
def nothing_tells_where_it_was_written(source: Source) -> Iterator[Fault]:
    """No absolute path of a developer's machine, no registry host."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if re.search(r"""["'\s=](/(?:work|root)/|/(?:home|Users)/\w)""", line):
            yield source.fault(number, "names a path of somebody's machine")
