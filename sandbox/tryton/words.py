"""Word lists that names of people and companies are drawn from; any likeness is chance."""

# ruff: noqa: SIM905 - a hundred quoted words would be harder to read
FIRST = (
    "Abel Ada Alba Alda Amaro Anya Bento Bia Caio Carmo Celso Clara Dario Davi Delma Dora Elba Elio Enzo Ester Fabio Flora "
    "Gil Greta Hugo Ilda Inês Ivo Jaime Joana João Lara Leda Lia Luís Mara Milo Nara Nilo Noé Olga Otto Paula Pedro Quim "
    "Rita Rui Selma Sílvio Tania Teo Ursula Vera Vitor Wanda Yara Zeca"
).split()
LAST = (
    "Abreu Aguiar Alencar Amado Arruda Barros Bastos Brandão Cabral Calado Camargo Castro Cunha Dantas Duarte Esteves Farias "
    "Ferraz Fontes Franco Galvão Guedes Leal Lemos Lobo Macedo Maia Matos Meireles Moraes Neves Nogueira Pacheco Paiva Peixoto "
    "Prado Queiroz Rangel Rezende Sales Sampaio Tavares Teles Toledo Vargas Viana Xavier Zanetti"
).split()
FIRM = (
    "Amber Arch Atlas Beacon Birch Bridge Cedar Cobalt Coral Crest Delta Dune Ember Falcon Fern Fjord Grove Harbor Hazel "
    "Indigo Iris Jasper Juniper Kestrel Lagoon Larch Linden Lotus Maple Meridian Mesa Nimbus Oak Onyx Opal Orchid Pine Quartz "
    "Raven Reef Sable Slate Spruce Summit Terra Tidal Umber Vale Willow Zephyr"
).split()
TRADE = "Foods Freight Glass Hotels Labs Logistics Mills Motors Paper Plastics Retail Software Steel Textiles Tools Works".split()
CITY = ("São Paulo", "Recife", "Curitiba", "Lisboa", "Porto", "Austin", "Denver", "Rosario", "Bremen", "Leipzig")
LOSS = ("Price too high", "Chose another supplier", "No budget this year", "Project stopped", "No answer after offer")
CAMPAIGN = ("Spring webinar", "Trade fair 2026", "Newsletter", "Partner days", "Search ads")
MEDIUM = ("webinar", "event", "email", "referral", "cpc")
SOURCE = ("google", "newsletter", "partner", "linkedin", "feira local")
