# SPDX-License-Identifier: Apache-2.0
"""The mutants of a C source of ours: one small change of a function's body each.

Read with a tokenizer, for comments, strings, preprocessor lines and static tables are left alone; our
sources are formatted by clang-format and have braces around each statement, so tokens are enough to know
conditions, operands and cases. What does not compile after all is left out by whoever runs it. No mutant
changes the number of lines.
"""
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|/\*.*?\*/|//[^\n]*)
  | (?P<string>(?:[LuU]|u8)?"(?:\\.|[^"\\])*")
  | (?P<char>[LuU]?'(?:\\.|[^'\\])*')
  | (?P<number>\.?[0-9](?:[eEpP][+-]|[\w.])*)
  | (?P<id>[A-Za-z_]\w*)
  | (?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[^\s\w])
""", re.X | re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.M | re.S)
INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)$")

OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
RELATIONAL = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGICAL = {"&&": "||", "||": "&&"}
# the third argument says how many octets are compared
COMPARES = {"memcmp", "strncmp", "strncasecmp", "CRYPTO_memcmp"}
SPANS = {"span_equal", "span_equal_secret"}
LEAVES = {"return", "continue", "break"}
# what a library is asked to decide; whatever else it does fails when the machine does, which is swept elsewhere
DECIDES = re.compile(r"(?!.*_?[iI]nit(_ex2?)?$)"
                     r"([A-Z]\w*_.*([Vv]erify|cmp|compare|check|_eq|to_tm|d2i|decode|match|find)|d2i_)")
# what it makes, sets and writes out
MAKES = re.compile(r"[A-Z]\w*_(new|init|set\w*|push|add\w*|Init\w*|Update|Final\w*|fromdata\w*|load|write\w*|i2d\w*|"
                   r"ctrl|dup)")
ALLOCATES = re.compile(r"\w*(_new|_dup|_new_\w+|alloc|_gen|_fetch|_null)$|BN_(CTX_)?\w*|OSSL_PARAM_BLD_to_param")
# our own calls that fail with the machine alone: SQLite, a digest, random numbers, memory
# (what ends in no_memory() or abort() is of this kind, too)
MACHINE = re.compile(r"(store_(query|query_one|next|exec|call|has_row)|sha256|random_bytes|ossl_init|proc_harden|"
                     r"tagged_hash|fflush|json_pack|json_dump\w*)$")
# what only writes the reason down: its result is the refusal itself
REASON = re.compile(r"(^|_)(err|error|refuse|refused|fault|bad|misuse|wrong|departs|fail|failed|complain|no_memory)"
                    r"(_|$)")


class Token:
    def __init__(self, kind, text, start, line):
        self.kind, self.text, self.start, self.line = kind, text, start, line
        self.end = start + len(text)
        self.pair = None  # index of the bracket that belongs to this one


class Mutant:
    """One change: text[start:end] becomes `new`. `lines` are those of which one must be executed."""

    def __init__(self, file, function, kind, lines, start, end, old, new, said=None):
        self.file, self.function, self.kind, self.lines = file, function, kind, lines
        self.start, self.end, self.old, self.new = start, end, old, new
        self.line = lines[0]
        self.said = said or new

    @property
    def text(self):
        """What the list of equivalent mutants names it by."""
        return " ".join(f"{self.old} -> {self.said}".split())

    def apply(self, text):
        return text[:self.start] + self.new + text[self.end:]

    def shown(self, text):
        """The lines that change: before, and after."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end)
        last = len(text) if last < 0 else last
        old = text[first:last]
        return old, text[first:self.start] + self.new + text[self.end:last]


def tokenize(text):
    blank = DIRECTIVE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    tokens, stack, line, at = [], [], 1, 0
    while at < len(blank):
        found = TOKEN.match(blank, at)
        if not found:
            raise ValueError(f"line {line}: no token of C: {blank[at:at + 20]!r}")
        if found.lastgroup != "space":
            token = Token(found.lastgroup, found.group(), at, line)
            if token.text in OPEN and token.kind == "op":
                stack.append(len(tokens))
            elif token.text in CLOSE and token.kind == "op":
                token.pair = stack.pop()
                tokens[token.pair].pair = len(tokens)
            tokens.append(token)
        line += found.group().count("\n")
        at = found.end()
    if stack:
        raise ValueError(f"line {tokens[stack[-1]].line}: a bracket is not closed")
    return tokens


