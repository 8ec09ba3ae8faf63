"""Channel rules on touches as they come, dirt included; the sources are Google's and HubSpot's published descriptions."""

import pytest

from glossary import Glossary, classify, load, referrer_host


@pytest.fixture(scope="module")
def glossary() -> Glossary:
    return load()


VECTORS: list[tuple[dict[str, str | None], str, str]] = [
    ({}, "direct", "direct_traffic"),
    ({"utm_source": "google", "utm_medium": "cpc"}, "paid_search", "paid_search"),
    ({"utm_source": "Google", "utm_medium": "CPC "}, "paid_search", "paid_search"),
    ({"click_id": "gclid=x"}, "paid_search", "paid_search"),
    ({"utm_source": "facebook", "utm_medium": "paid_social"}, "paid_social", "paid_social"),
    ({"utm_source": "LinkedIn", "utm_medium": "cpc", "click_id": "li_fat_id=1"}, "paid_social", "paid_social"),
    ({"utm_source": "linkedin", "utm_medium": "social"}, "organic_social", "social_media"),
    ({"utm_source": "newsletter", "utm_medium": "email"}, "email", "email_marketing"),
    ({"utm_medium": "e-mail", "utm_campaign": "x"}, "email", "email_marketing"),
    ({"utm_source": "partner", "utm_medium": "referral"}, "referral", "referrals"),
    ({"utm_source": "chatgpt.com"}, "ai_assistant", "ai_referrals"),
    ({"referrer_host": "www.google.com"}, "organic_search", "organic_search"),
    ({"referrer_host": "duckduckgo.com"}, "organic_search", "organic_search"),
    ({"referrer_host": "gemini.google.com"}, "ai_assistant", "ai_referrals"),
    ({"referrer_host": "mail.google.com"}, "email", "organic_search"),
    ({"referrer_host": "www.linkedin.com"}, "organic_social", "social_media"),
    ({"referrer_host": "www.youtube.com"}, "organic_video", "referrals"),
    ({"referrer_host": "notgoogle.example"}, "referral", "referrals"),
    ({"utm_source": "x", "utm_medium": "display"}, "display", "other_campaigns"),
    ({"utm_source": "x", "utm_medium": "strange"}, "unassigned", "other_campaigns"),
    ({"touch_type": "email_click", "utm_source": "google"}, "email", "email_marketing"),
]


@pytest.mark.parametrize(("touch", "ga4", "hubspot"), VECTORS)
def test_channel(glossary: Glossary, touch: dict[str, str | None], ga4: str, hubspot: str) -> None:
    assert classify(glossary.channel_models["ga4"], touch)[0] == ga4
    assert classify(glossary.channel_models["hubspot"], touch)[0] == hubspot


def test_the_rule_that_fired_is_named_and_none_is_none(glossary: Glossary) -> None:
    model = glossary.channel_models["ga4"]
    assert classify(model, {"touch_type": "email_open"}) == ("email", 1)
    assert classify(model, {"utm_source": "x", "utm_medium": "strange"}) == ("unassigned", None)
    assert [r.number for r in glossary.channel_models["hubspot"].rules] == list(range(1, 15))


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
