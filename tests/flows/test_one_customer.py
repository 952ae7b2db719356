"""One customer, three systems: the demonstration's chapter with CRM, SAP and a real Tryton, and its check can fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from rich.console import Console

from connectors.tryton import Tryton, TrytonConfig
from landbridge.demo._one_customer import OneCustomer, _bring, one_customer, still_true
from landbridge.demo._project import compose
from landbridge.demo._steward import Steward, steward
from landbridge.errors import Denied
from landbridge.installation import Installation
from landbridge.net import NetSettings, open_http
from landbridge.secrets import Secret
from landbridge.settings import Settings
from landbridge.store import Store
from landbridge.store.embedded import EmbeddedPostgres
from landbridge.strict import yaml as strict_yaml
from landbridge.time import SystemClock
from sandbox._base import serve
from sandbox.demo import World, generate
from sandbox.demo._audit import _customers
from sandbox.demo._subsidiary import Subsidiary
from sandbox.demo._takeover import SHARED, Takeover
from sandbox.tryton import Unobtainable


class People:
    """The company's people, asked without a wire."""

    def __init__(self, takeover: Takeover) -> None:
        self._takeover = takeover

    def ask(self, what: str, **given: str) -> Any:
        return getattr(self._takeover, what)(**given)

    look = ask


@dataclass
class Telling:
    """People who answer one thing, whatever they are asked."""

    answer: Any

    def look(self, what: str) -> Any:
        return self.answer


@dataclass
class Played:
    """The chapter, played by the engine itself instead of by Airflow."""

    installation: Installation
    company: Any
    console: Console = field(default_factory=lambda: Console(file=StringIO(), width=160))
    failures: list[str] = field(default_factory=list)

    def run_here(self, flow: str) -> int:
        return self.installation.engine.run(flow).written

    def said(self) -> str:
        assert isinstance(self.console.file, StringIO)
        return self.console.file.getvalue()


@dataclass
class House:
    """Everything that the tests of this module look at; `customers` is what the chapter left."""

    world: World
    stage: Played
    desk: Steward
    customers: OneCustomer


@pytest.fixture(scope="module")
def subsidiary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subsidiary]:
    made = Subsidiary(tmp_path_factory.mktemp("subsidiary"))
    if made.people() is None:
        made.close()
        pytest.skip(made.missing)
    yield made
    made.close()


@contextmanager
def played(root: Path, url: str, folder: Path, subsidiary: Subsidiary) -> Iterator[House]:
    """The chapter, played to its end in the project that the demonstration runs."""
    world = World(folder / "systems", generate(7, customers=3, products=2, orders=1))
    world.crm.register_client("landbridge", "a-secret-of-this-test")
    world.seed()
    clock = SystemClock()  # Tryton stamps by the machine's own
    with (
        pytest.MonkeyPatch.context() as environ,
        serve(world.crm.app) as crm,
        world.backoffice.serving() as erp,
    ):
        variables = {
            **erp,
            **subsidiary.environment,
            "DEMO_CRM_URL": crm.url,
            "DEMO_CRM_CLIENT_ID": "landbridge",
            "DEMO_CRM_CLIENT_SECRET": "a-secret-of-this-test",
            "CRM_HOOK_TOKEN": "another-secret-of-this-test",
            "LANDBRIDGE_STATE": str(folder / "state"),
            "DEMO_STORE": url.replace("postgresql+psycopg://", "postgresql://"),
        }
        for name, value in variables.items():
            environ.setenv(name, value)
        (folder / "state").mkdir()
        project = compose(root, root / "sandbox" / "demo" / "takeover", folder / "project")
        (project / "config" / "landbridge.yaml").write_text("store: {url: env:DEMO_STORE}\n", encoding="utf-8")
        installation = Installation(project, Settings.load(project, "demo"), Store(url, clock), clock)
        stage = Played(installation, People(Takeover(world, subsidiary)))
        with steward(project, "demo", folder / "state") as desk:
            stage.run_here("customers_to_erp")
            left = one_customer(stage, desk)
            assert left is not None, stage.failures
            yield House(world, stage, desk, left)
        installation.close()
    world.close()


