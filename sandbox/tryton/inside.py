"""What must run inside Tryton's own environment: making its database, and serving it. Never imported by the project.

    inside.py install CONFIG DATABASE   installs the modules, adds what must exist before the first opportunity, and
                                        prints the keys as one line of JSON
    inside.py serve CONFIG DATABASE     serves until standard input closes, which it does when the parent ends; a time on a
                                        line of it (ISO 8601) sets the server's clock, and is repeated on standard output

Data that changes later goes through the running server's REST instead (see `records`), as a user's would.
"""

import json
import os
import sys
import threading
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trytond import config  # type: ignore[import-not-found]

MODULES = (
    "sale_opportunity",
    "marketing",
    "marketing_automation",
    "marketing_campaign",
    "marketing_email",
    "web_user",
)
"""Modules to install; what they need (party, company, currency, country, sale, ...) comes with them."""

READABLE = (
    "sale.opportunity",
    "marketing.email",
    "marketing.automation.scenario",
    "marketing.automation.activity",
    "marketing.automation.record",
    "marketing.automation.record.activity",
)
"""Models that Tryton closes to users outside its own groups: what a reading user must be granted."""

COUNTRIES = {"BR": "Brazil", "PT": "Portugal", "US": "United States", "AR": "Argentina", "DE": "Germany"}
CURRENCIES = {"BRL": ("Brazilian Real", "5.40"), "USD": ("U.S. Dollar", "1.00"), "EUR": ("Euro", "0.92")}


def install(config_file: str, database: str) -> dict[str, str]:
    """Install the modules into an empty database file, then add company, users and keys."""
    from trytond.cli.admin import main as admin  # type: ignore[import-not-found]  # noqa: PLC0415
    from trytond.model import ModelStorage  # type: ignore[import-not-found]  # noqa: PLC0415

    # Tryton checks each record of its own module files, which takes half of the installation. They are released files;
    # everything that is written afterwards is checked as ever.
    checked = ModelStorage.__dict__["_validate"]
    ModelStorage._validate = classmethod(lambda _cls, _records, field_names=None: None)  # noqa: ARG005, SLF001
    sys.argv = ["trytond-admin", "-c", config_file, "-d", database, "-u", *MODULES]
    sys.argv += ["--activate-dependencies", "--email", "admin@sandbox.test"]
    admin()
    ModelStorage._validate = checked  # noqa: SLF001
    return _prepare(database)


def _prepare(database: str) -> dict[str, str]:
    from trytond.pool import Pool  # type: ignore[import-not-found]  # noqa: PLC0415
    from trytond.transaction import Transaction  # type: ignore[import-not-found]  # noqa: PLC0415

    pool = Pool(database)
    with Transaction().start(database, 1) as transaction:
        company = _company(pool)
        administrator = pool.get("res.user")(1)
        administrator.companies = [company]
        administrator.company = company
        administrator.company_filter = "all"
        administrator.save()
        blind = _add(pool, "res.user", name="No rights", login="blind")
        keys = {
            "key": _key(pool, _reader(pool, company).id),
            "admin_key": _key(pool, administrator.id),
            "blind_key": _key(pool, blind.id),
        }
        transaction.commit()
    return keys


def _add(pool: Any, model: str, /, **values: Any) -> Any:
    return pool.get(model).create([values])[0]


def _company(pool: Any) -> Any:
    for code, name in COUNTRIES.items():
        _add(pool, "country.country", code=code, name=name)
    currencies = {
        code: _add(
            pool,
            "currency.currency",
            code=code,
            name=name,
            symbol=code,
            rates=[("create", [{"date": date(2020, 1, 1), "rate": Decimal(rate)}])],
        )
        for code, (name, rate) in CURRENCIES.items()
    }
    of_company, _of_person = (_add(pool, "party.category", name=name) for name in ("Company", "Person"))
    party = _add(pool, "party.party", name="Sandbox Seller", categories=[("add", [of_company.id])])
    return _add(pool, "company.company", party=party.id, currency=currencies["BRL"].id)


def _reader(pool: Any, company: Any) -> Any:
    """A user who may read what the connector reads, and no more: the rights that the connector's README asks for."""
    group = _add(pool, "res.group", name="Journey warehouse (read)")
    rights = {"perm_read": True, "perm_write": False, "perm_create": False, "perm_delete": False}
    for model in READABLE:
        _add(pool, "ir.model.access", model=model, group=group.id, **rights)
    return _add(
        pool,
        "res.user",
        name="Journey warehouse",
        login="journey",
        groups=[("add", [group.id])],
        companies=[("add", [company.id])],
        company=company.id,
        company_filter="all",
    )


def _key(pool: Any, user: int) -> str:
    application = _add(pool, "res.user.application", user=user, application="rest", state="validated")
    return str(application.key)


_clocks: list[Any] = []


def _set_clock(at: str) -> None:
    """Let the whole process live at `at` and on from there, so that its dates are those of the world it belongs to."""
    import time_machine  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 - only where a clock is set

    while _clocks:
        _clocks.pop().stop()
    _clocks.append(time_machine.travel(datetime.fromisoformat(at), tick=True))
    _clocks[-1].start()


def serve(config_file: str, database: str) -> None:
    """Serve until standard input ends: a parent that is killed takes its server with it."""

    def watch() -> None:
        for line in sys.stdin:
            _set_clock(line.strip())
            sys.stdout.write(f"\nclock {line.strip()}\n")
            sys.stdout.flush()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    from trytond.cli import main  # type: ignore[import-not-found]  # noqa: PLC0415 - only after it is configured

    sys.argv = ["trytond", "-c", config_file, "-d", database]
    main()


if __name__ == "__main__":
    verb, config_file, database = sys.argv[1:]
    if verb == "serve":
        serve(config_file, database)
    else:
        config.update_etc(config_file)
        sys.stdout.write(json.dumps(install(config_file, database)) + "\n")
