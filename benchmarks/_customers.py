"""Made-up customers with their truth: companies in four systems, each of which writes, shortens and forgets in its own way.

The same seed gives the same records. Names are words put together by chance; no company of these names is meant.
"""

# ruff: noqa: E501, SIM905 - lists of words stand as one text, and a company's fields in one place
from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

FIRST = (
    "Al An Ar Be Bor Bra Cal Cen Cor Dan Del Dor El En Fal Fer Gal Gra Hel Hol In Ja Kal Kor La Len Lu Mar Mel Nor Ol Or "
    "Pal Per Ra Rol Sal Sen Tal Tor Ul Var Ver Wal Wen Zan"
).split()
MIDDLE = "a be da de do fa ga go ka ki la le li lo ma me mi na ne ni no pa ra ri ro sa se ta te ti to va vi".split()
LAST = "bach berg can cor dan den don dur fin gar ger kor lan lex lin lor lux man mar mon nar nes ran rix ron ros sen son tec tex ton tor van vex wick win zen".split()
ZH = "华 鑫 盛 达 恒 瑞 泰 隆 凯 博 宏 嘉 永 昌 新 联 德 利 丰 源 晟 辉 海 明 远 诚 智 捷 云 腾 航 锐 康 伟 正 安 顺 金 立 佳 启 科 拓 美 天".split()
TRADE = {
    "de": "Maschinenbau Werkzeuge Logistik Elektrotechnik Metallbau Medizintechnik Druck Verpackung Anlagenbau Handel Chemie Optik".split(),
    "en": "Logistics|Machinery|Tools|Foods|Textiles|Electronics|Packaging|Medical Devices|Plastics|Steel|Software|Trading".split(
        "|"
    ),
    "zh": "科技 电子 机械 贸易 物流 食品 化工 纺织 医疗器械 建材 塑料 钢铁 软件 包装".split(),
}
FORMS = {
    "de": ["GmbH", "GmbH", "GmbH & Co. KG", "AG", "KG"],
    "en": ["Ltd", "Ltd.", "Limited", "Inc.", "Co., Ltd.", "LLC"],
    "zh": ["有限公司", "有限公司", "股份有限公司", "有限责任公司"],
}
PLACES = {
    "de": [("Berlin", "10", "030"), ("Hamburg", "20", "040"), ("München", "80", "089"), ("Köln", "50", "0221"),
           ("Frankfurt am Main", "60", "069"), ("Stuttgart", "70", "0711"), ("Leipzig", "04", "0341"), ("Dresden", "01", "0351")],
    "en": [("London", "EC", "020"), ("Manchester", "M", "0161"), ("Leeds", "LS", "0113"), ("Bristol", "BS", "0117"),
           ("Glasgow", "G", "0141"), ("Sheffield", "S", "0114")],
    "zh": [("上海", "200", "021"), ("北京", "100", "010"), ("深圳", "518", "0755"), ("广州", "510", "020"), ("杭州", "310", "0571"),
           ("成都", "610", "028"), ("武汉", "430", "027"), ("青岛", "266", "0532")],
}  # fmt: skip
COUNTRY = {"de": "DE", "en": "GB", "zh": "CN"}
STREETS = {
    "de": "Haupt Bahnhof Garten Schul Berg Ring Industrie Linden Wald Markt Kirch Feld Mühlen Park".split(),
    "en": "High Station Church Mill Park Victoria Queens Kings Bridge Market Albert York".split(),
    "zh": "中山 人民 解放 建设 和平 文化 新华 长江 黄河 科技 创业 世纪 迎宾".split(),
}
TRADITIONAL = str.maketrans(
    "华达瑞凯联丰辉远诚云腾航锐伟顺启贸电机医疗纺织钢铁软装", "華達瑞凱聯豐輝遠誠雲騰航銳偉順啟貿電機醫療紡織鋼鐵軟裝"
)
USCC_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
SYSTEMS = ("crm", "erp", "shop", "scm")
KEEPS = {  # how often each system knows the field at all
    "crm": {"tax": 0.35, "phone": 0.85, "email": 0.8, "street": 0.8, "website": 0.6},
    "erp": {"tax": 0.9, "phone": 0.6, "email": 0.5, "street": 0.97, "website": 0.1},
    "shop": {"tax": 0.15, "phone": 0.7, "email": 0.98, "street": 0.9, "website": 0.0},
    "scm": {"tax": 0.6, "phone": 0.5, "email": 0.4, "street": 0.85, "website": 0.05},
}


