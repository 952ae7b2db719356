"""Everything under config/ is read strictly, and every problem of every file is told at once, at its place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from project_on_disk import FILES, registry, write_project

from landbridge.errors import ConfigError
from landbridge.settings import Settings, load_flow
from landbridge.settings._origin import merged
from landbridge.strict import Node, yaml


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CRM_KEY": "k1",
        "ERP_KEY": "k2",
        "ERP_URL": "https://erp.example/api",
        "ERP_CLIENT": "100",
    }.items():
        monkeypatch.setenv(name, value)


def problems(root: Path, **options: object) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        Settings.load(root, registry=registry(), **options)  # type: ignore[arg-type]  # options of load
    return [str(problem) for problem in raised.value.problems]


def changed(file: str, old: str, new: str) -> dict[str, str]:
    text = FILES[file]
    assert old in text
    return {file.removesuffix(".yaml").replace("/", "__"): text.replace(old, new)}


ORDERS = "config/flows/orders_to_erp.yaml"
SYSTEMS = "config/systems.yaml"
OWNERSHIP = "config/ownership.yaml"


@pytest.mark.usefixtures("keys")
def test_a_right_project_loads_into_typed_frozen_settings(tmp_path: Path) -> None:
    settings = Settings.load(write_project(tmp_path), registry=registry())
    flow = settings.flow("orders_to_erp")
    assert flow.extract.every == timedelta(minutes=5)
    assert flow.deliver[0].when == {"status": ("confirmed",)}
    assert list(flow.routes) == ["orders_to_erp/erp"]
    assert flow.policy("customer") == "match"
    erp = settings.system("erp")
    assert erp.config.url == "https://erp.example/api"  # type: ignore[attr-defined]  # the shop's own model
    assert (erp.net.concurrency, erp.mapping) == (4, "shop")
    rules = settings.owned("sales_order")
    assert rules.owner("terms.payment") == rules.fields["terms"]
    assert rules.on("cancelled", "erp", "shop") == "reject_lines"
    assert settings.mapping("erp", "customer") == tmp_path / "mappings/shop/customer.yaml"
    with pytest.raises(ValueError, match="frozen"):
        flow.batch = 1  # type: ignore[misc]  # that it is refused is what is tested


@pytest.mark.usefixtures("keys")
def test_a_flow_may_deliver_to_the_hub_alone_and_only_where_there_is_one(tmp_path: Path) -> None:
    text = "flow: NAME\nextract: {from: crm, entity: customer}\nresolve: {customer: POLICY}\ndeliver: []\n"
    flow = tmp_path / "config/flows/lone.yaml"
    root = write_project(tmp_path)
    flow.write_text(text.replace("NAME", "lone").replace("POLICY", "match"))
    [told] = problems(root)
    assert told.startswith("config/flows/lone.yaml:4:10  deliver is empty, and the hub keeps no customer")
    (root / "config/mdm").mkdir()
    (root / "config/mdm/customer.yaml").write_text("entity: customer\n")
    loaded = Settings.load(root, registry=registry()).flow("lone")
    assert (loaded.deliver, list(loaded.routes), list(loaded.taken)) == ((), [], ["lone/hub"])
    flow.write_text(text.replace("NAME", "lone").replace("POLICY", "none"))
    [told] = problems(root)
    assert "deliver is empty, and the hub is not asked either" in told and "resolve: {customer: match}" in told
    flow.write_text("flow: lone\nextract: {from: crm, entity: customer}\n")
    assert any("deliver is missing" in line for line in problems(root)), "nobody forgets where a flow goes"


@pytest.mark.usefixtures("keys")
def test_an_environment_overrides_addresses(tmp_path: Path) -> None:
    write_project(tmp_path)
    production = Settings.load(tmp_path, registry=registry())
    test = Settings.load(tmp_path, "test", registry())
    assert production.environment == "production"
    assert production.system("crm").config.url == "https://crm.example"  # type: ignore[attr-defined]  # the shop's
    assert test.system("crm").config.url == "https://crm.test.example"  # type: ignore[attr-defined]  # the shop's
    assert production.revision != test.revision


def test_another_way_to_log_in_leaves_nothing_of_the_first_one() -> None:
    def node(text: str) -> Node:
        return yaml.load(text, file="x.yaml")

    base = node(
        "auth: {type: oauth2, token_url: https://a.example, client_id: a, scope: all}\nurl: https://a.example\n"
    )
    other = merged(base, node("auth: {type: basic, user: b, password: env:B}\n"))
    assert other is not None
    assert other["auth"].keys() == ("type", "user", "password")
    assert other["url"].value == "https://a.example"
    same = merged(base, node("auth: {type: oauth2, client_id: b}\n"))
    assert same is not None
    assert (same["auth"]["client_id"].value, same["auth"]["scope"].value) == ("b", "all")


@pytest.mark.usefixtures("keys")
def test_the_revision_changes_with_any_file_and_only_then(tmp_path: Path) -> None:
    write_project(tmp_path)
    first = Settings.load(tmp_path, registry=registry()).revision
    assert Settings.load(tmp_path, registry=registry()).revision == first
    write_project(tmp_path, **changed(OWNERSHIP, "owner: erp", "owner: crm"))
    assert Settings.load(tmp_path, registry=registry()).revision != first


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "words"),
    [
        (ORDERS, "deliver:", "delivr:", ":4:1", "delivr is not known here. Did you mean 'deliver'?"),
        (ORDERS, "every: 5m", "every: 5", ":2:50", "number with a unit"),
        (ORDERS, "from: crm", "from: crn", ":2:17", "'crn' is not in config/systems.yaml. Did you mean 'crm'?"),
        (ORDERS, "to: erp", "to: epr", ":5:10", "'epr' is not in config/systems.yaml. Did you mean 'erp'?"),
        (ORDERS, "{customer: match}", "{custmer: match}", ":3:11", "'custmer' is no canonical entity. Did you mean"),
        (ORDERS, "{customer: match}", "{customer: mach}", ":3:21", "Did you mean 'match'?"),
        (ORDERS, "after: [customer]", "after: [cust]", ":5:44", "'cust' is no canonical entity."),
        (ORDERS, "{status:", "{statsu:", ":5:62", "sales_order has no 'statsu'. Did you mean 'status'?"),
        (ORDERS, "flow: orders_to_erp", "flow: orders", ":1:7", "not the name of its file. Write 'orders_to_erp'"),
        (ORDERS, "entity: sales_order, every", "entity: supplier, every", ":2:30", "'supplier' is no canonical"),
        (ORDERS, "on_delete: reject_lines", "on_delete: delete", ":5:93", "erp cannot delete sales_order. Use block"),
        (ORDERS, "to: erp", "to: crm", ":5:10", "cannot deliver into the feed it reads"),
        (ORDERS, "resolve:", "check: {quality: strict}\nresolve:", ":3:18", "config/quality/strict.yaml is not there"),
        (SYSTEMS, "connector: shop\n  config: {", "connector: shpo\n  config: {", ":2:14", "Did you mean 'shop'?"),
        (
            SYSTEMS,
            "page_size: 500",
            "page_sise: 500",
            ":10:5",
            "page_sise is not known here. Did you mean 'page_size'?",
        ),
        (SYSTEMS, "page_size: 500", "page_size: 5000", ":10:16", "less than or equal to 1000"),
        (SYSTEMS, "key: env:ERP_KEY", "key: hunter2", ":8:10", "a plain value"),
        (SYSTEMS, "concurrency: 4", "concurency: 4", ":11:9", "Did you mean 'concurrency'?"),
        (OWNERSHIP, "owner: erp", "owner: erb", ":3:20", "'erb' is not in config/systems.yaml. Did you mean 'erp'?"),
        (OWNERSHIP, "terms:", "term:", ":3:5", "sales_order has no 'term'. Did you mean 'terms'?"),
        (OWNERSHIP, "quantities.shipped", "quantities.shiped", ":5:51", "Did you mean 'shipped'?"),
        (
            OWNERSHIP,
            "erp: reject_lines",
            "epr: reject_lines",
            ":6:25",
            "neither a system nor a connector. Did you mean",
        ),
        (OWNERSHIP, "fields:", "felds:", ":2:3", "felds is not known here. Did you mean 'fields'?"),
        (OWNERSHIP, "sales_order:", "sale_order:", ":1:1", "no canonical entity. Did you mean 'sales_order'?"),
    ],
)
@pytest.mark.usefixtures("keys")
def test_one_mistake_is_one_problem_at_its_place(
    tmp_path: Path, file: str, old: str, new: str, place: str, words: str
) -> None:
    told = problems(write_project(tmp_path, **changed(file, old, new)))
    assert any(line.startswith(f"{file}{place}  ") and words in line for line in told), told
    assert "hunter2" not in "".join(told)


@pytest.mark.usefixtures("keys")
def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    write_project(
        tmp_path,
        **changed(ORDERS, "from: crm", "from: crn"),
        **changed(SYSTEMS, "page_size: 500", "page_size: x"),
        **changed(OWNERSHIP, "terms:", "term:"),
        config__flows__broken="flow: broken\nflow: twice\n",
    )
    told = problems(tmp_path)
    assert {line.split(":")[0] for line in told} == {ORDERS, SYSTEMS, OWNERSHIP, "config/flows/broken.yaml"}


@pytest.mark.usefixtures("keys")
def test_two_flows_with_one_name_are_refused(tmp_path: Path) -> None:
    write_project(tmp_path, config__flows__again=FILES[ORDERS])
    told = problems(tmp_path)
    assert any("flow 'orders_to_erp' is already in config/flows/again.yaml" in line for line in told)
    assert any(line.startswith("config/flows/again.yaml:1:7") and "not the name of its file" in line for line in told)


@pytest.mark.usefixtures("keys")
def test_two_routes_with_one_key_are_refused_and_a_name_tells_them_apart(tmp_path: Path) -> None:
    twice = FILES[ORDERS] + "  - {to: erp, entity: sales_order}\n"
    told = problems(write_project(tmp_path, config__flows__orders_to_erp=twice))
    assert told == [
        f"{ORDERS}:6:5  deliver[1] is the same route as deliver[0]: orders_to_erp/erp/sales_order. "
        "Give one of them a `name`, or remove it."
    ]
    named = twice.replace("entity: sales_order}", "entity: sales_order, name: late}")
    flow = Settings.load(write_project(tmp_path, config__flows__orders_to_erp=named), registry=registry()).flows
    assert list(flow["orders_to_erp"].routes) == ["orders_to_erp/erp/sales_order", "orders_to_erp/erp/sales_order/late"]


@pytest.mark.usefixtures("keys")
def test_a_target_that_only_reads_an_entity_is_refused(tmp_path: Path) -> None:
    flow = "flow: stock\nextract: {from: erp, entity: inventory_level}\ndeliver: [{to: crm, entity: inventory_level}]\n"
    told = problems(write_project(tmp_path, config__flows__stock=flow))
    assert any("crm cannot write inventory_level; its connector only reads it." in line for line in told)
    assert any("mappings/shop/inventory_level.yaml is not there. It needs `in:`" in line for line in told)


@pytest.mark.usefixtures("keys")
def test_a_mapping_without_the_needed_direction_is_told_and_extends_counts(tmp_path: Path) -> None:
    write_project(tmp_path, mappings__shop__customer="entity: customer\nin: {name: Name}\n")
    assert problems(tmp_path) == [
        "config/flows/customers_to_erp.yaml:4:23  mappings/shop/customer.yaml has no `out:`, which this flow needs. "
        "Write it there."
    ]
    write_project(
        tmp_path,
        mappings__shop__customer=FILES["mappings/shop/customer.yaml"],
        mappings__emea__customer="extends: shop/customer\nin: {name: Label}\n",
        **changed(SYSTEMS, "connector: shop\n  config:\n", "connector: shop\n  mapping: emea\n  config:\n"),
    )
    settings = Settings.load(tmp_path, registry=registry())
    assert settings.mapping("erp", "customer") == tmp_path / "mappings/emea/customer.yaml"
    assert settings.mapping("erp", "sales_order") == tmp_path / "mappings/shop/sales_order.yaml"


@pytest.mark.usefixtures("keys")
def test_an_environment_says_addresses_and_secrets_only(tmp_path: Path) -> None:
    text = "crm:\n  config: {url: https://t.example, page_size: 7}\n  mapping: other\nerq:\n  config: {}\n"
    told = problems(write_project(tmp_path, config__environments__test=text), environment="test")
    assert any("environments/test.yaml:3:3  mapping is not known here" in line for line in told)
    assert any("test.yaml:4:1  system 'erq' is not in systems.yaml. Did you mean 'erp'?" in line for line in told)
    text = "crm:\n  config: {url: https://t.example, page_size: 7}\n  net: {concurrency: 9, ca: /tls/ca.pem}\n"
    told = problems(write_project(tmp_path, config__environments__test=text), environment="test")
    assert [line.split("  ")[0] for line in told] == [f"config/environments/test.yaml:{at}" for at in ("2:36", "3:9")]
    assert "config.page_size is neither an address nor a secret" in told[0]


def test_an_unset_address_and_secret_say_where_was_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CRM_KEY", "ERP_KEY", "ERP_URL", "ERP_CLIENT"):
        monkeypatch.delenv(name, raising=False)
    told = problems(write_project(tmp_path))
    assert any(f"{SYSTEMS}:7:10  url: env:ERP_URL is not set. Looked in: environment variable" in one for one in told)
    assert any(f"{SYSTEMS}:8:10  key: env:ERP_KEY is not set. Looked in: environment variable" in one for one in told)
    assert len(told) == 4


def test_offline_needs_no_secret_and_checks_every_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CRM_KEY", "ERP_KEY", "ERP_URL", "ERP_CLIENT"):
        monkeypatch.delenv(name, raising=False)
    write_project(tmp_path)
    assert Settings.load(tmp_path, registry=registry(), offline=True).systems.keys() == {"crm", "erp"}
    write_project(tmp_path, config__environments__test="crm:\n  config: {ulr: https://t.example}\n")
    told = problems(tmp_path, offline=True)
    assert told == ["config/environments/test.yaml:2:12  ulr is not known here. Did you mean 'url'?"]


@pytest.mark.usefixtures("keys")
def test_only_one_flow_is_read_where_only_one_is_asked_for(tmp_path: Path) -> None:
    write_project(tmp_path, config__flows__broken="flow: [\n")
    settings = Settings.load(tmp_path, registry=registry(), only="customers_to_erp")
    assert settings.flows.keys() == {"customers_to_erp"}
    assert load_flow(tmp_path, "customers_to_erp") == settings.flows["customers_to_erp"]
    with pytest.raises(ConfigError, match=r"flow 'custmers_to_erp' is not there\. Did you mean 'customers_to_erp'\?"):
        load_flow(tmp_path, "custmers_to_erp")


@pytest.mark.usefixtures("keys")
def test_a_flow_file_with_another_ending_is_not_silently_left_out(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "config/flows/late.yml").write_text("flow: late\n", encoding="utf-8")
    assert problems(tmp_path) == [
        "config/flows/late.yml  only *.yaml is read here. Name it .yaml, or move it elsewhere."
    ]


def test_a_folder_that_is_no_project_says_so(tmp_path: Path) -> None:
    told = problems(tmp_path, offline=True)
    assert told[0].startswith("config/systems.yaml  this file is not there. A project has it; is ")


@pytest.mark.usefixtures("keys")
def test_feeds_are_read_at_the_shortest_interval_and_disabled_flows_do_not_count(tmp_path: Path) -> None:
    again = FILES[ORDERS].replace("flow: orders_to_erp", "flow: again")
    write_project(tmp_path, config__flows__again=again.replace("5m", "90s"))
    settings = Settings.load(tmp_path, registry=registry())
    assert settings.feeds()["crm", "sales_order"] == timedelta(seconds=90)
    assert [flow.flow for flow in settings.subscribers("crm", "sales_order")] == ["again", "orders_to_erp"]
    write_project(tmp_path, config__flows__again=again.replace("5m", "90s") + "enabled: false\n")
    assert Settings.load(tmp_path, registry=registry()).feeds()["crm", "sales_order"] == timedelta(minutes=5)


@pytest.mark.usefixtures("keys")
def test_a_route_that_names_no_entity_writes_the_flows_own(tmp_path: Path) -> None:
    write_project(tmp_path, **changed("config/flows/customers_to_erp.yaml", "to: erp, entity: customer", "to: erp"))
    flow = Settings.load(tmp_path, registry=registry()).flow("customers_to_erp")
    assert flow.deliver[0].entity == "customer"
    write_project(tmp_path, **changed("config/flows/customers_to_erp.yaml", "to: erp, entity: customer", "to: erq"))
    assert any(":4:10  system 'erq' is not in config/systems.yaml." in line for line in problems(tmp_path))


@pytest.mark.usefixtures("keys")
def test_what_this_version_does_not_act_on_is_told_and_never_silently_ignored(tmp_path: Path) -> None:
    write_project(
        tmp_path, **changed(ORDERS, "every: 5m}", "every: 5m, webhook: true, start: {documents: open}}\nrealtime: dag")
    )
    settings = Settings.load(tmp_path, registry=registry())
    assert [str(one).split(";")[0] for one in settings.warnings] == [
        f"{ORDERS}:2:63  extract.webhook: crm declares no `webhook`, so none is taken and it is polled only. "
        "Say in systems.yaml how its webhooks prove themselves.",
        f"{ORDERS}:2:69  extract.start: this version does not act on it",
    ]
    derive = "derive: {entity: sales_order, from: sales_order, when: won}\nresolve:"
    told = problems(write_project(tmp_path, **changed(ORDERS, "resolve:", derive)))
    assert any(line.startswith(f"{ORDERS}:3:1  derive: this version does not act on it;") for line in told)