class Source:
    def __init__(self, file, text):
        self.file, self.text = file, text
        self.tokens = tokenize(text)
        self.mutants = []
        self.function = ""
        self.negated = set()
        self.returns = ""
        self.extent = (0, 0)

    # ---- shapes ----

    def is_op(self, i, *texts):
        return 0 <= i < len(self.tokens) and self.tokens[i].kind == "op" and self.tokens[i].text in texts

    def is_word(self, i, *texts):
        return 0 <= i < len(self.tokens) and self.tokens[i].kind == "id" and self.tokens[i].text in texts

    def piece(self, first, last):
        """The source from token `first` to token `last`, both included."""
        return self.text[self.tokens[first].start:self.tokens[last].end]

    def add(self, kind, first, last, new, lines=None, said=None):
        start, end = self.tokens[first].start, self.tokens[last].end
        old = self.text[start:end]
        # a mutant has the lines of what it replaces
        missing = old.count("\n") - new.count("\n")
        if missing < 0:
            new = new.replace("\n", " ")
            missing = old.count("\n")
        if first == last and said is None:  # an operator or a number: which of them is seen in its line
            begin, end_of_line = self.text.rfind("\n", 0, start) + 1, self.text.find("\n", end)
            before, after = self.text[begin:start], self.text[end:end_of_line]
            said = before + new + after
            old = before + old + after
        self.mutants.append(Mutant(self.file, self.function, kind, lines or [self.tokens[first].line],
                                   start, end, old, new + "\n" * missing, said or new))

    def operand(self, i, stops):
        """The tokens of the operands before and after the operator at i; `stops` end them, too."""
        ends = {",", ";", "?", ":", "=", "+=", "-=", "|=", "&=", "{", "}", "(", ")", "[", "]"} | stops
        left = i - 1
        while left >= 0:
            if self.is_op(left, ")", "]", "}") and not self.ends_statement(left):
                left = self.tokens[left].pair - 1
            elif self.is_word(left, "return", "case", "else") or self.is_op(left, *ends):
                break
            else:
                left -= 1
        right = i + 1
        while right < len(self.tokens):
            if self.is_op(right, "(", "[", "{"):
                right = self.tokens[right].pair + 1
            elif self.is_op(right, *ends):
                break
            else:
                right += 1
        return (left + 1, i - 1), (i + 1, right - 1)

    def ends_statement(self, i):
        return self.is_op(i, "}") and not self.is_op(self.tokens[i].pair - 1, ")", "=", ",", "{")

    def arguments(self, open_at):
        """The first and last token of each argument between the parentheses at open_at."""
        close, first, at, out = self.tokens[open_at].pair, open_at + 1, open_at + 1, []
        while at <= close:
            if at == close or self.is_op(at, ","):
                if at > first:
                    out.append((first, at - 1))
                first = at + 1
            elif self.is_op(at, "(", "[", "{"):
                at = self.tokens[at].pair
            at += 1
        return out

    def acts(self, first, last):
        """A call does more than answer yes or no: it can fail with a reason, gives something back, or verifies."""
        for i in range(first, last):
            name = self.tokens[i].text
            if self.tokens[i].kind != "id" or not self.is_op(i + 1, "(") or MACHINE.match(name):
                continue
            inside = range(i + 2, self.tokens[i + 1].pair)
            library = name[0].isupper() or name.startswith(("d2i_", "i2d_"))
            if library and DECIDES.match(name):
                return True
            if not library and any(self.is_word(k, "e") or (self.is_op(k, "&") and self.is_op(k - 1, ",", "("))
                                   for k in inside):
                return True
        return False

    def fails_with_machine(self, first, last):
        """Nothing but calls that a sound machine answers well."""
        if self.is_op(last - 1, "==", "!=") and self.is_word(last, "NULL") and last - first == 2:
            return self.is_allocated(self.tokens[first].text)
        at = [i for i in range(first, last) if self.is_op(i, "||", "&&") and self.is_top(i, first)]
        if at:
            edges = [first - 1, *at, last + 1]
            return all(self.fails_with_machine(a + 1, b - 1) for a, b in zip(edges, edges[1:]))
        names, i = [], first
        while i < last:
            if self.tokens[i].kind == "id" and self.is_op(i + 1, "("):  # what is within are its arguments
                names.append(self.tokens[i].text)
                i = self.tokens[i + 1].pair
            i += 1
        return bool(names) and all(MACHINE.match(n) or (MAKES.match(n) and not DECIDES.match(n)) for n in names)

    def is_allocated(self, name):
        """The variable has what a library made: NULL when there is no memory."""
        return any(self.is_word(i, name) and self.is_op(i + 1, "=") and self.is_op(i + 3, "(") and
                   ALLOCATES.match(self.tokens[i + 2].text) for i in range(*self.extent))

    def is_top(self, i, first):
        """Token i is in no bracket that is opened behind `first`."""
        k = first
        while k < i:
            k = self.tokens[k].pair + 1 if self.is_op(k, "(", "[", "{") else k + 1
        return k == i

    def has_top(self, first, last, texts):
        i = first
        while i <= last:
            if self.is_op(i, *texts):
                return True
            i = self.tokens[i].pair + 1 if self.is_op(i, "(", "[", "{") else i + 1
        return False

    # ---- kinds ----

    def negate(self, first, last):
        """Not where it is one relation, or one negation, for that is the mutant of another kind."""
        if not self.has_top(first, last, ("&&", "||", "?")) and self.has_top(first, last, RELATIONAL):
            return
        if (first, last) in self.negated:
            return
        self.negated.add((first, last))
        body = self.piece(first, last)
        single = not self.has_top(first, last, ("&&", "||", "?"))
        self.add("negate", first, last, body[1:] if single and body[0] == "!" else f"!({body})")

    def condition(self, i):
        """if (...) { ... }"""
        opened = i + 1
        first, last = opened + 1, self.tokens[opened].pair - 1
        self.negate(first, last)
        block = last + 2
        if not self.is_op(block, "{"):
            return
        end = self.tokens[block].pair
        if any(self.is_word(k, "no_memory", "abort") for k in range(block, end)):
            return
        leaves = any(self.is_word(k, *LEAVES) or (self.tokens[k].kind == "id" and REASON.search(self.tokens[k].text))
                     for k in range(block, end))
        if not leaves:
            return
        body = self.piece(first, last)
        if self.fails_with_machine(first, last):
            return
        self.add("drop", first, last, f"0 && ({body})")
        if self.acts(first, last):
            self.add("ignore", first, last, f"({body}) && 0")

    def operands(self, i):
        """a || b: without b, then without a; what they do is done all the same."""
        either = self.is_op(i, "||")
        before, after = self.operand(i, {"||"} if either else {"||", "&&"})
        if any(self.is_word(k, "no_memory", "abort") for k in range(after[1], min(after[1] + 8, len(self.tokens)))):
            return
        if not any(self.fails_with_machine(*side) for side in (before, after) if side[0] <= side[1]):
            self.add("logical", i, i, LOGICAL[self.tokens[i].text])
        sides = [after]
        if not self.is_op(before[0] - 1, self.tokens[i].text):
            sides.insert(0, before)
        for first, last in sides:
            if last < first:
                continue
            body = self.piece(first, last)
            if self.fails_with_machine(first, last):
                continue
            if self.acts(first, last):
                new, kind = f"(({body}) {'&& 0' if either else '|| 1'})", "ignore"
            else:
                new, kind = ("0" if either else "1"), "drop"
            self.add(kind, first, last, new)

    def returned(self, i):
        """return call(...);"""
        word = self.tokens[i + 1]
        if word.kind != "id" or not self.is_op(i + 2, "(") or REASON.search(word.text) or word.text == "sizeof":
            return
        end = self.tokens[i + 2].pair
        good = {"int": "0", "bool": "true"}.get(self.returns)
        if good and self.is_op(end + 1, ";") and self.acts(i + 1, end):
            self.add("ignore", i + 1, end, f"({self.piece(i + 1, end)}, {good})")

    def compared(self, i):
        """memcmp(a, b, n)"""
        word, arguments = self.tokens[i].text, self.arguments(i + 1)
        if word in COMPARES and len(arguments) == 3:
            first, last = arguments[2]
            self.add("length", first, last, f"({self.piece(first, last)}) - 1")
        if word in SPANS and len(arguments) == 2:
            a, b = (self.piece(*argument) for argument in arguments)
            self.add("length", i, self.tokens[i + 1].pair,
                     f"({{ struct span a_ = ({a}); struct span b_ = ({b}); "
                     f"if (a_.n > 0 && a_.n == b_.n) {{ a_.n--; b_.n--; }} {word}(a_, b_); }})",
                     None, "all but the last octet")

    def number(self, i, lines=None):
        found = INTEGER.match(self.tokens[i].text)
        if not found:
            return
        value = int(found.group(1), 16 if found.group(1)[:2] in ("0x", "0X") else
                    8 if len(found.group(1)) > 1 and found.group(1)[0] == "0" else 10)
        failed = self.is_op(i - 1, "-") and self.is_op(i - 2, "?", ":", "=", "(", ",", "==", "!=") and value == 1
        for change in (-1,) if failed else (1, -1):  # -1 says that it failed, and so does -2
            changed = f"{value + change}{found.group(2)}"
            self.add("constant", i, i, changed if value + change >= 0 else f"({changed})", lines)

    def is_plain_number(self, i):
        """0 and 1 where they are no quantity: a comparison with 0, a result, an empty initializer."""
        zero = self.tokens[i].text == "0"
        before = i - 1
        if self.is_op(before, "-"):
            before -= 1
        if self.is_word(before, "return", "case"):
            return True
        if zero and (self.is_op(before, "==", "!=", "<", ">", ">=", "<=") or self.is_op(i + 1, "==", "!=", "<", ">")):
            return True
        return zero and (self.is_op(before, "{", "=", ",", "?", ":"))

    def is_room(self, i, statement):
        """char text[256], BUF_INIT(MAX + 64), mem_zalloc(1, size), where 0 is 1, too: how much room there is; what is
        checked against it is another line"""
        k = i
        while k > statement and not self.is_op(k, "(", ")", ",", ";"):
            k -= 1
        if self.is_op(k, "(") and self.is_word(k - 1, "BUF_INIT", "BUF_SECRET", "mem_zalloc"):
            return True
        if self.is_word(statement, "return"):
            return False
        return self.is_op(i - 1, "[") and self.tokens[statement].kind == "id" and (
            self.tokens[statement + 1].kind == "id" or self.is_op(statement + 1, "*"))

    # ---- walks ----

    def body(self, start, end):
        i = statement = start + 1
        while i < end:
            token = self.tokens[i]
            if token.kind == "op" and token.text in (";", "{", "}"):
                statement = i + 1
            if self.is_word(i, "static"):  # a table
                while not self.is_op(i, ";"):
                    i = self.tokens[i].pair + 1 if self.is_op(i, "(", "[", "{") else i + 1
                statement = i + 1
            elif self.is_word(i, "assert") and self.is_op(i + 1, "("):
                i = self.tokens[i + 1].pair
            elif self.is_word(i, "sizeof") and self.is_op(i + 1, "("):
                i = self.tokens[i + 1].pair
            elif token.kind == "id":
                self.word(i)
            elif token.kind == "op":
                self.operator(i)
            elif token.kind == "number" and not self.is_plain_number(i) and not self.is_room(i, statement):
                self.number(i)
            i += 1

    def word(self, i):
        if self.is_word(i, "if") and self.is_op(i + 1, "("):
            self.condition(i)
        elif self.is_word(i, "while") and self.is_op(i + 1, "("):
            self.negate(i + 2, self.tokens[i + 1].pair - 1)
        elif self.is_word(i, "return"):
            self.returned(i)
        elif self.is_word(i, "case"):
            end = i + 1
            while not self.is_op(end, ":"):
                end += 1
            self.add("case", i, end, "")
        elif self.is_op(i + 1, "("):
            self.compared(i)

    def operator(self, i):
        text = self.tokens[i].text
        if text in RELATIONAL:
            self.add("relational", i, i, RELATIONAL[text])
        elif text in LOGICAL:
            self.operands(i)
        elif text == "?":
            before, _ = self.operand(i, set())
            if before[0] <= before[1]:
                self.negate(*before)

    def limits(self, start, end):
        """enum { NAME = NUMBER }: executed where the name is used"""
        i = start + 1
        while i < end:
            if self.tokens[i].kind == "id" and self.is_op(i + 1, "=") and self.tokens[i + 2].kind == "number" and (
                    self.is_op(i + 3, ",", "}")):
                name = self.tokens[i].text
                users = [t.line for t in self.tokens if t.kind == "id" and t.text == name and t is not self.tokens[i]]
                self.function = name
                self.number(i + 2, [self.tokens[i].line] + users)
            i += 1

    def walk(self):
        i = 0
        while i < len(self.tokens):
            if not self.is_op(i, "{"):
                i += 1
                continue
            end = self.tokens[i].pair
            if self.is_op(i - 1, ")"):
                name = self.tokens[i - 1].pair - 1
                self.function = self.tokens[name].text
                self.returns = self.tokens[name - 1].text if name > 0 else ""
                self.extent = (i, end)
                self.body(i, end)
            elif self.is_word(i - 1, "enum") or self.is_word(i - 2, "enum"):
                self.limits(i, end)
            i = end + 1
        return self.mutants


def mutants_of(file, text):
    return Source(file, text).walk()
