"""Recursive-descent parser for the part of SOQL that data readers use.

Known: fields and one-up relationships, COUNT(), COUNT(field) and SUM(field), WHERE, GROUP BY, ORDER BY, LIMIT, OFFSET. Not known
(answered with MALFORMED_QUERY): subqueries, HAVING, TYPEOF, WITH, FOR, ordered groups. As Salesforce demands, AND and OR on one level
need parentheses, and so does NOT beside either. (SOQL and SOSL reference, condition expression syntax.)
"""

from datetime import UTC, datetime

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.lexer import Token, complain, tokens, unescape
from sandbox.salesforce.soql.tree import Compare, Condition, Item, Junction, Literal, Negation, Order, Query

_WORDS: dict[str, tuple[str, object]] = {
    "true": ("boolean", True),
    "false": ("boolean", False),
    "null": ("null", None),
    **{word: ("period", (word, 1)) for word in ("today", "yesterday", "tomorrow")},
    **{
        f"{which}_{unit}": ("period", (f"{which}_{unit}", 1))
        for which in ("this", "last")
        for unit in ("month", "year")
    },
    "next_month": ("period", ("next_month", 1)),
}
_COUNTED_PERIODS = {"last_n_days", "next_n_days"}
_MAX_OFFSET = 2000


def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        ApiError: MALFORMED_QUERY with the place, NUMBER_OUTSIDE_VALID_RANGE for too large an OFFSET.
    """
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.next = 0

    def query(self) -> Query:
        self.expect("select")
        items, count = self.items()
        self.expect("from")
        sobject = self.name()
        where = self.condition() if self.accept("where") else None
        group = self.fields() if self.accept("group", "by") else ()
        order = self.order() if self.accept("order", "by") else ()
        limit = self.integer() if self.accept("limit") else None
        offset = self.integer() if self.accept("offset") else 0
        if self.token.kind != "end":
            raise self.unexpected()
        if offset > _MAX_OFFSET:
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MAX_OFFSET}")
        query = Query(self.text, items, count, sobject.text, sobject.at, where, order, limit, offset, group)
        if query.is_aggregate and (order or limit is not None or offset):
            raise self.unexpected()
        return query

    def items(self) -> tuple[tuple[Item, ...], bool]:
        if self.ahead("count", "(", ")"):
            self.next += 3
            return (), True
        items = [self.item()]
        while self.accept(","):
            items.append(self.item())
        return tuple(items), False

    def item(self) -> Item:
        for function in ("count", "sum"):
            if self.accept(function, "("):
                name = self.name()
                self.expect(")")
                alias = self.name().text if self.token.kind == "name" and not self.ahead("from") else None
                return Item(name.text, name.at, function, alias)
        name = self.name()
        return Item(name.text, name.at)

    def fields(self) -> tuple[Item, ...]:
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        return tuple(Item(name.text, name.at) for name in names)

    def condition(self) -> Condition:
        if self.accept("not"):
            return Negation(self.simple())
        terms = [self.simple()]
        for op in ("and", "or"):
            if self.ahead(op):
                while self.accept(op):
                    terms.append(self.simple())
                return Junction(op, tuple(terms))
        return terms[0]

    def simple(self) -> Condition:
        if self.accept("("):
            inner = self.condition()
            self.expect(")")
            return inner
        return self.compare()

    def compare(self) -> Compare:
        path = self.name()
        if self.accept("like"):
            return Compare(path.text, "like", (self.literal(),), path.at)
        for words in (("in",), ("not", "in")):
            if self.accept(*words):
                return Compare(path.text, " ".join(words), self.literals(), path.at)
        token = self.token
        if token.kind != "symbol" or token.text not in {"=", "!=", "<>", "<", "<=", ">", ">="}:
            raise self.unexpected()
        self.next += 1
        return Compare(path.text, "!=" if token.text == "<>" else token.text, (self.literal(),), path.at)

    def literals(self) -> tuple[Literal, ...]:
        self.expect("(")
        found = [self.literal()]
        while self.accept(","):
            found.append(self.literal())
        self.expect(")")
        return tuple(found)

    def literal(self) -> Literal:
        token = self.token
        self.next += 1
        word = token.text.lower()
        if token.kind == "string":
            return Literal("string", unescape(token.text[1:-1]), token.text[1:-1], token.at)
        if token.kind == "number":
            return Literal("number", float(token.text), token.text, token.at)
        if token.kind in {"date", "datetime"}:
            return Literal(token.kind, self.moment(token), token.text, token.at)
        if token.kind == "name" and word in _WORDS:
            kind, value = _WORDS[word]
            return Literal(kind, value, token.text, token.at)
        if token.kind == "name" and word in _COUNTED_PERIODS and self.accept(":"):
            return Literal("period", (word, self.integer()), token.text, token.at)
        self.next -= 1
        raise self.unexpected()

    def moment(self, token: Token) -> datetime | str:
        try:
            moment = datetime.fromisoformat(token.text)
        except ValueError:
            raise complain("MALFORMED_QUERY", self.text, token.at, f"Invalid date: {token.text}") from None
        if token.kind == "date":
            return token.text
        moment = moment.astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def order(self) -> tuple[Order, ...]:
        terms = []
        while True:
            name = self.name()
            descending = self.accept("desc") or (self.accept("asc") and False)
            nulls_last = self.accept("nulls", "last") or (self.accept("nulls", "first") and False)
            terms.append(Order(name.text, name.at, descending=descending, nulls_last=nulls_last))
            if not self.accept(","):
                return tuple(terms)

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def ahead(self, *words: str) -> bool:
        coming = self.tokens[self.next : self.next + len(words)]
        return [t.text.lower() for t in coming if t.kind in {"name", "symbol"}] == list(words)

    def accept(self, *words: str) -> bool:
        if self.ahead(*words):
            self.next += len(words)
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.unexpected()

    def name(self) -> Token:
        if self.token.kind != "name":
            raise self.unexpected()
        self.next += 1
        return self.tokens[self.next - 1]

    def integer(self) -> int:
        if self.token.kind != "number" or not self.token.text.isdecimal():
            raise self.unexpected()
        self.next += 1
        return int(self.tokens[self.next - 1].text)

    def unexpected(self) -> ApiError:
        return complain("MALFORMED_QUERY", self.text, self.token.at, f"unexpected token: '{self.token.text}'")
