"""How quick configuration is: `landbridge check` over 300 flows and 300 mappings, and one flow's DAG in a task.

    python benchmarks/check.py [--flows 300] [--runs 3]

`check_300_s` is the wall time of a cold process, the median of the runs. `parse_one_ms` is the CPU time that the DAG
file takes in a task's process, where Airflow is imported already and only the task's own flow is wanted; where there
is no DAG file or no Airflow it is that of reading the one flow, and the output says so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTITIES = ("customer", "supplier", "product", "sales_order")
GOALS = {"check_300_s": 3.0, "parse_one_ms": 50.0}

PARTY = """\
entity: {entity}
native: {native}
in:
  number: Id
  name: Name | trim
  legal_name: Register.Name | trim
  kind: {{from: IsCompany, choose: {{true: company, false: person}}}}
  identifiers:
    - {{scheme: vat, value: VatNumber | upper}}
  currency: CurrencyIsoCode
  addresses:
    each: Addresses
    role: Role | lower
    street: Street
    city: City
    postal_code: PostalCode
    country: Country
  emails:
    each: Emails
    address: Address | lower | trim
  terms: {{payment: PaymentTerms, incoterm: Incoterm}}
  blocked: IsBlocked
  changed_at: LastModifiedDate | instant
out:
  Name: name | trim
  IsCompany: {{from: kind, choose: {{company: true, person: false}}}}
  VatNumber: {{from: "identifiers[scheme=vat].value"}}
  CurrencyIsoCode: currency
  Addresses:
    each: addresses
    Role: role | upper
    Street: street
    City: city
    PostalCode: postal_code
    Country: country
  PaymentTerms: terms.payment
  Incoterm: terms.incoterm
  Source__c: {{const: instance_{number}}}
tests:
  - name: a company with a messy tax number
    in:
      given: {{Id: "7", Name: " Acme ", VatNumber: de123456789, IsCompany: true, CurrencyIsoCode: EUR}}
      contains: {{number: "7", name: Acme, kind: company}}
"""
PRODUCT = """\
entity: {entity}
native: {native}
in:
  number: ProductCode
  name: Name | trim
  base_unit: Unit
  kind: {{const: goods}}
  brand: Brand
  names:
    each: Descriptions
    language: Language | lower
    text: Text | trim
  units:
    each: Units
    unit: Unit
    numerator: Numerator | text
    denominator: Denominator | text
    gtin: Gtin
  weight: {{gross: {{value: Weight | text, unit: {{const: KGM}}}}}}
  origin: Origin
  changed_at: LastModifiedDate | instant
out:
  ProductCode: number
  Name: name | trim
  Unit: base_unit
  Brand: brand
  Descriptions:
    each: names
    Language: language | upper
    Text: text
  Units:
    each: units
    Unit: unit
    Gtin: gtin
  Origin: origin
  Source__c: {{const: instance_{number}}}
"""
ORDER = """\
entity: {entity}
native: {native}
in:
  number: OrderNumber
  customer_po: PoNumber
  status: {{from: Status, choose: {{Draft: draft, Activated: open, Closed: closed}}}}
  ordered_on: EffectiveDate | date
  currency: CurrencyIsoCode
  parties:
    - {{role: sold_to, ref: {{customer: AccountId}}}}
    - role: ship_to
      address: {{street: ShippingStreet, city: ShippingCity, postal_code: ShippingPostalCode, country: ShippingCountry}}
  terms: {{payment: PaymentTerms, incoterm: Incoterm}}
  lines:
    each: OrderItems.records
    line_key: Id
    position: ItemNumber
    product: {{ref: {{product: Product2Id}}}}
    description: Description | trim
    quantities: {{ordered: {{value: Quantity | text, unit: Unit}}}}
    price: {{amount: UnitPrice | text, currency: ../CurrencyIsoCode, per: {{value: {{const: "1"}}, unit: Unit}}}}
  changed_at: LastModifiedDate | instant
out:
  OrderNumber: number
  PoNumber: customer_po
  Status: {{from: status, choose: {{draft: Draft, open: Activated, closed: Closed}}}}
  EffectiveDate: ordered_on
  CurrencyIsoCode: currency
  AccountId: parties[role=sold_to].ref | target_id(customer)
  ShippingStreet: "parties[role=ship_to].address.street"
  ShippingCity: "parties[role=ship_to].address.city"
  OrderItems:
    each: lines
    ItemNumber: line_key | line_id
    Product2Id: product.ref | target_id(product)
    Quantity: quantities.ordered.value
    Unit: quantities.ordered.unit
    UnitPrice: price.amount
  Source__c: {{const: instance_{number}}}
