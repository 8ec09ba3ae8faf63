"""The seeded world: people, companies, what they do day by day, what each vendor knows of it, and the truth about it.

world.py                          World: past, advance, freeze, act
agenda.py daily.py                what will happen when; the plan of a day
marketing.py funnel.py selling.py what people, marketing and sales do
upkeep.py merging.py doubles.py acts.py      corrections, merges, deletes, links; targeted acts for tests
companies.py people.py deal.py    who and what there is; names.py places.py channels.py catalog.py dirt.py: from what lists
hubspot_side.py hubspot_deals.py  what HubSpot is told, in its words
salesforce_side.py salesforce_deals.py  what Salesforce is told
desk.py truth.py views.py         writing to the stores and to the truth; the truth's tables
"""

from sandbox.world.moments import TODAY
from sandbox.world.truth import TABLES, Truth
from sandbox.world.world import World

__all__ = ["TABLES", "TODAY", "Truth", "World"]
