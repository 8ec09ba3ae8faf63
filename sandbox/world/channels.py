"""How people come: true channel, what each vendor calls it, and the web addresses with the dirt that UTM parameters have."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Channel:
    """One way by which people come.

    name: the true source, in the field's common terms.
    hubspot, salesforce: what the vendor's source field says.
    weight: its share of people.
    entry: web (a form), list (an import at HubSpot), sales (entered by a sales person at Salesforce).
    type: Salesforce campaign type; "" where there are no campaigns.
    """

    name: str
    hubspot: str
    salesforce: str
    weight: int
    entry: str
    type: str = ""


CHANNELS: tuple[Channel, ...] = (
    Channel("organic_search", "ORGANIC_SEARCH", "Web", 20, "web"),
    Channel("paid_search", "PAID_SEARCH", "Advertisement", 15, "web", "Search Ads"),
    Channel("paid_social", "PAID_SOCIAL", "Advertisement", 8, "web", "Social Ads"),
    Channel("organic_social", "SOCIAL_MEDIA", "Web", 7, "web"),
    Channel("email", "EMAIL_MARKETING", "Web", 6, "web", "Email"),
    Channel("referral", "REFERRALS", "Web", 6, "web"),
    Channel("direct", "DIRECT_TRAFFIC", "Web", 9, "web"),
    Channel("ai_assistant", "AI_REFERRALS", "Web", 3, "web"),
    Channel("webinar", "OTHER_CAMPAIGNS", "Webinar", 6, "web", "Webinar"),
    Channel("event", "OFFLINE", "Trade Show", 6, "list", "Trade Show"),
    Channel("list_import", "OFFLINE", "Purchased List", 7, "list"),
    Channel("partner", "OFFLINE", "Partner Referral", 2, "sales"),
    Channel("outbound", "OFFLINE", "Phone Inquiry", 2, "sales"),
    Channel("other", "OFFLINE", "Other", 2, "sales"),
    Channel("event", "OFFLINE", "Feira local", 1, "sales"),
)
"""Source vocabularies: HubSpot's original source, Salesforce's LeadSource picklist; the last one is an org's own word."""

_WHEEL = tuple(c for c in CHANNELS for _ in range(c.weight))
WITH_CAMPAIGNS = tuple(c for c in CHANNELS if c.type)

SITE = "https://www.smart-demo.example"
PAGES = ("/", "/pricing", "/blog/alignment", "/ebook", "/webinar", "/demo", "/pt-br/precos", "/blog/métricas")

_REFERRERS: dict[str, tuple[str | None, ...]] = {
    "organic_search": ("https://www.google.com/", "https://www.bing.com/search?q=crm", "https://duckduckgo.com/"),
    "paid_search": ("https://www.google.com/", None),
    "paid_social": ("https://www.facebook.com/", "https://l.instagram.com/", "https://www.linkedin.com/"),
    "organic_social": ("https://www.linkedin.com/", "https://t.co/x1", "https://www.youtube.com/"),
    "email": ("https://mail.google.com/", "https://outlook.live.com/", None),
    "referral": ("https://partner-blog.example/post", "https://reviews.example/top10"),
    "direct": (None, SITE + "/blog/alignment"),
    "ai_assistant": ("https://chatgpt.com/", "https://www.perplexity.ai/", "https://gemini.google.com/"),
    "webinar": ("https://webinar-host.example/", None),
}
_UTM: dict[str, tuple[str, ...]] = {
    "paid_search": (
        "utm_source=google&utm_medium=cpc&utm_campaign={c}&gclid=Cj0{n}",
        "utm_source=Google&utm_medium=CPC&utm_campaign={c}",
        "utm_source=google&utm_medium=cpc%20&utm_campaign={c}",
        "gclid=Cj0{n}",
        "msclkid={n}",
    ),
    "paid_social": (
        "utm_source=facebook&utm_medium=paid_social&utm_campaign={c}",
        "fbclid=Iw{n}",
        "utm_source=LinkedIn&utm_medium=cpc&utm_campaign={c}&li_fat_id={n}",
    ),
    "organic_social": ("utm_source=linkedin&utm_medium=social", ""),
    "email": (
        "utm_source=newsletter&utm_medium=email&utm_campaign={c}",
        "utm_source=hs_email&utm_medium=Email&_hsenc={n}",
        "utm_medium=e-mail&utm_campaign={c}",
    ),
    "referral": ("utm_source=partner&utm_medium=referral", ""),
    "ai_assistant": ("utm_source=chatgpt.com", ""),
    "webinar": ("utm_source=webinar&utm_medium=webinar&utm_campaign={c}", "utm_campaign={c}&utm_source=&utm_medium="),
}


def draw_channel(rng: Random) -> Channel:
    """A channel, as common as it is."""
    return _WHEEL[int(rng.random() * len(_WHEEL))]


def draw_visit(rng: Random, channel: str, campaign: str) -> tuple[str, str | None]:
    """Address of the page visited, with its parameters, and the referrer."""
    utm = _UTM.get(channel)
    referrers = _REFERRERS.get(channel, (None,))
    page = PAGES[int(rng.random() * len(PAGES))]
    referrer = referrers[int(rng.random() * len(referrers))]
    text = utm[int(rng.random() * len(utm))] if utm else ""
    if not text:
        return SITE + page, referrer
    number = f"{int(rng.random() * 16**10):x}"
    return f"{SITE}{page}?{text.format(c=campaign.replace(' ', '+'), n=number)}", referrer
