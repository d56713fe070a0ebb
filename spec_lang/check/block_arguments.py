"""The arguments of a block's use → its parameters, as a function call binds them."""

from collections.abc import Container, Sequence

from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.syntax.tree import Argument, Call, Option, Value


def block_arguments(
    call: Call, parameters: Sequence[str], arguments: Sequence[Argument], defaults: Container[str] = ()
) -> tuple[dict[str, Value] | None, Diagnostic | None]:
    """Return the value of each parameter, or None and what is wrong with the arguments.

    Options fill the parameters of their names, bare values the others in order. `arguments` are those of `call` with
    their variables replaced. Parameters with one of the `defaults` may be left out, and then have no value here.
    """
    named = [argument for argument in arguments if isinstance(argument, Option)]
    given = {option.name: option.values[0] for option in named}
    bare = [argument for argument in arguments if isinstance(argument, Value)]
    free = [parameter for parameter in parameters if parameter not in given]
    takes = ", ".join(parameters) if parameters else "no arguments"
    needed = [name for name in parameters if name not in defaults]
    help = f"write {' '.join([call.word, *(f'${name}' for name in needed)])}"
    repeated = next((option for n, option in enumerate(named) if option.name in [o.name for o in named[:n]]), None)
    listed = next((option for option in named if len(option.values) > 1), None)
    unknown = next((option for option in named if option.name not in parameters), None)
    if repeated is not None:
        return None, Diagnostic("E106", f"{repeated.name} is given twice", repeated.span, help="leave one of them out")
    if listed is not None:
        return None, Diagnostic("E201", f"{listed.name} takes one value", listed.span)
    if unknown is not None:
        message = f'{call.word} has no option "{unknown.name}", it takes {takes}'
        return None, Diagnostic("E102", message, unknown.name_span, help=help)
    if len(bare) > len(free):
        message = f"{call.word} takes {takes}, here are {len(bare)} values"
        return None, Diagnostic("E104", message, bare[len(free)].span, help=help)
    missing = next((parameter for parameter in free[len(bare) :] if parameter not in defaults), None)
    if missing is not None:
        return None, Diagnostic("E105", f"{call.word} needs its {missing}", call.span, help=help)
    return {**given, **dict(zip(free, bare, strict=False))}, None
