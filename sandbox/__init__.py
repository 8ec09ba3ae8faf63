"""Local stand-ins for the vendors' APIs over one seeded world whose truth is known. Shares no code with the product.

world/       people, companies and what they do, day by day; the truth; what each vendor knows of it
store.py     what one vendor holds: records with versions, history, deletes, merges, links
hubspot/     HubSpot's API over its store
salesforce/  Salesforce's API over its store
marketo/     Marketo's API over its store
control.py   advance days, switch faults, export the truth, read the request log
serve.py     starts them, each on its own port
"""
