"""Records that nothing was tuned to: companies with the errors that people make, from a seed; made of words alone.

Two files that call their columns by different names, in two languages, with two separators, and the truth beside them;
or one file with Chinese and Latin names in which customers stand one to four times.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "amber azure bronze cedar cobalt copper coral crimson crystal delta eagle ember falcon forest granite "
    "harbor hazel heron indigo iron ivory jade juniper lunar maple marble meadow meridian nickel north ocean "
    "olive onyx opal orchid otter pearl pine polar quartz raven ridge river ruby sable saffron silver solar "
    "spruce stone summit thistle timber topaz valley velvet violet walnut willow winter zenith alpen donau "
    "elbe falke hansa isar kiefer linden neckar rhein"
)
_SECOND = _words(
    "analytics bearings bottling brakes castings ceramics chemicals circuits coatings components conveyor "
    "cutlery dental drives electronics elevators engines fasteners filters foods forgings foundry freight "
    "furniture gaskets gears glass hydraulics instruments laser logistics machinery maschinen metals motors "
    "optics packaging paints paper pharma pipes plastics pneumatics polymers power printing pumps robotics "
    "rubber sensors software solutions springs steel systems technik textiles tools trading turbines valves "
    "verpackung welding werkzeuge wire"
)
_FORMS = ("GmbH", "AG", "GmbH & Co. KG", "Ltd", "Limited", "Inc.", "LLC", "S.A.", "B.V.", "KG")
_ROADS = _words(
    "Hafen Markt Industrie Bahnhof Schul Garten Wiesen Berg Wald Muehlen Kirch Ring Linden Park Feld Brunnen"
)
_TOWNS = tuple(
    zip(
        _words("20095 80331 50667 60311 70173 04109 01067 28195 90402 30159 44135 45127 68159 76131 86150"),
        _words(
            "Hamburg München Köln Offenbach Stuttgart Leipzig Dresden Bremen Nürnberg Hannover Dortmund Essen "
            "Mannheim Karlsruhe Augsburg"
        ),
        strict=True,
    )
)
_HAN_PLACES = _words("北京 上海 广州 深圳 杭州 南京 武汉 成都 西安 青岛 大连 厦门 宁波 苏州 重庆 天津")
_HAN_WORDS = _words("华 安 盛 达 恒 通 瑞 丰 泰 和 远 博 诚 信 兴 隆 金 宏 天 海 东 方 新 明 德 嘉 创 联 科 润")
_HAN_TRADES = _words("机械 电子 贸易 科技 化工 食品 医药 建材 物流 软件 纺织 汽车配件 仪器 环保 包装")
_HAN_FORMS = ("有限公司", "股份有限公司", "有限责任公司", "集团有限公司")


def two_files(folder: Path, count: int, seed: int = 20261122) -> None:
    """crm.csv and erp.csv with `count` companies each, three quarters of them in both, and truth.csv."""
    by = random.Random(seed)
    crm, erp, truth = [], [], []
    for number in range(count * 5 // 4):
        company = _company(by)
        in_crm, in_erp = number < count, number >= count // 4
        if in_crm:
            crm.append([f"K{number:06d}", *company])
        if in_erp:
            erp.append([str(500_000 + by.randrange(10**9)), *_spoiled(by, company)])
        if in_crm and in_erp:
            truth.append([crm[-1][0], erp[-1][0]])
    by.shuffle(erp)
    _write(folder / "crm.csv", ";", ["Kundennr", "Firma", "Straße", "PLZ", "Ort", "Telefon", "E-Mail"], crm)
    _write(folder / "erp.csv", "\t", ["id", "name", "street", "zip", "city", "phone", "email"], erp)
    _write(folder / "truth.csv", ",", ["crm_id", "erp_id"], truth)


def one_file(folder: Path, count: int, seed: int = 20261122) -> None:
    """customers.csv with `count` customers, each one to four times, and its truth in the column `cluster`."""
    by = random.Random(seed)
    rows = []
    for number in range(count):
        han = by.random() < 0.5
        company = _han_company(by) if han else _company(by)
        copies = 1 + min(3, int(by.expovariate(1.1)))
        rows += [(_spoiled(by, company, han=han) if copy else company, number) for copy in range(copies)]
    by.shuffle(rows)
    found = [[f"R{place:06d}", *company, f"C{number}"] for place, (company, number) in enumerate(rows)]
    header = ["record_id", "company_name", "address", "postcode", "city", "tel", "mail", "cluster"]
    _write(folder / "customers.csv", ",", header, found)


def _company(by: random.Random) -> list[str]:
    first, second, form = by.choice(_FIRST).title(), by.choice(_SECOND).title(), by.choice(_FORMS)
    name = f"{first} {by.choice(_FIRST).title()} {second} {form}" if by.random() < 0.6 else f"{first} {second} {form}"
    code, town = by.choice(_TOWNS)
    street = f"{by.choice(_ROADS)}straße {by.randrange(1, 180)}"
    domain = "-".join(name.casefold().split()[:2]) + f"{by.randrange(100)}.example"
    phone = f"+49 {by.randrange(30, 990)} {by.randrange(100_000, 9_999_999)}"
    return [name, street, code[:3] + f"{by.randrange(100):02d}", town, phone, f"info@{domain}"]


def _han_company(by: random.Random) -> list[str]:
    place = by.choice(_HAN_PLACES)
    word = "".join(by.sample(_HAN_WORDS, by.choice((2, 2, 3))))
    name = f"{place}{by.choice(('市', ''))}{word}{by.choice(_HAN_TRADES)}{by.choice(_HAN_FORMS)}"
    street = f"{by.choice(('人民', '中山', '解放', '建设', '和平', '长江'))}路{by.randrange(1, 900)}号"
    phone = f"+86 1{by.randrange(3_000_000_000, 9_999_999_999)}"
    mail = f"info@{''.join(by.choice('abcdefghijkmnpqrstuvwxyz') for _ in range(7))}.example"
    return [name, street, f"{by.randrange(100_000, 899_999)}", place, phone, mail]


def _spoiled(by: random.Random, company: Sequence[str], *, han: bool = False) -> list[str]:
    """The same company as another system has it: each field may lack, be abbreviated or hold a typing error."""
    name, street, code, town, phone, mail = company
    if by.random() < 0.45:
        name = _other_form(by, name, han)
    if by.random() < 0.25:
        name = _typo(by, name)
    if by.random() < 0.3:
        name = name.upper()
    street = (
        street.replace("straße", by.choice(("str.", "straße", "strasse"))) if by.random() < 0.7 else _typo(by, street)
    )
    code = _typo(by, code) if by.random() < 0.1 else code
    town = "" if by.random() < 0.1 else town
    phone = "" if by.random() < 0.35 else phone.replace("+49 ", "0049 ").replace(" ", by.choice((" ", "", "-")))
    mail = "" if by.random() < 0.4 else by.choice(("sales", "info", "info", "kontakt")) + mail[4:]
    if by.random() < 0.12:  # moved
        street = f"{by.choice(_ROADS)}straße {by.randrange(1, 180)}" if not han else f"新华路{by.randrange(1, 900)}号"
        code, town = by.choice(_TOWNS) if not han else (code, town)
    return [name, street, code, town, phone, mail]


def _other_form(by: random.Random, name: str, han: bool) -> str:
    forms = _HAN_FORMS if han else _FORMS
    for form in sorted(forms, key=len, reverse=True):
        if name.endswith(form):
            return (name[: -len(form)].rstrip() + ("" if han else " ") + by.choice((*forms, ""))).strip()
    return name


def _typo(by: random.Random, text: str) -> str:
    if len(text) < 4:
        return text
    at = by.randrange(1, len(text) - 1)
    kind = by.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + by.choice("aeinrst") + text[at:]


def _write(path: Path, separator: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [separator.join(header), *(separator.join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
