"""Names of companies: legal forms anywhere in the name, ranks of places, short forms of banks."""

from __future__ import annotations

import re
from functools import lru_cache

from mdm.normalise._places import PROVINCES
from mdm.normalise._registry import normaliser
from mdm.normalise._text import HAN, folded, has_han, plain, simplified
from mdm.normalise._words import entries, mapping

_CHINESE = entries("legal_forms", "zh")
_LATIN = [form for kind in ("de", "en", "romance", "north", "east") for form in entries("legal_forms", kind)]
_WEAK = frozenset(entries("weak", "latin"))
_WEAK_HAN = re.compile("|".join(["^中国", *entries("weak", "zh")]))
_SHORT = mapping("short")
_BANKS = mapping("banks")
_BANK = re.compile("|".join(sorted(map(re.escape, _BANKS), key=len, reverse=True)))
_LATIN_FORM = re.compile(rf"\b({'|'.join(sorted(map(re.escape, _LATIN), key=len, reverse=True))})\b")
_IS_NAME = re.compile("(?!ab|oy)[a-z]{2}")  # two letters at the front are a name: SA Recycling, AS Roma; but AB Volvo
_CHINESE_FORM = re.compile("|".join(sorted(map(re.escape, _CHINESE), key=len, reverse=True)))
_PROVINCE = re.compile(rf"({'|'.join(PROVINCES)})(省|市|壮族自治区|回族自治区|维吾尔自治区|特别行政区|自治区)")
_CITY = re.compile(rf"(?<=[{HAN}]{{2}})(?<![超城夜都门股菜鱼花])市(?![场政民容区长值])(?=[{HAN}])")
_AUTONOMOUS = re.compile(rf"(?<=[{HAN}]{{2}})[{HAN}]族自治[县州旗]|(?<=[{HAN}]{{2}})自治[县州旗]")
_BRANCH_PLACE = re.compile(rf"(?<=[{HAN}]{{2}})(?<![新开发园小社校厂])[县区](?=(支行|分行|分公司|营业部|分社|办事处))")
_CHINA = re.compile(rf"^(中国|中华人民共和国)(?!(银行|人民|国际|石油|石化|电信|移动|联通))(?=[{HAN}]{{3}})")
_PLACE = re.compile(
    rf"^({'|'.join(sorted({*PROVINCES, *entries('cities')}, key=len, reverse=True))}){{1,2}}(?=[{HAN}]{{4}})"
)
_BRACKET = str.maketrans({"（": "(", "）": ")", "【": "(", "】": ")", "[": "(", "]": ")"})


@lru_cache(maxsize=65_536)
def _chinese(value: str) -> tuple[str, str]:
    """(the name without its legal form and its ranks of places, what stands behind the form: a branch)."""
    value = simplified(plain(value)).translate(_BRACKET)
    value = re.sub(rf"\s+(?=[{HAN}])|(?<=[{HAN}])\s+", "", value)
    value = _CHINESE_FORM.sub("|", value)
    value = re.sub(r"[^\w|]+|_+", " ", value)
    value = re.sub(rf"\s*(?<=[{HAN} |])\s*", "", value) if not re.search("[a-z]", value) else value
    value = _PROVINCE.sub(r"\1", value.strip())
    value = _AUTONOMOUS.sub("", value)
    value = _CITY.sub("", value)
    value = _BRANCH_PLACE.sub("", value)
    value = re.sub(r"^中行(?=.*[支分]行)", "中国银行", value)
    value = _BANK.sub(lambda found: _BANKS[found[0]], value)
    value = _CHINA.sub("", value)
    head, _, tail = value.partition("|")
    if not tail and (
        found := re.match(rf"(.*?(?:银行|信用社|证券|保险|信托|期货))([{HAN}]{{2,}}(?:行|部|社|司|处))$", head)
    ):
        head, tail = found[1], found[2]
    return head.strip(), tail.replace("|", "").strip()


@lru_cache(maxsize=65_536)
def _latin(value: str) -> str:
    words = folded(value.replace("&", " ").replace("+", " "))
    kept = _LATIN_FORM.sub(
        lambda form: form[0] if form.start() == 0 and _IS_NAME.fullmatch(form[0]) else " ", words
    ).split()
    kept = [_SHORT.get(word, word) for word in kept if word not in ("und", "and", "the", "et")]
    return " ".join(kept) or words


@normaliser(
    "company",
    ("Müller Maschinenbau GmbH & Co. KG", "mueller maschinenbau"),
    ("The Acme Rocket Co., Ltd.", "acme rocket"),
    ("中国工商银行股份有限公司上海市分行", "工商银行上海分行"),
    ("工行上海分行", "工商银行上海分行"),
    ("中國投資（香港）有限公司", "投资香港"),
)
def company(value: str) -> str | None:
    """The name of a company without its legal form (wherever it stands), accents, ranks of places and short forms."""
    if has_han(value):
        head, tail = _chinese(value)
        return f"{head}{tail}" or simplified(plain(value)) or None
    return _latin(value) or None


@normaliser("institution", ("中国工商银行股份有限公司上海市分行", "工商银行"), ("Acme Ltd", "acme"))
def institution(value: str) -> str | None:
    """The company whose branch a name tells of: what stands before the legal form or before the branch."""
    if has_han(value):
        return _chinese(value)[0] or None
    return _latin(value) or None


@normaliser("branch", ("中国工商银行股份有限公司上海市分行", "上海分行"), ("上海证券", None))
def branch(value: str) -> str | None:
    """The branch, office or outlet that a Chinese name tells of; none where it tells of the company itself."""
    return _chinese(value)[1] or None if has_han(value) else None


@normaliser("core", ("Acme Holdings Ltd", "acme"), ("海康示例数字技术集团股份有限公司", "海康示例数字技术"))
def core(value: str) -> str | None:
    """`company` without the words that come and go as well: group, holding, international, 集团, 控股, 中国."""
    if has_han(value):
        found = str(company(value) or "")
        short = _WEAK_HAN.sub("", found)
        return short if len(short) >= 2 else found or None
    words = _latin(value).split()
    return " ".join(word for word in words if word not in _WEAK) or " ".join(words) or None


@normaliser("unplaced", ("深圳市示例光电有限公司", "示例光电"), ("上海银行", "上海银行"), ("Acme Ltd", "acme"))
def unplaced(value: str) -> str | None:
    """`core` without the Chinese place before it, where four signs are left: a key for blocks."""
    found = core(value)
    return _PLACE.sub("", found) if isinstance(found, str) else None


@normaliser("person", ("Dr. Erika MUSTER", "erika muster"))
def person(value: str) -> str | None:
    """The name of a person without titles and forms of address."""
    kept = [
        w for w in folded(value).split() if w not in ("dr", "prof", "mr", "mrs", "ms", "herr", "frau", "ing", "dipl")
    ]
    return (simplified("".join(kept)) if has_han(value) else " ".join(kept)) or None
