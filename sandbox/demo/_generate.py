"""Makes up a company from a seed: names and addresses in Chinese, English and German, nobody real."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from sandbox.demo._company import Address, Company, Customer, Line, Order, Product, Supplier, cents

_TODAY = date(2026, 11, 20)  # fixed, so that a seed always makes the same company
_DISCOUNTS = (0, 0, 0, 5, 10, 12.5, 15, 33.33)
_CARRIERS = ("DHL", "顺丰速运", "Northern Freight", "Hafenspedition")

_PLACES = {
    "CN": (
        ("北京", "北京", "100080"), ("上海", "上海", "200120"), ("深圳", "广东", "518057"), ("杭州", "浙江", "310012"),
        ("成都", "四川", "610041"), ("武汉", "湖北", "430074"), ("苏州", "江苏", "215021"), ("青岛", "山东", "266071"),
    ),
    "US": (
        ("Seattle", "WA", "98104"), ("Portland", "OR", "97205"), ("Austin", "TX", "78701"), ("Boston", "MA", "02110"),
    ),
    "GB": (("London", "", "EC1A 4SD"), ("Leeds", "", "LS1 4AP"), ("Cardiff", "", "CF10 1EP")),
    "DE": (
        ("Köln", "Nordrhein-Westfalen", "50667"), ("München", "Bayern", "80331"), ("Münster", "", "48143"),
        ("Lübeck", "Schleswig-Holstein", "23552"), ("Görlitz", "Sachsen", "02826"), ("Würzburg", "Bayern", "97070"),
    ),
    "AT": (("Wien", "", "1010"), ("Graz", "Steiermark", "8010")),
}  # fmt: skip
_STREETS = {
    "CN": ("中关村大街", "世纪大道", "科技园南路", "文三路", "天府大道", "光谷大道"),
    "US": ("Harbor Avenue", "Cedar Street", "Lake Boulevard", "Mill Road"),
    "GB": ("Gilbert Lane", "Dock Street", "Castle Row"),
    "DE": ("Hafenstraße", "Königsallee", "Am Brühl", "Lindenweg", "Große Gasse"),
    "AT": ("Ringstraße", "Mühlgasse"),
}
_NAMES = {
    "zh": (
        ("星辰", "远航", "瑞丰", "鼎盛", "长江", "东方", "华泰", "金桥", "天元", "绿洲"),
        ("机械", "电子", "贸易", "食品", "医疗器械", "纺织", "物流"),
        ("有限公司", "股份有限公司", "集团有限公司"),
    ),
    "en": (
        ("Northern", "Harbour", "Cedar", "Pioneer", "Summit", "Granite", "Riverside", "Beacon", "Meadow", "Copper"),
        ("Machinery", "Foods", "Instruments", "Textiles", "Trading", "Components", "Supplies"),
        ("Ltd", "Inc", "& Co.", "LLC", "Holdings Incorporated of the Pacific Northwest"),
    ),
    "de": (
        ("Rheintal", "Hanse", "Alpen", "Elbufer", "Schwarzwald", "Nordlicht", "Weser", "Österland", "Süddeutsche"),
        ("Maschinenbau", "Feinkost", "Messtechnik", "Großhandel", "Zulieferer", "Getränke", "Präzisionswerkzeuge"),
        ("GmbH", "AG", "GmbH & Co. KG", "e. K."),
    ),
}  # fmt: skip
_COUNTRIES = {"zh": ("CN",), "en": ("US", "GB"), "de": ("DE", "AT")}
_CURRENCY = {"CN": "CNY", "US": "USD", "GB": "GBP", "DE": "EUR", "AT": "EUR"}
_THINGS = (
    ("Bearing", "轴承", "Kugellager"), ("Green tea", "绿茶", "Grüner Tee"), ("Pressure gauge", "压力表", "Manometer"),
    ("Ceramic bowl", "陶瓷碗", "Keramikschüssel"), ("Gear wheel", "齿轮", "Zahnrad"), ("Honey", "蜂蜜", "Honig"),
    ("Silk scarf", "丝巾", "Seidentuch"), ("Circuit board", "电路板", "Leiterplatte"),
)  # fmt: skip
_KINDS = (
    ("small", "小", "klein"),
    ("large", "大", "groß"),
    ("series A", "A系列", "Serie A"),
    ("premium", "精选", "fein"),
)


def generate(seed: int = 2026, *, customers: int = 60, products: int = 40, orders: int = 150) -> Company:
    """The company of a seed; always the same for the same arguments."""
    dice = random.Random(seed)
    people = tuple(_customer(dice, number) for number in range(1, customers + 1))
    things = tuple(_product(dice, number) for number in range(1, products + 1))
    return Company(
        customers=people,
        products=things,
        suppliers=tuple(_supplier(dice, number) for number in range(1, max(2, products // 4) + 1)),
        orders=tuple(_order(dice, number, people, things) for number in range(1, orders + 1)),
    )


def _customer(dice: random.Random, number: int) -> Customer:
    language = ("zh", "en", "de")[number % 3]
    address = _address(dice, language)
    phone = f"+{ {'CN': 86, 'US': 1, 'GB': 44, 'DE': 49, 'AT': 43}[address.country] } 5550{number:04}"
    return Customer(f"C{number:04}", _name(dice, language, address.city), address, phone, _CURRENCY[address.country])


def _supplier(dice: random.Random, number: int) -> Supplier:
    language = dice.choice(("zh", "en", "de"))
    address = _address(dice, language)
    return Supplier(f"S-{number}", _name(dice, language, address.city), address, f"+49 5551{number:04}")


def _name(dice: random.Random, language: str, city: str) -> str:
    first, second, form = (dice.choice(words) for words in _NAMES[language])
    return f"{city}{first}{second}{form}" if language == "zh" else f"{first} {second} {city} {form}"


def _address(dice: random.Random, language: str) -> Address:
    country = dice.choice(_COUNTRIES[language])
    city, region, postal_code = dice.choice(_PLACES[country])
    street, number = dice.choice(_STREETS[country]), dice.randint(1, 299)
    written = {"CN": f"{street}{number}号", "US": f"{number} {street}", "GB": f"{number} {street}"}
    return Address(written.get(country, f"{street} {number}"), city, region, postal_code, country)


def _product(dice: random.Random, number: int) -> Product:
    thing = _THINGS[number % len(_THINGS)]
    kind = _KINDS[number // len(_THINGS) % len(_KINDS)]
    price = cents(Decimal(dice.randint(150, 250_000)) / 100)
    names = {"ZH": f"{thing[1]} {kind[1]} {number}", "DE": f"{thing[2]} {kind[2]} {number}"}
    return Product(
        number=f"P-{number}",
        name=f"{thing[0]}, {kind[0]} {number}",
        price=price,
        currency="EUR",
        unit="KG" if thing[0] in ("Green tea", "Honey") else "PC",
        stock=Decimal(
            0 if number % 12 == 0 else dice.randint(1, 900)
        ),  # few sold out: a snapshot of far fewer rows is refused
        group=f"{number % 8:02}",
        names=names,
    )


def _order(dice: random.Random, number: int, customers: tuple[Customer, ...], products: tuple[Product, ...]) -> Order:
    customer = dice.choice(customers)
    ordered = _TODAY - timedelta(days=dice.randint(0, 60))
    late = _TODAY - ordered < timedelta(days=10)
    lines = tuple(
        Line(
            product.number,
            dice.randint(1, 120),
            cents(product.price * Decimal(dice.randint(80, 110)) / 100),
            Decimal(str(dice.choice(_DISCOUNTS))),
        )
        for product in dice.sample(products, min(dice.randint(1, 6), len(products)))
    )
    return Order(
        number=f"{20000 + number}",
        customer=customer.number,
        ordered_on=ordered,
        requested_on=ordered + timedelta(days=14),
        shipped_on=None if late and dice.random() < 0.7 else min(_TODAY, ordered + timedelta(days=dice.randint(1, 9))),
        carrier=dice.choice(_CARRIERS),
        freight=cents(Decimal(dice.randint(0, 20_000)) / 100),
        ship_to=customer.address,
        currency=customer.currency,
        lines=lines,
    )
