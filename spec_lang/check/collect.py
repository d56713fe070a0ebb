"""Statements by kind. A text has one statement of each kind; a later text replaces those of an earlier one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nnspec.spec_lang.check.arithmetic import Misfigured, computed
from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, Fix, did_you_mean, near, one_of
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.misfits import mends, read
from nnspec.spec_lang.syntax.tree import (
    Argument,
    Block,
    Broken,
    Call,
    Condition,
    Expect,
    Include,
    Let,
    Pipeline,
    Statement,
    Sweep,
    Value,
    Variant,
)
from nnspec.spec_lang.vocabulary.bases import Setting
from nnspec.spec_lang.vocabulary.registry import layers, statements
from nnspec.spec_lang.vocabulary.summary import known_words

Variables = Mapping[str, Value | None]
"""The value of each `$name`; None if its let has an error, which is already reported."""


@dataclass
class Statements:
    """The statements of a spec by kind. `broken` has the ones with syntax errors: "let w", "loss", "network"."""

    settings: dict[str, Call] = field(default_factory=dict)
    network: Pipeline | None = None
    lets: dict[str, Let] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    sweeps: dict[str, Sweep] = field(default_factory=dict)
    expects: dict[str, Condition] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def copy(self) -> "Statements":
        """Return a copy that can be changed independently."""
        return Statements(
            dict(self.settings),
            self.network,
            dict(self.lets),
            dict(self.blocks),
            dict(self.variants),
            dict(self.sweeps),
            dict(self.expects),
            set(self.broken),
        )

    def weight(self) -> int:
        """Return the number of statements."""
        return (
            len(self.settings)
            + len(self.lets)
            + len(self.blocks)
            + len(self.variants)
            + len(self.sweeps)
            + len(self.expects)
            + 1
        )


NETWORK = "the network"


def further_lines(first: Span, further: Sequence[Pipeline]) -> Diagnostic:
    """Return the error of lines with layers after the network: they go on with it, or are another one."""
    source, start = first.source, further[0].span.start
    line, _ = source.place(first.start)
    text, at = "", start
    for pipeline in further:
        text += f"{source.text[at : pipeline.span.start]}-> "
        at = pipeline.span.start
    word = re.compile(r"\w*").match(source.text, at)
    end = word.end() if word is not None else at
    between = source.text[first.end : start]
    fix = Fix(
        Span(source, start, end), f"{text}{source.text[at:end]}", sure=not between.strip() and "\n\n" not in between
    )
    help = f"line {line} has one already; if it continues here, write -> before this line"
    return Diagnostic("E107", f"{NETWORK} is given a second time", further[0].span, help=help, fix=fix)


def setting_key(call: Call) -> str:
    """Return what a text has once: a statement's word, and where it may occur again, its first values too."""
    cls = statements()[call.word].get(call.word)
    if cls is None or not issubclass(cls, Setting) or not cls.repeats:
        return call.word
    return " ".join([call.word, *(str(a.value) for a in call.arguments if isinstance(a, Value) and a.kind == "name")])


def language_word(name: str) -> str | None:
    """Return "layer" or "statement" if the language has a word of this name, so that a block cannot have it."""
    if name == "skip":
        return "layer"
    return "layer" if name in layers() else "statement" if name in statements() else None


def _after_a_default(block: Block) -> Value | None:
    """Return the first parameter without a default after one with a default, which reads as a second value of that."""
    return next((option.values[1] for option in block.defaults if len(option.values) > 1), None)


def collect(text: Sequence[Statement], known: Statements, found: Findings) -> None:
    """Sort the statements of one text into `known`."""
    _Collector(known, found).collect(text)


