"""From a figure to what was counted for it, to the vendor's record: what is declared once for each mart, and one walk for all.

model.py       what a declaration is
closed_loop.py, influence.py, journeys.py, accounts.py, words.py   the declarations, one for each mart
arithmetic.py  how a figure is made of its parts
records.py     from staging rows to raw versions and the vendor's page
walk.py        the walk
"""

from pipeline.lineage.accounts import ACCOUNT_JOURNEY
from pipeline.lineage.closed_loop import CLOSED_LOOP
from pipeline.lineage.influence import INFLUENCE
from pipeline.lineage.journeys import JOURNEYS
from pipeline.lineage.model import Lineage
from pipeline.lineage.words import GLOSSARY_GAP

MARTS: dict[str, Lineage] = {
    each.mart: each for each in (*CLOSED_LOOP, *INFLUENCE, *JOURNEYS, ACCOUNT_JOURNEY, GLOSSARY_GAP)
}
"""Full name of a mart -> how its figures are made."""
