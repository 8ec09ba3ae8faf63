"""HubSpot's HTTP API over what the store holds: `app.create_app(store, context)`; `recorded` serves fixed pages fast.

Kinds of the store, and what their `fields` are:

    contacts companies deals calls emails meetings tasks notes    the record's properties, text or None, flat
    owners pipelines forms    the element as HubSpot sends it, without id, dates, archived
    campaigns                 the properties, flat
    form_submissions          the submission, plus `formGuid`
    email_events              the event; id and created are filled in where absent

Faults, all switched by name in the context:

    hubspot.unreachable .5xx .malformed_json .reset_mid_body .truncated_gzip .slow_drip    of the wire: `sandbox.transport`
    hubspot.429 .429_no_retry_after .429_daily .401 .missing_scope                         of admission: `gate`
    hubspot.search_lag .unsorted_search .updated_while_paged                               of content: `search`, `objects`

Links are (from kind, to kind) with HubSpot's v4 type ids. Facts are HubSpot's public specification and documents
(HubSpot/HubSpot-public-api-spec-collection, developers.hubspot.com), read in November 2026.
"""