class _Collector:
    """Adds one text to the statements known so far; `seen` are the statements of this text."""

    def __init__(self, known: Statements, found: Findings):
        self.known = known
        self.found = found
        self.seen: dict[str, Span] = {}
        self.further: list[Pipeline] = []

    def collect(self, text: Sequence[Statement]) -> None:
        """Sort the statements by kind. Report and omit one that occurs twice or has a name that is taken."""
        known = self.known
        names = {statement.name for statement in text if isinstance(statement, Block)}
        for statement in text:
            match statement:
                case Let() if self._once(f"let {statement.name}", statement.span):
                    known.lets[statement.name] = statement
                case Block() if self._once(f"block {statement.name}", statement.span) and self._is_free(statement):
                    known.blocks[statement.name] = statement
                case Variant() if self._once(f"variant {statement.name}", statement.span):
                    known.variants[statement.name] = statement
                case Sweep() if self._once(f"sweep {statement.key}", statement.span):
                    known.sweeps[statement.key] = statement
                case Expect():
                    self._expect(statement)
                case Pipeline():
                    self._pipeline(statement, {*names, *known.blocks})
                case Broken():
                    known.broken.add(f"{statement.kind} {statement.name}" if statement.name else statement.kind)
                case Include():
                    self.found.say(
                        "E002", "an include is inside a variant", statement.span, "write it above, by itself"
                    )
        if self.further:
            self.found.add(further_lines(self.seen[NETWORK], self.further))

    def _expect(self, statement: Expect) -> None:
        """Sort the conditions of an expect: one at least and one at most for each metric."""
        for condition in statement.conditions:
            key = f"expect {condition.metric} {condition.sign[0]}"
            if self._once(key, condition.span):
                self.known.expects[key] = condition

    def _once(self, kind: str, span: Span) -> bool:
        if kind in self.seen:
            line, _ = self.seen[kind].source.place(self.seen[kind].start)
            help = f"line {line} has one already; keep one of them"
            self.found.say("E107", f"{kind} is given a second time", span, help)
            return False
        self.seen[kind] = span
        return True

    def _is_free(self, block: Block) -> bool:
        """Return whether the name of a block and its parameters are unique; report it if not."""
        taken = language_word(block.name)
        if taken is not None:
            message = f'a block cannot be called "{block.name}": there is a {taken} of this name'
            self.found.say("E107", message, block.span, "give it another name")
        elif (after := _after_a_default(block)) is not None:
            message = f"{after.span.text} has no default, and is after a parameter that has one"
            self.found.say("E106", message, after.span, "write the parameters without a default first")
        elif len(set(block.parameters)) < len(block.parameters):
            twice = next(name for name in block.parameters if block.parameters.count(name) > 1)
            self.found.say("E106", f"block {block.name} has two parameters called {twice}", block.span)
        else:
            return True
        self.known.broken.add(f"block {block.name}")
        return False

    def _pipeline(self, pipeline: Pipeline, blocks: set[str]) -> None:
        first, *rest = pipeline.stages
        if isinstance(first, Call) and not rest and self._has_colon(first):
            return
        if isinstance(first, Call) and self._is_setting(first, blocks, alone=not rest):
            if first.word in statements() and self._once(key := setting_key(first), first.span):
                self.known.settings[key] = first
            if rest and first.word != "input":
                self.found.say(
                    "E002", f"{first.word} is a statement of its own", rest[0].span, "end the line before the arrow"
                )
                self.known.broken.add("network")
                return
            if not rest:
                return
            pipeline = Pipeline(tuple(rest), rest[0].span.to(rest[-1].span))
        if NETWORK in self.seen:
            self.further.append(pipeline)
        else:
            self.seen[NETWORK], self.known.network = pipeline.span, pipeline

    def _has_colon(self, call: Call) -> bool:
        """Return whether a line is a setting with a colon, such as `optimizer: adam`, after reporting it."""
        label = call.label or ""
        meant = label if label in statements() else foreign.meant(label, statements())
        if meant is None or call.word in layers():
            return False
        written = call.span.text.partition(":")[2].strip()
        plain = Diagnostic("E002", "a statement has no colon", call.span, help=f"write {meant} {written}")
        reading = read(call.span, known_words())
        self.found.add(reading.of(plain) if reading is not None else plain)
        self.known.broken.add(meant)
        return True

    def _is_setting(self, call: Call, blocks: set[str], alone: bool) -> bool:
        """Return whether a line's first word is a setting, or after reporting it, an unknown word alone on its line."""
        if call.word in statements():
            return True
        if not alone or call.word in layers() or call.word in blocks or call.word == "skip":
            return False
        if f"block {call.word}" in self.known.broken:
            self.known.broken.add("network")
            return True
        every: dict[str, object] = {**statements(), **layers(), **dict.fromkeys(blocks)}
        reserved = dict.fromkeys(("let", "block", "variant", "include", "sweep", "expect", "repeat"))
        close = foreign.meant(call.word, every, bool(call.arguments)) or foreign.meant(call.word, reserved)
        if call.word.lower() not in foreign.NO_LINES:
            close = close or near(call.word, {**every, **reserved})
        listed = f"a line begins with a layer or a setting: {one_of(statements())}"
        otherwise = foreign.NO_LINES.get(call.word.lower(), listed)
        help, fix = did_you_mean(close, call.word_span, otherwise)
        plain = Diagnostic("E101", f'no layer or statement is called "{call.word}"', call.word_span, help=help, fix=fix)
        named = dict.fromkeys(blocks, ())
        reading = read(call.span, known_words(), named)
        if reading is None and fix is not None and not mends(call.span, fix, known_words(), named):
            plain = replace(plain, fix=None)
        self.found.add(reading.of(plain) if reading is not None else plain)
        meant = reading.word if reading is not None else close
        self.known.broken.add(meant if meant is not None and meant in statements() else "network")
        return True


