"""People's names, put together from lists: accents, CJK with its romanised form, right-to-left, apostrophes, one word, very long."""

import unicodedata
from functools import lru_cache
from random import Random
from typing import NamedTuple


class Name(NamedTuple):
    """A name: as written, and the family name empty for who has one word only; latin: for mail addresses."""

    given: str
    family: str
    latin_given: str
    latin_family: str


class _Culture(NamedTuple):
    given: tuple[str, ...]
    family: tuple[str, ...]


def _plain(words: str) -> tuple[str, ...]:
    return tuple(words.split())


CULTURES: dict[str, _Culture] = {
    "lusophone": _Culture(
        _plain(
            "Ana João Maria José Antônia Luís Beatriz Tiago Inês Caio Débora Fábio Gonçalo Helena Íris Júlia Kauê Letícia"
            " Márcio Natália Otávio Patrícia Rui Sofia Thaís Vitória Zélia Conceição Ângela Simão"
        ),
        (
            *_plain("Silva Santos Araújo Ferreira Gonçalves Conceição Magalhães Assunção Brandão Nóbrega Peixoto"),
            *_plain("Queirós Simões Teixeira Vilaça Azevedo Barbosa Cardoso Durães Estêvão Falcão Guimarães"),
            "de Souza", "da Cunha", "dos Anjos", "d'Ávila", "Sá e Melo", "Castelo-Branco",
        ),
    ),
    "english": _Culture(
        _plain(
            "Emma Liam Olivia Noah Ava Ethan Mia Logan Chloe Mason Ruby Jack Isla Harry Zoe Wyatt Hazel Owen Ivy Miles"
            " Nora Leo Stella Jude Violet Ezra Pearl Silas Maeve Rowan"
        ),
        (
            *_plain("Smith Johnson Brown Miller Davis Wilson Moore Taylor Thomas White Harris Clark Lewis Walker Hall"),
            *_plain("Young King Wright Hill Green Baker Carter Turner Parker"),
            "O'Brien", "O’Connor", "D'Angelo", "Smith-Jones", "van Dyke", "St. John",
        ),
    ),
    "german": _Culture(
        _plain(
            "Anna Jürgen Lena Björn Mia Günther Käthe Lukas Jörg Sabine Uwe Heike Sören Ute Matthias Änne Dörte Felix"
            " Gisela Holger Ines Klaus Löwe Monika Otto"
        ),
        (
            *_plain("Müller Schmidt Schneider Fischer Weiß Großmann Köhler Jäger Krüger Böhm Groß Vogt Strauß Schäfer"),
            *_plain("Zöllner Übel Öttinger Preuß Bär Kühn"),
            "von der Heide", "zu Löwenstein",
        ),
    ),
    "indian": _Culture(
        _plain(
            "Aarav Diya Vihaan Ananya Arjun Ishaan Priya Rohan Kavya Sanjay Meera Rahul Neha Vikram Pooja Amit Lakshmi"
            " Kiran Suresh Divya"
        ),
        _plain(
            "Sharma Patel Reddy Iyer Gupta Nair Singh Kaur Rao Das Mehta Joshi Chatterjee Venkataraman Krishnamurthy"
            " Subramanian Desai Bose Kulkarni Menon"
        ),
    ),
    "japanese": _Culture(
        _plain("太郎|Taro 花子|Hanako 健太|Kenta 美咲|Misaki 翔|Sho 葵|Aoi 大輔|Daisuke さくら|Sakura 直樹|Naoki 陽子|Yoko"),
        _plain("佐藤|Sato 鈴木|Suzuki 高橋|Takahashi 田中|Tanaka 伊藤|Ito 渡辺|Watanabe 山本|Yamamoto 中村|Nakamura 小林|Kobayashi"),
    ),
    "arabic": _Culture(
        _plain("محمد|Mohammed فاطمة|Fatima أحمد|Ahmed عائشة|Aisha خالد|Khalid ليلى|Layla يوسف|Yusuf مريم|Maryam"),
        _plain("الهاشمي|Alhashimi المنصوري|Almansoori النعيمي|Alnuaimi الشامسي|Alshamsi الكعبي|Alkaabi"),
    ),
}  # fmt: skip

_ONE_WORD = _plain("Pelezinho Zico Madonna Suharto Anitta Sukarno")
_LONG_GIVEN = "Maria Antónia Francisca Josefa"
_LONG_FAMILY = "Bragança e Bourbon de Alencar"
"""With the given name and the blank between them 60 characters."""

_SPECIALS = {"ß": "ss", "ø": "o", "æ": "ae"}


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Lower-case ASCII letters of a name, for addresses: `d'Ávila` -> `davila`."""
    text = "".join(_SPECIALS.get(c, c) for c in text.lower())
    return "".join(c for c in unicodedata.normalize("NFKD", text) if c in "abcdefghijklmnopqrstuvwxyz")


def draw_name(rng: Random, culture: str) -> Name:
    """A name of a culture; one in 150 is one word, one in 300 very long."""
    special = rng.random()
    if special < 1 / 150:
        word = _ONE_WORD[int(rng.random() * len(_ONE_WORD))]
        return Name(word, "", fold(word), "")
    if special < 3 / 300:
        return Name(_LONG_GIVEN, _LONG_FAMILY, "mariaantonia", "braganca")
    lists = CULTURES[culture]
    given = lists.given[int(rng.random() * len(lists.given))]
    family = lists.family[int(rng.random() * len(lists.family))]
    if "|" in given:
        (native_given, given), (native_family, family) = given.split("|"), family.split("|")
        if special < 0.7:
            return Name(native_given, native_family, fold(given), fold(family))
    return Name(given, family, fold(given), fold(family))
