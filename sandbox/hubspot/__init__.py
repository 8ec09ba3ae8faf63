"""HubSpot's HTTP API over what the store holds: `app.create_app(store, context)`; `recorded` serves fixed pages fast.

Kinds of the store, and what their `fields` are:

    contacts companies deals calls emails meetings tasks notes    the record's properties, text or None, flat
    owners pipelines forms    the element as HubSpot sends it, without id, dates, archived
    campaigns                 the properties, flat
    form_submissions          the submission, plus `formGuid`
    email_events              the event; id and created are filled in where absent

Links are (from kind, to kind) with HubSpot's v4 type ids. Facts are HubSpot's public specification and documents
(HubSpot/HubSpot-public-api-spec-collection, developers.hubspot.com), read in November 2026.
"""
