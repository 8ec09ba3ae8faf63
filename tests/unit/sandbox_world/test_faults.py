"""The list of faults: it names what the sandbox's code asks for and nothing else, and `all` switches on all of it."""

import ast
from pathlib import Path

import pytest

import sandbox
from sandbox.context import Faults
from sandbox.faults import FAULTS, ON_THE_WIRE, rates_of, switch
from sandbox.serve import Sandbox

ROOT = Path(str(sandbox.__file__)).parent
DRIFTING = ("hubspot", "salesforce", "marketo")
WIRE = {"unreachable", "5xx", "malformed_json", "reset_mid_body", "truncated_gzip", "slow_drip"}


def asked_for() -> set[str]:
    """Names of faults in the sandbox's code: its string constants of that form, and those put together in f-strings."""
    found = {f"{vendor}.{name}" for vendor in ON_THE_WIRE for name in WIRE}
    for path in ROOT.rglob("*.py"):
        if path.name == "faults.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                vendor, dot, name = node.value.partition(".")
                if vendor in {*ON_THE_WIRE, "world"} and dot and name.replace("_", "").isalnum():
                    found.add(node.value)
                elif node.value.startswith(".field_"):
                    found |= {f"{each}{node.value}" for each in DRIFTING}
    return found


def test_what_is_listed_is_what_the_code_asks_for() -> None:
    assert asked_for() == set(FAULTS)


def test_each_has_one_line_that_says_what_it_does() -> None:
    assert all(known.about and "\n" not in known.about and 0 <= known.rate <= 1 for known in FAULTS.values())
    endings = {"hubspot.429_daily", "hubspot.401", "hubspot.missing_scope", "salesforce.request_limit", "marketo.607"}
    assert all(FAULTS[name].rate <= 0.001 for name in endings), "a hostile day is one on which work gets done"


def test_a_list_is_read_from_left_to_right() -> None:
    assert rates_of("") == {}
    assert rates_of("hubspot.429, salesforce.5xx=0.25") == {"hubspot.429": 1.0, "salesforce.5xx": 0.25}
    every = {name: known.rate for name, known in FAULTS.items()}
    assert rates_of("all") == every
    assert rates_of("all=0.5,hubspot.429=0") == {n: r / 2 for n, r in every.items()} | {"hubspot.429": 0.0}


@pytest.mark.parametrize(
    "wanted", ["hubspot.429=2", "hubspot.429=often", "hubspot.430", "429", "all=-1", "all,nothing"]
)
def test_what_is_no_fault_is_told_and_switches_nothing(wanted: str) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=r"fault"):
        switch(faults, wanted)
    assert faults.switched() == {}


def test_all_are_switched_on_and_do_not_strike_together() -> None:
    faults = Faults()
    switch(faults, "all,hubspot.429=0.5,hubspot.5xx=0.5", seed=3)
    assert faults.switched().keys() == {name for name, known in FAULTS.items() if known.rate}
    struck = {name: [faults.strikes(name) for _ in range(100)] for name in ("hubspot.429", "hubspot.5xx")}
    assert struck["hubspot.429"] != struck["hubspot.5xx"]


def test_a_sandbox_of_no_such_fault_is_not_made() -> None:
    with pytest.raises(ValueError, match="there is no fault nonsense"):
        Sandbox(people=10, faults="nonsense")


def test_a_sandbox_is_made_with_its_faults_on() -> None:
    box = Sandbox(people=10, history_days=20, faults="all,salesforce.missing_field")
    by_rate = {name for name, known in FAULTS.items() if known.rate}
    assert set(box.context.faults.switched()) == by_rate | {"salesforce.missing_field"}
    box.close()
