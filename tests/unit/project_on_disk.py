"""A small project on disk, right as it stands, for tests that then make one thing wrong in it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from landbridge.connector import Config, Connector, Entity, Registry, connector
from landbridge.net import Url
from landbridge.secrets import Secret


class ShopConfig(Config):
    """How to reach a shop."""

    url: Url = Field(description="Base address.", examples=["https://shop.example"])
    client: str = Field("", pattern=r"^(\d{3})?$", description="Client.", examples=["100"])
    key: Secret = Field(description="The key.", examples=["env:SHOP_KEY"])
    page_size: int = Field(200, ge=1, le=1000, description="Records asked for at a time.", examples=[200])


@connector("shop", config=ShopConfig)
class Shop(Connector[ShopConfig]):
    """Knows customers and orders; reads stock."""

    entities = {  # noqa: RUF012 - declared as every connector declares it
        "customer": Entity("Buyer", create="B", update="B"),
        "sales_order": Entity("Order", create="C", update="C", lines="rows"),
        "inventory_level": Entity("Stock", snapshot=True),
    }


FILES = {
    "config/systems.yaml": """\
crm:
  connector: shop
  config: {url: "https://crm.example", key: env:CRM_KEY}
erp:
  connector: shop
  config:
    url: env:ERP_URL
    key: env:ERP_KEY
    client: env:ERP_CLIENT
    page_size: 500
  net: {concurrency: 4}
""",
    "config/environments/production.yaml": "{}\n",
    "config/environments/test.yaml": """\
crm:
  config: {url: "https://crm.test.example"}
""",
    "config/ownership.yaml": """\
sales_order:
  fields:
    terms: {owner: erp, when: has_target_id}
  changes:
    - {field: lines.quantities.ordered, at_least: lines.quantities.shipped, else: conflict}
    - {when: cancelled, erp: reject_lines}
""",
    "config/flows/orders_to_erp.yaml": """\
flow: orders_to_erp
extract: {from: crm, entity: sales_order, every: 5m}
resolve: {customer: match}
deliver:
  - {to: erp, entity: sales_order, after: [customer], when: {status: confirmed}, on_delete: reject_lines}
""",
    "config/flows/customers_to_erp.yaml": """\
flow: customers_to_erp
extract: {from: crm, entity: customer}
deliver:
  - {to: erp, entity: customer}
""",
    "schemas/canonical/customer.json": """\
{"type": "object", "properties": {"name": {"type": "string"},
 "extensions": {"type": "object", "additionalProperties": true}}}
""",
    "schemas/canonical/_shared.json": """\
{"$defs": {"line": {"type": "object", "properties": {"line_key": {"type": "string"}, "quantities":
  {"type": "object", "properties": {"ordered": {"type": "string"}, "shipped": {"type": "string"}}}}}}}
""",
    "schemas/canonical/sales_order.json": """\
{"type": "object", "required": ["number"], "properties": {"number": {"type": "string"}, "status": {"type": "string"},
 "terms": {"type": "object", "properties": {"payment": {"type": "string"}}},
 "lines": {"type": "array", "items": {"$ref": "_shared.json#/$defs/line"}}}}
""",
    "schemas/canonical/inventory_level.json": '{"type": "object", "properties": {"site": {"type": "string"}}}\n',
    "mappings/shop/customer.yaml": "entity: customer\nnative: Buyer\nin: {name: Name}\nout: {Name: name}\n",
    "mappings/shop/sales_order.yaml": "entity: sales_order\nnative: Order\nin: {number: No}\nout: {No: number}\n",
}


def write_project(root: Path, **changed: str) -> Path:
    """The project in a folder; `changed` gives other contents by path with `__` for `/` and without `.yaml`."""
    files = FILES | {key.replace("__", "/") + ".yaml": text for key, text in changed.items()}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def registry() -> Registry:
    """A registry with the shop and nothing else."""
    found = Registry(Shop)
    found._entry_points = {}
    return found
