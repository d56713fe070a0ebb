"""The program of a network as a header and a source of C99."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.exchange.ways.c.kernels import needed
from nnspec.exchange.ways.c.program import Argument, Constant, Part, Program, Room
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.shape import Shape

INCLUDES = "#include <math.h>\n#include <stdint.h>\n#include <string.h>"
"""All that the source needs of a library."""

WIDTH = 116
"""Characters of a line of numbers."""


@dataclass(frozen=True)
class Described:
    """What the files say of a network besides its program.

    `symbol` is the C identifier, `title` the name of the network, `about` the lines of the first comment. `classes` are
    the names of the classes, None without them. `examples` are samples (n, numbers), their answers, and the tolerance.
    """

    symbol: str
    title: str
    input_shape: Shape
    output_shape: Shape
    about: Sequence[str]
    classes: Sequence[str] | None
    examples: tuple[Array, Array, float]


def header(described: Described, program: Program) -> str:
    """Return the text of the header."""
    symbol, upper = described.symbol, described.symbol.upper()
    macros = {
        "INPUT_SIZE": (described.input_shape.size, f"numbers of a sample, {described.input_shape}, in C order"),
        "OUTPUT_SIZE": (described.output_shape.size, f"numbers of an answer, {described.output_shape}"),
        "WEIGHT_BYTES": (weight_bytes(program), "constants, in flash"),
        "BUFFER_BYTES": (buffer_bytes(program), "static memory, in RAM"),
    }
    lines = [_comment(described.about), f"#ifndef {upper}_H", f"#define {upper}_H", "", "#ifdef __cplusplus"]
    lines += ['extern "C" {', "#endif", ""]
    wide = max(map(len, macros)) + len(upper) + 1
    lines += [f"#define {f'{upper}_{name}':{wide}} {value} /* {says} */" for name, (value, says) in macros.items()]
    if described.classes is not None:
        lines += ["", "/* The names of the classes, in the order of the outputs. */"]
        lines += [f"#define {upper}_CLASSES {len(described.classes)}"]
        lines += [f"extern const char *const {symbol}_classes[{upper}_CLASSES];"]
    says = "Computes the answer for a raw sample. Its memory is static: one call at a time. The arrays may not overlap."
    lines += ["", _comment([says]).strip(), f"void {symbol}_predict(const float *input, float *output);", ""]
    lines += ["#ifdef __cplusplus", "}", "#endif", "", "#endif", ""]
    return "\n".join(lines)


def source(described: Described, program: Program) -> str:
    """Return the text of the source."""
    said = f"{described.title}. What it computes, and how to test this file, is in {described.symbol}.h."
    parts = [
        _comment([said]),
        f'#include "{described.symbol}.h"\n\n{INCLUDES}',
        *kernel_texts([program]),
        *network_texts(described.symbol, program),
    ]
    if described.classes is not None:
        names = "".join(f"    {_string(name)},\n" for name in described.classes)
        parts.append(f"const char *const {described.symbol}_classes[{len(described.classes)}] = {{\n{names}}};")
    parts.append(_self_test(described))
    return "\n\n".join(parts) + "\n"


def kernel_texts(programs: Sequence[Program]) -> list[str]:
    """Return the types and the functions that programs use, each after what it uses."""
    used: set[str] = set()
    for program in programs:
        used |= {call.kernel for call in program.calls} | {constant.type for constant in program.constants}
        used |= {"padded"} if program.count_padding else set()
    return needed(used)


def network_texts(symbol: str, program: Program) -> list[str]:
    """Return the constants of a program, its memory, and the function that calls the kernels."""
    return [*map(constant_text, program.constants), *_predict(symbol, program)]


def weight_bytes(program: Program) -> int:
    """Return the bytes of all constants."""
    return sum(constant.bytes for constant in program.constants)


def buffer_bytes(program: Program) -> int:
    """Return the bytes of all static memory."""
    return program.plan()[1].size


def constant_text(constant: Constant) -> str:
    """Return the definition of a constant."""
    if not isinstance(constant.value, np.ndarray):
        fields = ", ".join(f".{name} = {value}" for name, value in constant.value.items())
        return f"static const {constant.type} {constant.name} = {{\n{_wrapped(fields)}\n}};"
    head = f"static const {constant.type} {constant.name}[{constant.value.size}] = {{"
    return f"{head}\n{_numbers(constant.value)}\n}};"


def _numbers(values: Array) -> str:
    """Return numbers as lines of text: floats with nine digits, which are exact in float32."""
    if values.dtype.kind == "f":
        words = [float_text(value) for value in values.tolist()]
    else:
        words = [str(value) for value in values.tolist()]
    each = max(WIDTH // (max(map(len, words)) + 2), 1)
    return ",\n".join(f"    {', '.join(words[i : i + each])}" for i in range(0, len(words), each))


def float_text(value: float) -> str:
    """Return a float32 as a constant of C."""
    text = f"{value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def _predict(symbol: str, program: Program) -> list[str]:
    """Return the memory, if any is needed, and the function."""
    inside, plan = program.plan()
    upper = symbol.upper()
    lines = [f"    const int padding = padded(input, {upper}_INPUT_SIZE);"] if program.count_padding else []
    for room, offset in zip(inside, plan.offsets, strict=True):
        where = f"{program.arena} + {offset // 4}"
        where = where if room.kind == "float" else f"({room.kind} *)({where})"
        lines.append(f"    {room.kind} *const {room.name} = {where}; /* {room.size} numbers */")
    for call in program.calls:
        if call.comment:
            lines += ["", f"    {_comment([call.comment]).strip()}"]
        lines.append(f"    {call.kernel}({', '.join(map(_argument, call.arguments))});")
    body = "\n".join(lines)
    head = f"void {symbol}_predict(const float *input, float *output)"
    memory = "/* The arrays between layers. Those that are not used at the same time share memory. */\n"
    memory += f"static float {program.arena}[{plan.size // 4}];"
    return [*([memory] if plan.size else []), f"{head}\n{{\n{body}\n}}"]


def _argument(argument: Argument) -> str:
    match argument:
        case Part(room, start):
            return f"{_argument(room)} + {start}" if start else _argument(room)
        case Room():
            return argument.name if argument.place == "arena" else argument.place
        case float():
            return float_text(float(np.float32(argument)))
        case _:
            return str(argument)


def _self_test(described: Described) -> str:
    """Return a program that predicts samples and compares, in the source under a macro."""
    upper, symbol = described.symbol.upper(), described.symbol
    samples, answers, tolerance = described.examples
    constants = [
        constant_text(Constant(name, "float", values.astype(np.float32).reshape(-1)))
        for name, values in (("test_samples", samples), ("test_answers", answers))
    ]
    return "\n\n".join(
        [
            f"#ifdef {upper}_SELFTEST\n#include <stdio.h>",
            *constants,
            f"""\