def choose_variant(variant: str, known: Statements, found: Findings) -> None:
    """Replace statements by those of a variant."""
    if variant in known.variants:
        for chosen in reversed(_line_of(known.variants[variant], known, found)):
            collect(chosen.statements, known, found)
        return
    close = near(variant, known.variants)
    listed = f"it has {one_of(known.variants)}" if known.variants else "it has none"
    span = Span(Source("--variant", variant, option=True), 0, len(variant))
    if f"variant {variant}" not in known.broken:
        found.say("E108", f'the spec has no variant "{variant}"', span, *did_you_mean(close, span, listed))


def _line_of(variant: Variant, known: Statements, found: Findings) -> list[Variant]:
    """Return a variant, the one that it builds on, and so on; report one that is not there, and a circle."""
    line = [variant]
    while (parent := line[-1].parent) is not None:
        name, span = parent
        names = [above.name for above in line]
        if name in names:
            circle = " from ".join((*names[names.index(name) :], name))
            help = "let one of them build on the spec itself: leave out its from"
            found.say("E108", f"the variant {name} builds on itself: {circle}", span, help)
            break
        if name not in known.variants:
            if f"variant {name}" not in known.broken:
                close = near(name, known.variants)
                listed = f"the variants are {one_of(known.variants)}"
                found.say("E108", f'the spec has no variant "{name}"', span, *did_you_mean(close, span, listed))
            break
        line.append(known.variants[name])
    return line


def let_values(known: Statements, found: Findings) -> dict[str, Value | None]:
    """Return the value of each let; a let can use those above it."""
    values: dict[str, Value | None] = {}
    for name, let in known.lets.items():
        done = substitute((let.value,), values, known.broken, found.add)
        value = done[0] if done else None
        values[name] = value if isinstance(value, Value) else None
    return values


def substitute(
    arguments: Sequence[Argument], values: Variables, broken: set[str], report: Callable[[Diagnostic], None]
) -> tuple[Argument, ...] | None:
    """Return the arguments with each `$name` replaced by its value; `x$w` with a whole number is a count.

    Return None if a name has no value, and report it unless its let is one of the broken statements.
    """
    missing = False

    def value(written: Value) -> Value:
        """Return the value of a variable, or any other value as it is; set `missing` if there is none."""
        nonlocal missing
        if written.kind == "formula":
            return formula(written)
        if written.kind != "variable":
            return written
        name, counted = str(written.value), written.span.text.startswith("x")
        meant = values.get(name)
        if meant is not None and (not counted or meant.kind == "int"):
            place = meant.span if meant.span.source.option else written.span  # an option's error is told at the option
            return Value("count" if counted else meant.kind, meant.value, place)
        missing = True
        if meant is not None:
            message = f"{written.span.text} is a count, and ${name} is no whole number"
            place = meant.span if meant.span.source.option else written.span
            report(Diagnostic("E201", message, place, help=f"give {name} a whole number, or write ${name} alone"))
        elif name not in values and f"let {name}" not in broken:
            close = near(name, values)
            dollar = "$" if "$" in written.span.text else ""  # none inside $( … )
            name_span = Span(written.span.source, written.span.end - len(name) - len(dollar), written.span.end)
            help, fix = did_you_mean(close and f"{dollar}{close}", name_span, f"write let {name} = … above")
            message = f'nothing gives "${name}" a value'
            cause = f"{name} {close}" if not written.span.source.option else ""
            report(Diagnostic("E103", message, written.span, help=help, fix=fix, cause=cause))
        return written

    def formula(written: Value) -> Value:
        """Return the value of a formula; set `missing` if it has none."""
        nonlocal missing
        try:
            return computed(written, lambda name: found if (found := value(name)).kind != "variable" else None)
        except Misfigured as wrong:
            missing = True
            if wrong.found is not None:
                report(wrong.found)
            return written

    done = tuple(
        [
            value(argument)
            if isinstance(argument, Value)
            else argument._replace(values=tuple([value(inner) for inner in argument.values]))
            for argument in arguments
        ]
    )
    return None if missing else done