"""
MAPPINGS = {"customer": PARTY, "supplier": PARTY, "product": PRODUCT, "sales_order": ORDER}


def generate(root: Path, flows: int) -> tuple[int, int]:
    """A project with that many flows, as many mappings, and pairs of systems; returns (flows, mappings)."""
    for name in ("flows", "environments"):
        (root / "config" / name).mkdir(parents=True)
    (root / "schemas").mkdir()
    (root / "schemas" / "canonical").symlink_to(ROOT / "schemas" / "canonical")
    (root / "config" / "environments" / "production.yaml").write_text("{}\n", encoding="utf-8")
    systems: list[str] = []
    written = 0
    for pair in range(flows):
        if written >= flows:
            break
        systems += [_system(f"crm_{pair}", "salesforce", _CRM), _system(f"erp_{pair}", "sap_s4", _ERP)]
        for entity in ENTITIES[: max(1, min(len(ENTITIES), (flows - written) // 2))]:
            for source, target in ((f"crm_{pair}", f"erp_{pair}"), (f"erp_{pair}", f"crm_{pair}")):
                _mapping(root, source, entity, pair)
                _flow(root, source, target, entity)
                written += 1
    (root / "config" / "systems.yaml").write_text("".join(systems), encoding="utf-8")
    return written, len(list((root / "mappings").rglob("*.yaml")))


_CRM = "{url: env:CRM_URL, client_id: landbridge, client_secret: env:CRM_SECRET}"
_ERP = '{url: env:ERP_URL, client: "100", user: LANDBRIDGE, password: env:ERP_PASSWORD}'


def _system(name: str, connector: str, config: str) -> str:
    return f"{name}:\n  connector: {connector}\n  mapping: {name}\n  config: {config}\n  net: {{concurrency: 4}}\n"


def _mapping(root: Path, system: str, entity: str, number: int) -> None:
    path = root / "mappings" / system / f"{entity}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MAPPINGS[entity].format(entity=entity, native=f"Native_{entity}", number=number), encoding="utf-8")


def _flow(root: Path, source: str, target: str, entity: str) -> None:
    name = f"{entity}_{source}_to_{target}"
    after = ", after: [customer, product]" if entity == "sales_order" else ""
    text = (
        f"flow: {name}\nsummary: {entity} from {source} to {target}.\nowner: benchmark\n"
        f"extract: {{from: {source}, entity: {entity}, every: 15m}}\n"
        "resolve: {customer: match, product: require}\n"
        f"deliver:\n  - {{to: {target}, entity: {entity}{after}, when: {{number: [a, b]}}}}\n"
        "retry: {attempts: 8, first: 2s, longest: 10m, within: 24h}\nunknown: {settle: 15m}\n"
    )
    (root / "config" / "flows" / f"{name}.yaml").write_text(text, encoding="utf-8")


def check_seconds(root: Path, runs: int) -> float:
    """The median wall time of a cold `landbridge check`."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        code = "from landbridge.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "-C", str(root), "check"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        taken.append(time.perf_counter() - started)
        if done.returncode != 0:
            sys.exit(f"check failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        print(f"  check: {taken[-1]:.2f} s  {done.stdout.strip()}")
    return statistics.median(taken)


PARSE_DAG = """
import os, runpy, sys, time
import airflow.dag_processing.dagbag, airflow.sdk.execution_time.task_runner  # a task imports these before it parses
os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = os.environ["FLOW"]
started = time.process_time()
found = runpy.run_path(sys.argv[1])
taken = time.process_time() - started
assert len(found[os.environ["FLOW"]].tasks) > 1, "the DAG says that its flow is wrong"
print(taken * 1000)
"""
PARSE_FLOW = """
import os, time
from pathlib import Path
import pydantic, yaml
class Loaded(pydantic.BaseModel):
    number: int = 1
Loaded.model_validate({})
started = time.process_time()
from landbridge.settings import load_flow
load_flow(Path(os.environ["LANDBRIDGE_ROOT"]), os.environ["FLOW"])
print((time.process_time() - started) * 1000)
"""


def parse_ms(root: Path, runs: int) -> tuple[float, str]:
    """The median CPU time for one flow in a task's process, and what was measured."""
    flow = sorted((root / "config" / "flows").glob("*.yaml"))[0].stem
    dags = root / "dags" / "flows.py"
    shipped = ROOT / "dags" / "flows.py"
    code, what = PARSE_FLOW, "reading one flow; no DAG file or no Airflow here"
    if shipped.is_file() and _has_airflow():
        code, what = PARSE_DAG, "dags/flows.py, one flow"
        dags.parent.mkdir()
        shutil.copyfile(shipped, dags)
    environment = os.environ | {
        "LANDBRIDGE_ROOT": str(root),
        "FLOW": flow,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(root / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    taken = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", code, str(dags)],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        taken.append(float(done.stdout.split()[-1]))
    return statistics.median(taken), what


def _has_airflow() -> bool:
    from importlib.util import find_spec

    return find_spec("airflow") is not None


def main() -> None:
    """Measure and print; the last line is the JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--flows", type=int, default=300, help="how many flows and mappings")
    arguments.add_argument("--runs", type=int, default=3, help="how often each is measured")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="landbridge-check-") as folder:
        root = Path(folder)
        flows, mappings = generate(root, options.flows)
        print(f"{flows} flows, {mappings} mappings")
        seconds = check_seconds(root, options.runs)
        milliseconds, what = parse_ms(root, options.runs)
        print(f"  parse ({what}): {milliseconds:.1f} ms of CPU")
    figures = {"check_300_s": round(seconds, 2), "parse_one_ms": round(milliseconds, 1)}
    for key, goal in GOALS.items():
        print(f"  {key} {figures[key]} (goal < {goal:g}){'' if figures[key] < goal else '  MISSED'}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
