"""Help for a statement with a syntax error: guesses at what its author meant, often in the syntax of another tool."""

from collections.abc import Sequence

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Fix, did_you_mean, near
from nnspec.spec_lang.report.known_words import KnownWords
from nnspec.spec_lang.source import Token

_NETWORK = "conv 3x3 x8 -> maxpool 2 -> dense 10 softmax"


def statement_meant(token: Token, words: KnownWords) -> str | None:
    """Return the statement that the first token of a line names, also in another spelling, or None."""
    if token.type not in ("NAME", "LABEL", "OPTION"):
        return None
    name = token.text.partition("=")[0].rstrip(" \t:")
    return name if name in words.statements else foreign.meant(name, words.statements)


def example_of(word: str, words: KnownWords) -> str:
    """Return a line that shows how a layer or a statement is written."""
    return words.layers.get(word) or words.statements[word]


def advice(tokens: Sequence[Token], index: int, words: KnownWords) -> str | None:
    """Return help for a line whose token at `index` does not fit; the index after the last token is the line's end."""
    rules = (_from_the_start, _from_the_token_before, _from_the_token)
    return next((help for rule in rules if (help := rule(tokens, index, words)) is not None), None)


def _from_the_start(tokens: Sequence[Token], index: int, words: KnownWords) -> str | None:
    """Return help for a line that begins in the syntax of another language."""
    first = tokens[0]
    meant = statement_meant(first, words)
    if first.type == "OPTION" and index == 0:
        return _assignment(first, words)
    if first.type == "LABEL" and meant is not None and index == 1:
        rest = first.source.text[first.end : tokens[-1].end].strip()
        return f"a statement has no colon: write {f'{meant} {rest}' if rest else example_of(meant, words)}"
    types = [token.type for token in tokens[1:]]
    if (
        first.type in ("LET", "SWEEP")
        and index == 1
        and len(types) == 2
        and types[0] == "NAME"
        and types[1:] != ["EQUAL"]
    ):
        return f"write {first.text} {tokens[1].text} = {tokens[2].text}"
    if first.type == "VARIANT" and len(tokens) > 1 and tokens[1].type in ("NAME", "LABEL"):
        return f"write variant {tokens[1].text.rstrip(':')} {{ … }}, a statement on each line between the braces"
    if first.type in ("LET", "SWEEP", "EXPECT", "BLOCK", "INCLUDE", "VARIANT"):
        return {
            "LET": "write let width = 16",
            "SWEEP": "write sweep optimizer.lr = 0.1, 0.01 or a range, sweep optimizer.lr = log 1e-4..1e-1",
            "EXPECT": "write expect accuracy >= 95 %",
            "BLOCK": "write block name(width) = conv 3x3 x$width -> relu",
            "INCLUDE": 'write include "base.nnspec"',
            "VARIANT": "write variant name { … }, a statement on each line between the braces",
        }[first.type]
    if index == 0 and first.type in ("INT", "NUMBER", "SIZE", "COUNT"):
        return f"a line begins with a word: a layer, as in {_NETWORK}, or a setting, as in train 5 epochs"
    return None


def _assignment(token: Token, words: KnownWords) -> str:
    """Return help for a line such as `lr=0.1` or `optimizer=adam`."""
    name, _, value = (part.strip() for part in token.text.partition("="))
    if name.lower() in foreign.LENGTHS:
        return f"write train {value} {foreign.LENGTHS[name.lower()]}"
    statement, _, option = name.rpartition(".")
    for home, options in words.options.items():
        known = option if option in options else foreign.option_meant(option, options)
        if known is not None and statement in ("", home):
            plain = " ".join(part for part in example_of(home, words).split() if "=" not in part)
            return f"it is an option of {home}: write {plain} {known}={value}"
    meant = statement_meant(token, words)
    if meant is not None:
        return f"a statement has no equals sign: write {meant} {value}"
    return f"a line begins with a word; a value of your own is written let {option} = {value}"


