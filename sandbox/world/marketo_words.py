"""Marketo's words for what the world does: types of programs, revenue stages, engagement programs, what happens to mails."""

PROGRAM_TYPES = {"Nurture": "Engagement", "Webinar": "Event with Webinar", "Email Send": "Email", "Roadshow": "Event"}
CHANNEL_OF = {"Webinar": "Webinar", "Email": "Email Send", "Trade Show": "Roadshow"}
"""Salesforce's type of a campaign -> channel of the Marketo program that runs it; other campaigns have none."""

NURTURES = ("Nurture: first steps", "Nurture: não estava na hora", "Nurture: Käufer & Anwender")

MODEL_ID, MODEL = 1, "Success Path"
REVENUE_STAGES: dict[str, tuple[int, str]] = {
    "subscriber": (1, "Known"),
    "lead": (2, "Engaged"),
    "mql": (3, "Marketing Qualified"),
    "sal": (4, "Sales Accepted"),
    "sql": (5, "Sales Qualified"),
    "opportunity": (6, "Opportunity"),
    "customer": (7, "Customer"),
    "advocate": (7, "Customer"),
    "recycled": (8, "Recycled"),
    "disqualified": (9, "Disqualified"),
}
"""The true stage -> Marketo's revenue stage; an advocate is a customer to it."""

TRACKS = ("Awareness", "Consideration")

MAIL_TYPES = {
    "SENT": (6, "mail_sent"),
    "DELIVERED": (7, "mail_delivered"),
    "BOUNCE": (8, "mail_bounce"),
    "UNSUBSCRIBE": (9, "unsubscribe"),
    "OPEN": (10, "mail_open"),
    "CLICK": (11, "mail_click"),
}
"""What happens to a mail -> Marketo's activity type and the type of the true event."""

BOT_PATTERN = "Match IAB List"
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