def customers(records: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """So many records, flat, with `truth` (the number of the company) and `system`; shuffled as they would arrive."""
    chance = random.Random(seed)
    made: list[dict[str, Any]] = []
    truth = 0
    while len(made) < records:
        company = _company(chance, truth)
        family = [company]
        if chance.random() < 0.04:  # a branch: another customer of nearly the same name
            truth += 1
            family.append(_branch(chance, company, truth))
        for one in family:
            first = True
            for system in chance.sample(SYSTEMS, k=chance.choice((1, 1, 2, 2, 3, 3, 4))):
                made.append(_record(chance, one, system, first))
                first = False
                if chance.random() < 0.05:
                    made.append(_record(chance, one, system, False))
        truth += 1
    del made[records:]
    chance.shuffle(made)
    yield from made


def _company(chance: random.Random, truth: int) -> dict[str, Any]:
    lang = chance.choice(("de", "de", "en", "zh", "zh"))
    city, zone, dial = chance.choice(PLACES[lang])
    if lang == "zh":
        brand = "".join(chance.sample(ZH, chance.choice((2, 2, 3))))
        name = chance.choice((city, "", "")) + brand + chance.choice(TRADE[lang])
        host = "".join(chance.choice("bcdfghjklmnpqrstwxyz") for _ in range(4)) + str(chance.randrange(1000))
        postcode = zone + f"{chance.randrange(1000):03d}"
        street = f"{chance.choice(STREETS[lang])}路{chance.randrange(1, 900)}号"
    else:
        brand = chance.choice(FIRST) + chance.choice(MIDDLE) * chance.choice((0, 1, 1)) + chance.choice(LAST)
        if chance.random() < 0.4:
            brand += " " + chance.choice(FIRST) + chance.choice(LAST)
        name = f"{brand} {chance.choice(TRADE[lang])}"
        host = name.split()[0].lower() + str(chance.randrange(100))
        if lang == "de":
            postcode = zone + f"{chance.randrange(1000):03d}"
            street = f"{chance.choice(STREETS[lang])}{chance.choice(('straße', 'straße', 'weg', 'allee'))} {chance.randrange(1, 200)}"
        else:
            postcode = f"{zone}{chance.randrange(1, 20)} {chance.randrange(1, 10)}{chance.choice('ABDEF')}{chance.choice('GHJLN')}"
            street = (
                f"{chance.randrange(1, 200)} {chance.choice(STREETS[lang])} {chance.choice(('Street', 'Road', 'Lane'))}"
            )
    return {
        "truth": truth, "lang": lang, "name": name, "form": chance.choice(FORMS[lang]), "city": city, "postcode": postcode,
        "street": street, "country": COUNTRY[lang], "host": f"{host}.{'cn' if lang == 'zh' else 'de' if lang == 'de' else 'co.uk'}",
        "phone": f"{dial} {chance.randrange(10_000_000, 99_999_999)}", "tax": _tax(chance, lang, truth),
        "box": chance.choice(("info", "office", "sales", "einkauf", "contact", f"u{chance.randrange(1000)}")),
    }  # fmt: skip


def _branch(chance: random.Random, company: dict[str, Any], truth: int) -> dict[str, Any]:
    """An own customer of the same name in another place: an own tax number, street and phone, the same web address."""
    city, zone, dial = chance.choice([place for place in PLACES[company["lang"]] if place[0] != company["city"]])
    other = _company(chance, truth)
    while other["lang"] != company["lang"]:
        other = _company(chance, truth)
    name = f"{company['name']}{city}分公司" if company["lang"] == "zh" else f"{company['name']} {city}"
    return {
        **company, "truth": truth, "city": city, "name": name, "street": other["street"], "tax": other["tax"],
        "postcode": zone + other["postcode"][len(zone):], "phone": f"{dial} {chance.randrange(10_000_000, 99_999_999)}",
        "box": other["box"] + "." + str(truth % 10),
    }  # fmt: skip


def _tax(chance: random.Random, lang: str, truth: int) -> str:
    """A number that no other company has, with right check digits."""
    own = f"{truth * 7_654_321 % 10_000_000:07d}"
    if lang == "zh":
        body = "91" + f"{chance.randrange(110000, 650000)}" + own + "0A"
        return body + USCC_SIGNS[-sum(USCC_SIGNS.index(s) * w for s, w in zip(body, USCC_WEIGHTS, strict=True)) % 31]
    if lang == "de":
        digits = [chance.randrange(1, 10)] + [int(s) for s in own]
        check = 10
        for digit in digits:
            check = (check + digit) % 10 or 10
            check = check * 2 % 11
        return "DE" + "".join(map(str, digits)) + str((11 - check) % 10)
    digits = [int(s) for s in own]
    total = sum(d * w for d, w in zip(digits, range(8, 1, -1), strict=True))
    return "GB" + "".join(map(str, digits)) + f"{97 - total % 97:02d}"


def _record(chance: random.Random, company: dict[str, Any], system: str, first: bool) -> dict[str, Any]:
    keeps = KEEPS[system]
    own = chance.random

    def kept(field: str) -> bool:
        return own() < keeps[field]

    return {
        "truth": company["truth"],
        "system": system,
        "name": _written(chance, company, system, first),
        "street": _typo(chance, company["street"], 0.04) if kept("street") else "",
        "postcode": _typo(chance, company["postcode"], 0.02) if own() < 0.93 else "",
        "city": company["city"] + ("市" if company["lang"] == "zh" and own() < 0.3 else "") if own() < 0.95 else "",
        "country": company["country"],
        "phone": _phone(chance, company) if kept("phone") else chance.choice(("", "", "000000000")),
        "email": f"{company['box'] if own() < 0.75 else 'info'}@{company['host']}"
        if kept("email")
        else chance.choice(("", "", "test@test.com")),
        "website": f"www.{company['host']}" if kept("website") else "",
        "tax": _typo(chance, company["tax"], 0.02) if kept("tax") else chance.choice(("", "", "", "n/a", "无")),
    }


def _written(chance: random.Random, company: dict[str, Any], system: str, first: bool) -> str:
    name, lang, luck = company["name"], company["lang"], chance.random
    form = company["form"] if luck() < 0.7 else chance.choice(FORMS[lang])
    if luck() < (0.3 if system == "crm" else 0.1):
        form = ""
    if lang == "zh":
        if company["city"] not in name and luck() < 0.15:
            name = company["city"] + chance.choice(("", "市")) + name
        if luck() < 0.05:
            name = name.translate(TRADITIONAL)
        return _typo(chance, name + form, 0.0 if first else 0.03)
    if luck() < 0.05:
        name = name.upper()
    return _typo(chance, f"{name} {form}".strip(), 0.0 if first else 0.06)


def _phone(chance: random.Random, company: dict[str, Any]) -> str:
    prefix = {"DE": "+49", "GB": "+44", "CN": "+86"}[company["country"]]
    way = chance.random()
    number: str = company["phone"]
    if way < 0.04:
        return _typo(chance, number, 1.0)
    if way < 0.4:
        return f"{prefix} {number.lstrip('0')}" if company["country"] != "CN" else f"{prefix} {number[1:]}"
    return number.replace(" ", chance.choice((" ", "-", "/", "")))


def _typo(chance: random.Random, text: str, how_often: float) -> str:
    if chance.random() >= how_often or len(text) < 4:
        return text
    at = chance.randrange(1, len(text) - 1)
    kind = chance.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + chance.choice("aeinorst1234567890" if text[at].isascii() else "市新大中") + text[at + 1 :]
