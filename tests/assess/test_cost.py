"""Cost: price books, what is charged for what, and that nothing unknown ever looks like nothing or like a saving."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.assess.test_books import _checkable, installed
from tests.assess.test_effects_book import _inputs_of_stacks
from tests.plan import previews as p
from tollgate.assess.cost import cost
from tollgate.assess.impact import Cost, Money, Priced
from tollgate.books import line_files, price_book
from tollgate.books.lines import property_path
from tollgate.books.match import load_book, matches
from tollgate.books.meter_book import Meter, MeterLine, meter_book, meters_of, usage_book
from tollgate.books.price_book import PriceBook, PriceItem, Tier, price_books, read_prices
from tollgate.errors import TollgateError
from tollgate.plan.read import read_plan

NAT = "aws:ec2/natGateway:NatGateway"
KEY = "aws:kms/key:Key"
ROLE = "aws:iam/role:Role"
VM = "aws:ec2/instance:Instance"
NODES = "aws:eks/nodeGroup:NodeGroup"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
CNPG = "kubernetes:postgresql.cnpg.io/v1:Cluster"
EAST, HERE = "us-east-1", "ap-southeast-1"
_METERS = [(line, meter) for line in meter_book().lines for meter in line.meters]
_ITEMS = [item for book in price_books().values() for item in book.items]
_HOURS = Decimal(730)


def of(*steps: dict[str, Any], region: str = EAST, **more: Any) -> Cost:
    return cost(read_plan(p.digest(*steps)), region=region, **more)


def price(meter: str, region: str = EAST, **match: Any) -> Decimal:
    item = price_books()[region].find(
        meter, {name: str(value).lower() if isinstance(value, bool) else value for name, value in match.items()}
    )
    assert item
    assert item.price is not None
    return item.price


def money(low: Decimal | int, high: Decimal | int) -> Money:
    return Money(low=Decimal(low), high=Decimal(high))


# The books


@pytest.mark.parametrize("item", _ITEMS, ids=lambda item: f"{Path(item.file).stem}:{item.line}")
def test_the_price_can_be_found(item: PriceItem) -> None:
    """Some resource is charged by this meter with these dimensions, and the price has its place and source."""
    assert any(meter.meter == item.meter and meter.match.keys() == item.match.keys() for _, meter in _METERS)
    assert item.line > 0
    assert "as of" in item.source


def test_every_book_says_when_it_was_read_and_is_told_apart_by_its_digest() -> None:
    books = price_books()
    assert {HERE, EAST} <= books.keys()
    assert len({book.digest for book in books.values()}) == len(books)
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\d", day) for book in books.values() for day in (book.effective, book.review_by)
    )


def test_every_assumption_is_used_and_has_a_source() -> None:
    assert {meter.usage for _, meter in _METERS if meter.usage} == usage_book().keys()
    assert all(usage.source for usage in usage_book().values())


@pytest.mark.parametrize("token", sorted({t for line in meter_book().lines for t in line.types if _checkable(t)}))
def test_the_type_exists(token: str) -> None:
    assert any(matches(known, [token]) for known in installed()), token


@pytest.mark.parametrize(
    ("line", "meter"), _METERS, ids=lambda each: each.id if isinstance(each, MeterLine) else each.meter
)
def test_the_property_exists(line: MeterLine, meter: Meter) -> None:
    paths = (
        [dimension.path for dimension in meter.match.values()] + [each.path for each in meter.times] + list(meter.when)
    )
    for token in (token for token in line.types if token.startswith("aws:")):
        for top in (str(property_path(path)[0]) for path in paths if path):
            snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", top).lower()
            assert f"{snake}:" in installed()[token], (token, top)


def test_it_is_known_of_every_type_of_our_stacks_whether_it_is_charged() -> None:
    assert [token for token in _inputs_of_stacks() if meters_of(token) is None] == []


def _damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    for module in (line_files, price_book):
        monkeypatch.setattr(module, "FOLDER", tmp_path / "tollgate" / "books")
    file = tmp_path / "tollgate" / "books" / "prices" / "some.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(TollgateError) as caught:
        read_prices(file)
    return str(caught.value)


_HEAD = """schema: pricebook/1
id: some
region: moon-1
currency: USD
effective: "2026-01-01"
review_by: "2027-01-01"
hours_per_month: 730
sources: {here: {ref: a page, as_of: "2026-01-01"}}
items:
"""
_ITEM = '  - {meter: nat.hour, match: {}, unit: hour, price: "0.1", source: here}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_HEAD + _ITEM + _ITEM, "some.yaml:11  nat.hour has two prices for the same thing"),
        (_HEAD + _ITEM.replace("here", "there"), "some.yaml:10  no source is called 'there'"),
        (_HEAD + _ITEM.replace('price: "0.1", ', ""), "an item has a price or tiers"),
        (_HEAD + _ITEM.replace('"0.1"', '"-1"'), "greater than or equal to 0"),
        (_HEAD + _ITEM.replace('price: "0.1"', 'tiers: [{price: "1", upto: "5"}]'), "the last has no upto"),
        (_HEAD.replace("USD", "EUR") + _ITEM, "currency"),
        (_HEAD.replace("pricebook/1", "pricebook/9") + _ITEM, "schema"),
    ],
)
def test_a_damaged_book_is_refused_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    assert said in _damaged(tmp_path, monkeypatch, text)


def test_tiers_add_up() -> None:
    tiers = (
        Tier(price=Decimal("0.5"), upto=Decimal(10)),
        Tier(price=Decimal("0.1"), upto=Decimal(20)),
        Tier(price=Decimal(0)),
    )
    item = PriceItem(meter="m", match={}, unit="GB", tiers=tiers, source="s")
    assert [item.cost(Decimal(n)) for n in (0, 10, 15, 100)] == [0, 5, Decimal("5.5"), 6]


def test_the_assumptions_are_read_as_decimals() -> None:
    assert all(isinstance(given["low"], str) for given in load_book("usage.yaml").values())


# Plans


def test_a_new_resource_costs_its_hours_and_its_assumed_use() -> None:
    found = of(p.step("create", NAT, "out", new={}))
    usage = usage_book()["nat.gb"]
    hours = price("nat.hour") * _HOURS
    assert found.delta == money(hours + price("nat.gb") * usage.low, hours + price("nat.gb") * usage.high)
    assert (found.priced, found.free, found.unknown, found.at_least) == (1, 0, 0, False)
    (row,) = found.resources
    assert [charge.price.file for charge in row.charges if charge.price] == [
        "tollgate/books/prices/aws-us-east-1.yaml"
    ] * 2
    assert usage.source in row.charges[1].usage
    assert [book.id for book in found.books] == [price_books()[EAST].id]


def test_what_goes_saves_and_what_stays_where_it_is_does_not() -> None:
    gone, left = p.step("delete", NAT, old={}), p.step("delete", NAT, old={}, old_retainOnDelete=True)
    assert of(gone).delta.high < 0
    assert of(left).delta == money(0, 0)


def test_beside_what_stays_where_it_is_a_new_one_costs_all_of_it() -> None:
    old, new = {"instanceType": "m5.large"}, {"instanceType": "m5.xlarge"}
    sides: dict[str, Any] = {"old": old, "new": new, "diff": {"instanceType": "update-replace"}}
    kept, gone = of(p.step("replace", VM, **sides, old_retainOnDelete=True)), of(p.step("replace", VM, **sides))
    assert kept.delta == of(p.step("create", VM, new=new)).delta
    assert gone.delta.high < kept.delta.high
    assert [row.stays for found in (kept, gone) for row in found.resources] == [True, False]


def test_a_bigger_disk_costs_the_difference() -> None:
    same = {"engine": "postgres", "instanceClass": "db.t4g.medium", "storageType": "gp3"}
    diff = {"allocatedStorage": "update"}
    found = of(
        p.step("update", old=same | {"allocatedStorage": 100}, new=same | {"allocatedStorage": 150}, diff=diff),
        region=HERE,
    )
    assert found.delta == money(*[50 * price("rds.storage.gb_month", HERE, type="gp3", multi_az=False)] * 2)
    assert not found.at_least


def test_what_is_charged_the_same_before_and_after_makes_no_difference_though_its_price_is_not_known() -> None:
    same = {
        "engine": "postgres",
        "instanceClass": "db.r7g.2xlarge",
        "multiAz": True,
        "allocatedStorage": 100,
        "storageType": "gp3",
    }
    found = of(p.step("update", old=same, new=same | {"tags": {"a": "b"}}, diff={"tags.a": "add"}), region=HERE)
    assert (found.delta, found.at_least) == (money(0, 0), False)


def test_no_price_is_not_nothing() -> None:
    new = {
        "engine": "postgres",
        "instanceClass": "db.r7g.2xlarge",
        "multiAz": True,
        "allocatedStorage": 100,
        "storageType": "gp3",
    }
    found = of(p.step("create", new=new), region=HERE)
    assert (found.unknown, found.at_least) == (1, True)
    assert found.resources[0].unknown == (
        "Clearing's database (clearing): no price is known for its server "
        "(class db.r7g.2xlarge, engine postgres, multi az true) in ap-southeast-1.",
    )
    assert found.delta.low >= 100 * price("rds.storage.gb_month", HERE, type="gp3", multi_az=True)


def test_a_saving_is_never_claimed_while_anything_of_it_is_unknown() -> None:
    same = {"engine": "postgres", "multiAz": False, "storageType": "gp3"}
    old = same | {"instanceClass": "db.t4g.medium", "allocatedStorage": 500}
    new = same | {"instanceClass": "db.never.heard", "allocatedStorage": 100}
    diff = {"instanceClass": "update", "allocatedStorage": "update"}
    found = of(p.step("replace", old=old, new=new, diff=diff, old_delete=True), region=HERE)
    assert (found.delta, found.at_least) == (money(0, 0), True)


def test_from_an_unknown_price_to_a_known_one_is_up_to_all_of_it() -> None:
    same = {"engine": "postgres", "multiAz": False, "storageType": "gp3", "allocatedStorage": 100}
    old, new = same | {"instanceClass": "db.never.heard"}, same | {"instanceClass": "db.t4g.medium"}
    found = of(p.step("update", old=old, new=new, diff={"instanceClass": "update"}), region=HERE)
    assert found.delta == money(
        0, _HOURS * price("rds.instance.hour", HERE, engine="postgres", **{"class": "db.t4g.medium"}, multi_az=False)
    )
    assert found.at_least


@pytest.mark.parametrize(
    ("kind", "priced"), [(ROLE, Priced.FREE), (KEY, Priced.PRICED), ("acme:index/x:X", Priced.UNKNOWN)]
)
def test_priced_free_and_unknown_are_told_apart(kind: str, priced: Priced) -> None:
    found = of(p.step("create", kind, new={}))
    assert (found.priced, found.free, found.unknown) == tuple(
        int(priced is word) for word in (Priced.PRICED, Priced.FREE, Priced.UNKNOWN)
    )


def test_machines_that_may_be_of_several_kinds_cost_from_the_cheapest_to_the_dearest() -> None:
    new = {
        "instanceTypes": ["m7g.4xlarge", "m8g.4xlarge"],
        "scalingConfig": {"desiredSize": 2},
        "capacityType": "ON_DEMAND",
    }
    disk, usage = price("ebs.volume.gb_month", HERE, type="gp3"), usage_book()["node.disk.gb"]
    cheap, dear = (2 * _HOURS * price("ec2.linux.hour", HERE, type=kind) for kind in new["instanceTypes"])
    assert of(p.step("create", NODES, new=new), region=HERE).delta == money(
        cheap + 2 * disk * usage.low, dear + 2 * disk * usage.high
    )
    odd = new | {"instanceTypes": ["m7g.4xlarge", "m99.huge"]}
    assert of(p.step("create", NODES, new=odd), region=HERE).at_least


def test_an_endpoint_costs_in_each_zone_and_one_of_the_other_kind_nothing() -> None:
    new = {"vpcEndpointType": "Interface", "subnetIds": ["a", "b", "c"]}
    assert of(p.step("create", ENDPOINT, new=new)).delta.low > 3 * _HOURS * price("vpc.endpoint.hour")
    assert of(p.step("create", ENDPOINT, new={"vpcEndpointType": "Gateway"})).free == 1


def test_a_volume_of_a_cluster_is_not_known_and_grows_unseen_by_nobody() -> None:
    old = {"spec": {"instances": 3, "storage": {"size": "10Gi"}}}
    new = {"spec": {"instances": 3, "storage": {"size": "20Gi"}}}
    found = of(p.step("update", CNPG, old=old, new=new, diff={"spec.storage.size": "update"}))
    assert found.resources[0].unknown == ("Clearing's database (clearing): no price is known for its volumes.",)
    assert of(p.step("update", CNPG, old=old, new=old | {"metadata": {}}, diff={"metadata": "update"})).unknown == 0


@pytest.mark.parametrize("hidden", [p.UNKNOWN, p.SECRET_OBJECT])
def test_a_quantity_that_cannot_be_read_is_not_known(hidden: Any) -> None:
    new = {"vpcEndpointType": "Interface", "subnetIds": hidden}
    assert of(p.step("create", ENDPOINT, new=new)).at_least


def test_a_quantity_that_is_hidden_on_both_sides_may_have_changed() -> None:
    hidden = {"vpcEndpointType": "Interface", "subnetIds": p.UNKNOWN}
    assert of(p.step("update", ENDPOINT, old=hidden, new=hidden | {"policy": "x"}, diff={"policy": "add"})).at_least


def test_every_copy_of_a_store_is_charged() -> None:
    new = {"engine": "redis", "nodeType": "cache.m4.large", "numNodeGroups": 2, "replicasPerNodeGroup": 1}
    found = of(p.step("create", "aws:elasticache/replicationGroup:ReplicationGroup", new=new))
    assert found.delta.low == 4 * _HOURS * price("elasticache.node.hour", engine="redis", node="cache.m4.large")


def test_each_resource_is_priced_where_it_is() -> None:
    here = of(p.step("create", NAT, new={"region": HERE})).delta
    by_name = of(
        p.step("delete", NAT, old={}, old_outputs={"arn": f"arn:aws:ec2:{HERE}:1:natgateway/n"}), region=""
    ).delta
    provider = p.step("create", "pulumi:providers:aws", "cloud", new={"region": HERE})
    by_provider = of(
        p.step("create", NAT, new={}, new_provider=p.urn("pulumi:providers:aws", "cloud") + "::id"), provider
    ).delta
    assert here == by_provider == money(-by_name.high, -by_name.low)
    nowhere = of(p.step("create", NAT, new={}), region="")
    far = of(p.step("create", NAT, new={}), region="moon-1")
    assert nowhere.at_least
    assert far.resources[0].unknown[0].endswith("there is no price book for moon-1.")


def test_costs_are_told_by_service() -> None:
    steps = [p.step("create", NAT, name, new={}) for name in ("one", "two")]
    services = {p.urn(NAT, "one"): "gateway", p.urn(NAT, "two"): "clearing"}
    found = of(*steps, p.step("create", "acme:index/x:X", "odd", new={}), services=services)
    assert [(row.service, row.unknown) for row in found.services] == [
        ("clearing", 0),
        ("gateway", 0),
        ("the stack as a whole", 1),
    ]


def test_amounts_are_decimals_in_json() -> None:
    assert '"low":"' in of(p.step("create", NAT, new={})).model_dump_json()


_SIZES = ["db.t4g.micro", "db.t4g.small", "db.t4g.medium", "db.never.heard", p.UNKNOWN]
_DISKS = [20, 100, p.UNKNOWN]


@st.composite
def plans(draw: st.DrawFn) -> list[dict[str, Any]]:
    steps = []
    for n in range(draw(st.integers(1, 6))):
        sides = [
            {
                "engine": "postgres",
                "storageType": "gp3",
                "instanceClass": draw(st.sampled_from(_SIZES)),
                "allocatedStorage": draw(st.sampled_from(_DISKS)),
            }
            for _ in range(2)
        ]
        op = draw(st.sampled_from(["create", "update", "delete", "replace"]))
        old, new = (sides[0] if op != "create" else None), (sides[1] if op != "delete" else None)
        diff = {"instanceClass": "update", "allocatedStorage": "update"} if old and new else None
        kind = draw(st.sampled_from([p.RDS, NAT, ROLE, "acme:index/x:X"]))
        steps.append(p.step(op, kind, f"r{n}", old=old, new=new, diff=diff))
    return steps


@settings(max_examples=80)
@given(steps=plans(), data=st.data())
def test_order_does_not_matter(steps: list[dict[str, Any]], data: st.DataObject) -> None:
    assert of(*steps, region=HERE) == of(*data.draw(st.permutations(steps)), region=HERE)


@settings(max_examples=80)
@given(steps=plans(), keep=st.sets(st.sampled_from([item.meter for item in price_books()[HERE].items])))
def test_what_is_unknown_never_saves_whatever_the_book_lacks(steps: list[dict[str, Any]], keep: set[str]) -> None:
    whole = price_books()[HERE]
    fewer: PriceBook = whole.model_copy(
        update={"items": tuple(i for i in whole.items if i.meter in keep), "digest": repr(sorted(keep))}
    )
    found = of(*steps, region=HERE, books={HERE: fewer})
    unknown = [row for row in found.resources if row.priced is Priced.UNKNOWN]
    assert all(row.delta.low >= 0 for row in unknown)
    assert found.at_least is bool(unknown)
    assert found.unknown == len(unknown)
    assert found.priced + found.free + found.unknown == len(steps)
    total = sum((row.delta.low for row in found.resources), Decimal(0))
    assert found.delta.low == total
    assert sum((row.delta.high for row in found.services), Decimal(0)) == found.delta.high