/* Predicts {len(samples)} samples of the data; returns 0 if the answers are those of the network. */
int main(void)
{{
    static float answer[{upper}_OUTPUT_SIZE];
    const float tolerance = {float_text(float(np.float32(tolerance)))};
    float worst = 0.0f;
    int sample, i;
    for (sample = 0; sample < {len(samples)}; sample++) {{
        {symbol}_predict(test_samples + sample * {upper}_INPUT_SIZE, answer);
        for (i = 0; i < {upper}_OUTPUT_SIZE; i++) {{
            const float error = fabsf(answer[i] - test_answers[sample * {upper}_OUTPUT_SIZE + i]);
            if (!(error <= worst))
                worst = error;
        }}
    }}
    printf("{symbol}: the largest error is %g, %g is allowed\\n", (double)worst, (double)tolerance);
    return worst <= tolerance ? 0 : 1;
}}
#endif""",
        ]
    )


def _comment(paragraphs: Sequence[str]) -> str:
    """Return a comment of these paragraphs, in one line where it fits."""
    safe = [text.replace("*/", "* /").replace("/*", "/ *") for text in paragraphs]
    if len(safe) == 1 and len(safe[0]) < WIDTH:
        return f"/* {safe[0]} */"
    lines = [line for text in safe for line in (textwrap.wrap(text, WIDTH) or [""])]
    return "\n".join(["/*", *(f" * {line}".rstrip() for line in lines), " */"])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _string(text: str) -> str:
    """Return a text as a string of C in UTF-8."""
    plain = '"'
    for byte in text.encode():
        plain += chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
    return f'{plain}"'