def _from_the_token_before(tokens: Sequence[Token], index: int, words: KnownWords) -> str | None:
    token = tokens[index] if index < len(tokens) else None
    before = tokens[index - 1] if index else None
    if before is None:
        return None
    if before.type == "EQUAL":
        option = tokens[index - 2].text if index >= 2 else "name"
        reserved = token is not None and token.type != "NAME" and token.text.isalpha()  # let, block, repeat …
        return f'write {option}="{token.text}", in quotes' if token and reserved else f"write a value after {option}="
    if before.type == "ARROW":
        return "write a layer after the arrow" if token is None or token.type != "ARROW" else "one arrow is enough"
    if token is not None and token.type == "LPAR" and before.type == "NAME":
        example = example_of(_layer_meant(before.text, words), words)
        return f"write arguments after the word, without parentheses: {example}"
    if token is not None and token.type == "LPAR" and before.type == "REPEAT":
        return "write how often: repeat 3 ( … )"
    if before.type == "REPEAT" and token is not None and token.type == "NUMBER":
        return "repeat takes a whole number: write repeat 3 ( … )"
    if before.type == "REPEAT" or (index >= 2 and tokens[index - 2].type == "REPEAT"):
        return "write repeat 3 ( … ), the part that is repeated in parentheses"
    return None


def is_call_of_a_program(token: Token) -> bool:
    """Return whether a token begins a call in a program, such as `model.fit(`."""
    return token.type == "DOTTED" and token.source.text.startswith("(", token.end)


def dotted_advice(token: Token, words: KnownWords) -> tuple[str | None, Fix | None]:
    """Return help for a word with dots, which is valid only as a key or in quotes."""
    first, *_, last = token.text.split(".")
    if first in words.statements:
        return f"an option is part of its statement: write {example_of(first, words)}", None
    layer = foreign.meant(last, words.layers, with_arguments=True)
    if layer is None and is_call_of_a_program(token):
        statement = foreign.meant(last, words.statements) or "optimizer"
        return f"a spec is no program: a line is a word and its arguments, as in {example_of(statement, words)}", None
    quoted = f'"{token.text}"'
    return did_you_mean(layer, token.span) if layer else (f"write a path in quotes: {quoted}", Fix(token.span, quoted))


def _layer_meant(name: str, words: KnownWords) -> str:
    """Return the layer or statement that a word before parentheses means."""
    known = {**words.layers, **words.statements}
    meant = foreign.meant(name, known, with_arguments=True)
    return meant or (name if name in known else near(name, known)) or "conv"


def _from_the_token(tokens: Sequence[Token], index: int, words: KnownWords) -> str | None:
    if index == len(tokens):
        return None
    token = tokens[index]
    match token.type:
        case "COMMA" if [t.type for t in tokens[index - 1 : index + 2]] == ["INT", "COMMA", "INT"]:
            return f"write {tokens[index - 1].text}{tokens[index + 1].text}, without the comma"
        case "COMMA":
            return "separate arguments by spaces, not commas"
        case "ARROW" if index == 0:
            return "write a layer before the arrow"
        case _ if token.text in words.merges:
            joined = {t.text for t in tokens[:index] if t.text in words.merges}
            if joined - {token.text}:
                first, second = sorted((token.text, (joined - {token.text}).pop()), key=list(words.merges).index)
                return f"{first} and {second} are not mixed: give one of them parentheses of its own"
            return f"write branches in parentheses: (conv 3x3 x8 pad=same {token.text} skip)"
        case "EQUAL":
            if index and tokens[index - 1].type != "NAME":
                return "an equals sign is only in options, which are written name=value"
            return f"write {tokens[index - 1].text}=VALUE" if index else None
        case "OPTION" | "INT" | "NUMBER" | "SIZE" | "COUNT" if tokens[index - 1].type == "RPAR":
            return "write options after a layer, inside the parentheses"
        case "LBRACE":
            return "braces are for variants: variant name { … }"
        case "NAME" if tokens[index - 1].type == "RPAR":
            return "write -> before the next layer"
    return None
