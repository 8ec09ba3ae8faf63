"""Which account is which, and whose account a person is one of: the rungs of the ladder, one after the other."""

from typing import Any

from tests.support.staging_rows import id_of

HUB = "hubspot:contacts:1"


def test_accounts_join_by_domain_unless_one_system_has_two_live_ones_on_it(world: Any) -> None:
    world.put("account", "hubspot:companies:1", domain="acme.test", name="Acme")
    world.put("account", "salesforce:account:1", domain="acme.test", name="Acme Ltd")
    world.put("account", "hubspot:companies:2", domain="gmail.com")
    world.put("account", "salesforce:account:2", domain="gmail.com")
    world.build()
    assert len(world.table("core.account")) == 3
    world.put("account", "salesforce:account:3", domain="acme.test", name="Acme South")
    world.build()
    assert len(world.table("core.account")) == 5
    world.put("account", "salesforce:account:3", domain="acme.test", name="Acme South", is_deleted=True)
    world.build()
    assert len(world.table("core.account")) == 3


def test_a_company_without_a_domain_that_names_another_is_not_believed_where_a_record_has_its_domain(
    world: Any,
) -> None:
    other, company = "hubspot:companies:2", "salesforce:account:1"
    world.put("account", "hubspot:companies:1", name="Beta", same_as=[company])
    world.put("account", company, domain="acme.test", name="Acme")
    world.build()
    assert len(world.table("core.account")) == 1
    world.put("account", other, domain="acme.test", name="Acme")
    world.build()
    ids = {row["source_id"]: row["account_id"] for row in world.table("core.account_link")}
    assert ids[other] == ids[company] != ids["hubspot:companies:1"]


def test_a_person_gets_the_account_of_the_record_then_of_the_link_then_of_the_mail_domain(world: Any) -> None:
    for n, domain in ((1, "one.test"), (2, "two.test"), (3, "three.test")):
        world.put("account", f"hubspot:companies:{n}", domain=domain)
    world.put("person", HUB, email="ana@three.test")
    world.build()
    assert world.one("core.person")["account_id"] == id_of("account", "hubspot:companies:3")
    world.put(
        "person_account",
        "hubspot:contact_to_company:1#2",
        person_source_id=HUB,
        account_source_id="hubspot:companies:2",
    )
    world.build()
    assert world.one("core.person")["account_id"] == id_of("account", "hubspot:companies:2")
    world.put("person", HUB, email="ana@three.test", account_source_id="hubspot:companies:1")
    world.build()
    assert world.one("core.person")["account_id"] == id_of("account", "hubspot:companies:1")
    world.put("person", HUB, email="ana@three.test")
    world.drop("person_account", "hubspot:contact_to_company:1#2")
    world.put("account", "salesforce:account:4", domain="three.test")
    world.put("account", "salesforce:account:5", domain="three.test")
    world.build()
    assert world.one("core.person")["account_id"] is None


def test_a_person_whose_records_name_no_account_gets_the_only_one_of_the_company_name_in_the_country(
    world: Any,
) -> None:
    def account() -> Any:
        world.build()
        return world.one("core.person")["account_id"]

    world.put("account", "hubspot:companies:1", name="Águas do Sul Ltda.", country="BR")
    world.put("account", "hubspot:companies:2", name="Aguas do Sul LTDA", country="PT")
    world.put("person", HUB, email="ana@gmail.com", company_name="aguas do sul, ltda", country="BR")
    assert account() == id_of("account", "hubspot:companies:1")
    world.put("account", "hubspot:companies:1", name="Other", country="BR")
    assert account() is None
    world.put("account", "hubspot:companies:2", name="Aguas do Sul LTDA", country="BR")
    assert account() == id_of("account", "hubspot:companies:2")
    world.put("account", "salesforce:account:1", name="Aguas do Sul LTDA", country="BR")
    assert account() is None, "two of the name"
    world.put("account", "salesforce:account:1", name="Aguas do Sul LTDA", country="BR", is_deleted=True)
    assert account() == id_of("account", "hubspot:companies:2")
    world.put("person", HUB, email="ana@gmail.com", company_name="aguas do sul, ltda")
    assert account() is None, "nothing says where"
    world.put(
        "person", HUB, email="ana@gmail.com", company_name="aguas do sul, ltda", country="BR", account_source_id="x:y:1"
    )
    assert account() is None, "the record names another account, which is not known yet"


def test_what_stands_where_there_is_no_company_ties_nobody_to_an_account_of_that_name(world: Any) -> None:
    world.put("account", "hubspot:companies:1", name="[not provided]", country="BR")
    world.put("person", HUB, email="ana@gmail.com", company_name="[Not Provided]", country="BR")
    world.build()
    assert world.one("core.person")["account_id"] is None


def test_a_person_belongs_to_the_account_whose_domain_is_above_that_of_the_mail(world: Any) -> None:
    wanted: dict[str, int | None] = {
        "ana@br.acme.test": 1, "bob@a.b.acme.test": 1, "eva@loja.com.br": 2, "ida@x.loja.com.br": 2,
        "leo@outra.com.br": None, "max@notacme.test": None, "pia@acme.test.example": None, "tom@eu.gmail.com": None,
    }  # fmt: skip
    people = {f"hubspot:contacts:{n}": email for n, email in enumerate(wanted)}
    for source_id, email in people.items():
        world.put("person", source_id, email=email)
    world.build()
    for n, domain in ((1, "acme.test"), (2, "loja.com.br"), (3, "com.br"), (4, "gmail.com")):
        world.put("account", f"hubspot:companies:{n}", domain=domain)

    def accounts() -> dict[str, Any]:
        world.build()
        found = {row["person_id"]: row["account_id"] for row in world.table("core.person")}
        return {email: found[world.people()[source_id]] for source_id, email in people.items()}

    ids: dict[int | None, Any] = {None: None, **{n: id_of("account", f"hubspot:companies:{n}") for n in (1, 2)}}
    assert accounts() == {email: ids[account] for email, account in wanted.items()}
    world.put("account", "salesforce:account:9", domain="acme.test", name="Acme South")
    world.put("account", "salesforce:account:10", domain="acme.test", name="Acme North")
    assert accounts() == {email: ids[None if account == 1 else account] for email, account in wanted.items()}


def test_a_company_party_is_an_account_and_no_person(world: Any) -> None:
    world.put("person", "tryton:party:1", is_company=True, full_name="Acme", email="office@acme.test")
    world.put("person", "tryton:party:2", is_company=False, full_name="Ana", email="ana@acme.test")
    world.build()
    assert set(world.people()) == {"tryton:party:2"}
    account = world.one("core.account")
    assert (account["name"], account["domain"]) == ("Acme", "acme.test")
    assert world.one("core.person")["account_id"] == account["account_id"]
