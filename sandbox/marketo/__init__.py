"""A stand-in for Marketo Engage's REST, asset and bulk extract APIs over one store.

Kinds of the store, all hard-deleting: leads, programs, program_members, lists, list_members, campaigns, emails, forms,
landing_pages, activities (never changed), deleted_leads (the log of deletes: activities of type 37). Ids are numbers as
text; a member's is `<program or list>-<lead>`, an activity's its marketoGUID. Dates are whole seconds, as Marketo shows
them. Where the public documents are silent: an activity outlives its lead and keeps the id of a lead that was merged away;
`createdAt` and `updatedAt` filters take both ends of their range in; a merge writes activity 32 and no delete.
"""