@pytest.fixture(scope="module")
def house(
    root: Path,
    postgres: EmbeddedPostgres,
    database_template: str,
    subsidiary: Subsidiary,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    url = postgres.ensure_database("one_customer", template=database_template)
    with played(root, url, tmp_path_factory.mktemp("house"), subsidiary) as made:
        yield made
    postgres.drop_database("one_customer")


def test_three_records_are_one_and_the_screen_shows_whose_value_each_is(house: House) -> None:
    said = house.stage.said()
    assert house.stage.failures == []
    for one in SHARED:
        assert (f"{one.crm.name}: golden" in said) is one.twin, "each that is certain has its table"
    assert "≠ Suzhou Xingchen Electronics Co., Ltd." in said and "≠ 星辰电子(苏州)有限公司" in said
    assert re.search(r"einkauf@hanse\.example +subsidiary \(only\)", said), "the house alone knew it"
    assert "crm (recent)" in said and "each (all)" in said
    for one in house.customers.truth:
        if not one["doubtful"]:
            assert all(f"{system}:{number}" in said for system, number in one["numbers"].items())


def test_nobody_was_entered_twice_and_the_erp_has_the_names_of_the_crm(house: House) -> None:
    names = [one["OrganizationBPName1"] for one in house.world.erp.records("A_BusinessPartner")]
    assert sorted(name for name in names if name in {one.crm.name for one in SHARED}) == sorted(
        one.crm.name for one in SHARED
    )
    assert house.stage.company.look("untold") == []
    assert [*_customers(house.world)] == []


def test_one_pair_is_left_to_the_steward_with_a_waterfall_that_sums(house: House) -> None:
    [(a, b)] = house.customers.doubtful()
    [asked] = house.desk.queue()
    assert {asked["a"]["named"], asked["b"]["named"]} == {a, b}
    pair = house.desk.pair(a, b)
    assert sum(step["bits"] + step["rarity_bits"] for step in pair["steps"]) == pytest.approx(pair["weight"])
    said = house.stage.said()
    assert f"{pair['weight']:+.2f}  sum" in said
    assert "taken back: two, with the hashes of before" in said
    assert f"steward decide customer same {a} {b}" in said


def test_everything_again_writes_nothing_and_is_still_true(house: House) -> None:
    house.world.mark()
    counts = {
        flow: house.stage.installation.engine.run(flow).written for flow in (*house.customers.feeds, "customers_to_erp")
    }
    assert set(counts.values()) == {0}
    assert house.world.changed() == []
    assert still_true(house.stage, house.customers) == []
    assert "3 customers of 3 systems" in house.stage.said()


def test_a_wrong_merge_is_told_and_gone_when_it_is_taken_back(house: House) -> None:
    [(a, b)] = house.customers.doubtful()
    decision = house.desk.same(a, b)
    told = still_true(house.stage, house.customers)
    assert f"{a} and {b} are one golden record, but nobody decided that" in told
    assert any("another one than before" in one for one in told)
    house.desk.undo(decision)
    assert still_true(house.stage, house.customers) == []


def test_a_customer_that_was_parted_is_told(house: House) -> None:
    crm, erp, theirs = house.customers.certain()[0]
    decision = house.desk.decide("different", theirs, crm)
    told = still_true(house.stage, house.customers)
    assert f"{crm}, {erp}, {theirs}: one customer, but 2 golden records" in told
    assert f"{crm}, {erp}, {theirs}: one customer, but 2 subjects of the cross-reference" in told
    house.desk.undo(decision)
    assert still_true(house.stage, house.customers) == []


def test_a_customer_that_stands_twice_in_the_erp_is_told(house: House) -> None:
    one = SHARED[0]
    number = house.world.erp.seed_partner(
        one.crm.name, country=one.country, city=one.crm.city, postal_code=one.postal_code, phone=one.crm.phone
    )
    told = still_true(house.stage, house.customers)
    assert any("entered once in erp" in line and number in line for line in told)
    assert any("does not know einkauf@hanse.example" in line for line in told) is False


def test_what_no_flow_brings_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landbridge.demo._one_customer._WITHIN", 0.0)
    told = [{"name": "Nobody", "numbers": {"crm": "0015g00000NOBODYAAA"}, "doubtful": False}]
    stage = Played(house.stage.installation, Telling(told))
    _bring(stage, OneCustomer(house.desk, {"crm": "CRM"}), ("customers_to_erp",))
    assert stage.failures == ["crm:0015g00000NOBODYAAA: entered, but no flow brought it within 0 s"]


def test_without_a_tryton_the_chapter_is_shown_with_two_systems(
    root: Path, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*given: object, **named: object) -> None:
        raise Unobtainable("Tryton could not be fetched from the package index: unreachable.")

    monkeypatch.setattr("sandbox.demo._subsidiary.Tryton", nowhere)
    subsidiary = Subsidiary(tmp_path / "subsidiary")
    with closing(subsidiary), played(root, database_url, tmp_path, subsidiary) as two:
        assert two.stage.failures == []
        said = two.stage.said()
        assert "the house's own system cannot be had, so two are shown" in said and "unreachable" in said
        assert two.customers.feeds == ("customers_of_erp",) and two.customers.doubtful() == []
        assert still_true(two.stage, two.customers) == []


def test_of_a_tryton_with_few_modules_only_the_entities_that_are_used_are_asked_for(subsidiary: Subsidiary) -> None:
    told = subsidiary.environment
    secret = Secret.plain(told["DEMO_SUBSIDIARY_PASSWORD"])
    given: dict[str, Any] = {"url": told["DEMO_SUBSIDIARY_URL"], "database": "erp", "user": "landbridge"}

    def connector(*entities: str) -> Tryton:
        config = TrytonConfig(**given, password=secret, deletions=False, entities=entities)
        clock = SystemClock()
        return Tryton("subsidiary", config, open_http("subsidiary", config, NetSettings(), clock=clock), clock)

    assert connector("customer").check().organisation.startswith("erp/")
    with pytest.raises(Denied, match=r"read sale\.sale, whose module is not installed"):
        connector().check()
    with pytest.raises(ValidationError, match="'order' is not known here; known are customer, supplier"):
        connector("order")


def test_the_third_systems_files_differ_from_the_projects_own_only_by_it(root: Path) -> None:
    theirs = root / "sandbox" / "demo" / "takeover"
    for name in ("systems.yaml", "environments/demo.yaml"):
        ours, other = (dict(strict_yaml.load_file(folder / name).value) for folder in (root / "config", theirs))
        assert other.pop("subsidiary")
        assert other == ours, name
