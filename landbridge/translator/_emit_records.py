"""The compiler's part for records and lists: dict displays where every field is there, single stores where not."""

from __future__ import annotations

from decimal import Decimal

from landbridge.translator import _arithmetic as arithmetic
from landbridge.translator import _ast as ast
from landbridge.translator._emit_base import Out, Scope
from landbridge.translator._emit_numbers import CannotFuse, Numbers
from landbridge.translator._interpret import label, leading


class Records(Numbers):
    """Writes records, lists and loops."""

    def each(self, expr: ast.Each, sums: list[ast.Sum] | None = None) -> Out:
        """A loop that makes one record per element of a list, with the sums that run over the same list."""
        source = self.atom(self.value(expr.source))
        name, var, position = self.new("r"), self.new("e"), self.new("p")
        outer = self._scopes[-1].name
        label_ = f"{outer}.{label(expr)}[]" if outer else f"{label(expr)}[]"
        if sums and not source.miss:
            for tree in sums:
                total = self.new("s")
                zero = self.constant(Decimal(0))
                start_ = f"None if {source.code} is None else {zero}" if source.null else zero
                self.line(f"{total} = {start_}")
                self._sums[(self._scopes[-1].var, tree)] = Out(total, False, True, True)
        else:
            sums = []
        with self.guarded(source, name):
            self.line(f"{name} = []")
            start = len(self._lines)
            self.line(f"{position} = 0")
            with self.block(f"for {var} in listed({source.code}):"):
                with self.block(f"if {var} is None:"):
                    self.line("continue")
                self._scopes.append(Scope(var, label_, position))
                if expr.where is not None:
                    with self.block(f"if not ({self.condition(expr.where)}):"):
                        self.line("continue")
                for tree in sums or []:
                    self.add_up(tree, var)
                counting = len(self._lines)
                self.line(f"{position} += 1")
                out = self.value(expr.body)
                self._scopes.pop()
                self.append(name, out)
            used = any(position in line for line in self._lines[counting + 1 :])
            if not used:
                del self._lines[counting], self._lines[start]
        return Out(name, source.miss, source.null, True)

    def append(self, name: str, out: Out) -> None:
        """Append a value that may be absent to a list."""
        if not self.absent(out):
            self.line(f"{name}.append({out.code})")
            return
        out = self.atom(out)
        with self.block(f"if not ({self.absent(out)}):"):
            self.line(f"{name}.append({out.code})")

    def listof(self, expr: ast.ListOf) -> Out:
        """A list of values, without those that are null or missing."""
        outs = []
        for one in expr.elements:
            outs.append(self.value(one))
            if self.absent(outs[-1]):
                outs[-1] = self.atom(outs[-1])
        if not any(self.absent(out) for out in outs):
            return Out(f"[{', '.join(out.code for out in outs)}]")
        name = self.new("r")
        self.line(f"{name} = []")
        for out in outs:
            self.append(name, out)
        return Out(name, name=True)

    def record(self, record: ast.Record) -> Out:
        """A record of fields: missing, or null, where nothing of it came."""
        parts: list[tuple[ast.Field, Out]] = []
        lead = "" if record.whole else leading(record)
        for number_, part in enumerate(record.fields):
            out = self.fused(record.fields, number_) or self.field(part)
            tested = part.null == "drop" or (not record.whole and not ast.constant(part.value))
            if self.absent(out) and (tested or out.miss or part.null == "keep"):
                out = self.atom(out)
            parts.append((part, out))
        drops = [self.absent(out) for part, out in parts if part.null == "drop" and self.absent(out)]
        checks: list[tuple[str, str]] = [(" or ".join(drops), "M")] if drops else []
        if not record.whole:
            checks += self.emptiness(parts, lead)
        if not checks:
            return self.fields(parts)
        name, word = self.new("r"), "if"
        for test, result in checks:
            self.line(f"{word} {test}:")
            self.line(f"    {name} = {result}")
            word = "elif"
        with self.block("else:"):
            self.into(name, self.fields(parts))
        miss = any("M" in result.split() or result not in ("None",) for _, result in checks)
        return Out(name, miss, any(result != "M" for _, result in checks), True)

    def fused(self, parts: tuple[ast.Field, ...], at: int) -> Out | None:
        """An `each` together with the sums over its list, where that is possible."""
        sums, value = self.fuse(parts, at), parts[at].value
        if not sums or not isinstance(value, ast.Each):
            return None
        lines, known, scopes = list(self._lines), dict(self._sums), list(self._scopes)
        cache, indent = [dict(one) for one in self._cache], self._indent
        try:
            return self.keep(parts[at], self.each(value, sums))
        except CannotFuse:
            self._lines, self._sums, self._scopes = lines, known, scopes
            self._cache, self._indent = cache, indent
            return None

    def fuse(self, parts: tuple[ast.Field, ...], at: int) -> list[ast.Sum]:
        """The sums further down in a record that run over the list of the `each` at this place."""
        each = parts[at].value
        plain = isinstance(each, ast.Each) and each.where is None and isinstance(each.source, ast.At)
        if not plain or parts[at].on != "always":
            return []
        assert isinstance(each, ast.Each) and isinstance(each.source, ast.At)
        found = []
        for part in parts[at + 1 :]:
            value = part.value.source if isinstance(part.value, ast.Pipe) else part.value
            if isinstance(value, ast.Compute):
                found += [one for one in arithmetic.sums(value.tree) if one.path == each.source.path]
        return list(dict.fromkeys(found))

    def field(self, part: ast.Field) -> Out:
        """A field, written when its mode (`create`, `update`) asks for it."""
        if part.on == "always":
            return self.keep(part, self.value(part.value))
        name = self.new()
        with self.block("if creating:" if part.on == "create" else "if not creating:"):
            self.into(name, self.value(part.value))
        with self.block("else:"):
            self.line(f"{name} = M")
        return self.keep(part, Out(name, True, True, True))

    def keep(self, part: ast.Field, out: Out) -> Out:
        """A field that is left out rather than null."""
        if part.null != "keep" or not out.null:
            return out
        if out.code == "None":
            return Out("M", True, False, True)
        out = self.atom(out)
        name = self.new()
        self.line(f"{name} = M if {out.code} is None else {out.code}")
        return Out(name, True, False, True)

    def emptiness(self, parts: list[tuple[ast.Field, Out]], lead: str) -> list[tuple[str, str]]:
        """When a record is nothing: pairs of a condition and what stands in its place."""
        checks: list[tuple[str, str]] = []
        if lead:
            out = next(out for part, out in parts if part.name == lead)
            if self.absent(out):
                checks.append((self.absent(out), out.code))
        coming = [out for part, out in parts if not ast.constant(part.value)]
        if coming and all(self.absent(out) for out in coming):
            test = " and ".join(f"({self.absent(out)})" for out in coming)
            missing = " and ".join(f"{out.code} is M" for out in coming)
            result = f"M if {missing} else None" if all(out.miss for out in coming) else "None"
            checks.append((test, result))
        return checks

    def fields(self, parts: list[tuple[ast.Field, Out]]) -> Out:
        """The record itself, once it is known to be one."""
        sure = [f"{part.name!r}: {out.code}" for part, out in parts if not out.miss]
        literal = f"{{{', '.join(sure)}}}"
        unsure = [(part, out) for part, out in parts if out.miss]
        if not unsure:
            return Out(literal)
        name = self.new("r")
        self.line(f"{name} = {literal}")
        for part, out in unsure:
            self.line(f"if {out.code} is not M: {name}[{part.name!r}] = {out.code}")
        return Out(name, name=True)
