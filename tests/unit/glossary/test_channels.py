"""Channel rules on touches as they come, dirt included; the sources are Google's and HubSpot's published descriptions."""

import pytest

from glossary import Glossary, classify, load, referrer_host


@pytest.fixture(scope="module")
def glossary() -> Glossary:
    return load()


VECTORS: list[tuple[dict[str, str | None], str, tuple[str, int | None]]] = [
    ({}, "direct", ("direct_traffic", 14)),
    ({"utm_source": "google", "utm_medium": "cpc"}, "paid_search", ("paid_search", 6)),
    ({"utm_source": "Google", "utm_medium": "CPC "}, "paid_search", ("paid_search", 6)),
    ({"utm_source": "spring", "referrer_host": "google.com"}, "unassigned", ("paid_search", 5)),
    ({"click_id": "gclid=x"}, "paid_search", ("paid_search", 3)),
    ({"utm_source": "facebook", "utm_medium": "paid_social"}, "paid_social", ("paid_social", 4)),
    ({"utm_source": "meta", "utm_medium": "PaidSocial"}, "paid_social", ("paid_social", 4)),
    ({"utm_source": "ads", "utm_medium": "cpc", "referrer_host": "m.facebook.com"}, "paid_other", ("paid_social", 4)),
    ({"utm_source": "LinkedIn", "utm_medium": "cpc", "click_id": "li_fat_id=1"}, "paid_social", ("paid_social", 4)),
    ({"utm_source": "linkedin", "utm_medium": "social"}, "organic_social", ("social_media", 1)),
    ({"utm_source": "linkedin", "utm_medium": "post"}, "organic_social", ("other_campaigns", 8)),
    ({"utm_source": "newsletter", "utm_medium": "email"}, "email", ("email_marketing", 7)),
    ({"utm_medium": "e-mail", "utm_campaign": "x"}, "email", ("other_campaigns", 8)),
    ({"utm_source": "partner", "utm_medium": "referral"}, "referral", ("other_campaigns", 8)),
    ({"utm_source": "chatgpt.com"}, "ai_assistant", ("other_campaigns", 8)),
    ({"referrer_host": "chatgpt.com"}, "ai_assistant", ("ai_referrals", 12)),
    ({"referrer_host": "google.com"}, "organic_search", ("organic_search", 11)),
    ({"referrer_host": "google.com.br"}, "organic_search", ("organic_search", 11)),
    ({"referrer_host": "br.search.yahoo.com"}, "organic_search", ("organic_search", 11)),
    ({"referrer_host": "duckduckgo.com"}, "organic_search", ("organic_search", 11)),
    ({"referrer_host": "gemini.google.com"}, "ai_assistant", ("ai_referrals", 12)),
    ({"referrer_host": "mail.google.com"}, "email", ("direct_traffic", 10)),
    ({"referrer_host": "linkedin.com"}, "organic_social", ("social_media", 9)),
    ({"referrer_host": "youtube.com"}, "organic_video", ("referrals", 13)),
    ({"referrer_host": "notgoogle.example"}, "referral", ("referrals", 13)),
    ({"utm_source": "x", "utm_medium": "display"}, "display", ("other_campaigns", 8)),
    ({"utm_source": "x", "utm_medium": "strange"}, "unassigned", ("other_campaigns", 8)),
    ({"touch_type": "email_click"}, "email", ("email_marketing", 7)),
    ({"touch_type": "form_submission"}, "direct", ("direct_traffic", 14)),
    ({"touch_type": "campaign_response"}, "direct", ("offline", None)),
]


@pytest.mark.parametrize(("touch", "ga4", "hubspot"), VECTORS)
def test_channel(glossary: Glossary, touch: dict[str, str | None], ga4: str, hubspot: tuple[str, int | None]) -> None:
    assert classify(glossary.channel_models["ga4"], touch)[0] == ga4
    assert classify(glossary.channel_models["hubspot"], touch) == hubspot


def test_the_rule_that_fired_is_named_and_none_is_none(glossary: Glossary) -> None:
    model = glossary.channel_models["ga4"]
    assert classify(model, {"touch_type": "email_open"}) == ("email", 1)
    assert classify(model, {"utm_source": "x", "utm_medium": "strange"}) == ("unassigned", None)
    assert [r.number for r in glossary.channel_models["hubspot"].rules] == [1, *range(3, 15)], "as HubSpot numbers them"


def test_every_channel_leads_to_a_lead_source(glossary: Glossary) -> None:
    for kind in ("channel", "original_source"):
        sources = {t.detail.get("lead_source") for t in glossary.terms[kind].values()}
        assert sources <= set(glossary.terms["lead_source"])


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://www.Google.com/search?q=1", "google.com"),
        ("google.com", "google.com"),
        (None, ""),
        ("http://[bad", ""),
        ("android-app://com.google.android.gm/", "com.google.android.gm"),
    ],
)
def test_referrer_host(referrer: str | None, host: str) -> None:
    assert referrer_host(referrer) == host
