"""nnspec sample: generate text with a network."""

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_note, print_result


@click.command(
    cls=Verb,
    section=Section.ANSWERS,
    examples=(
        "nnspec sample runs/dinos",
        "nnspec sample runs/dinos -n 5 --prompt tyr --temperature 0.7 --seed 1",
        "nnspec sample runs/book --top-k 5 --length 1000",
    ),
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.option("--prompt", metavar="TEXT", default="", help="The beginning of each text.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    default=1.0,
    metavar="T",
    help="1 samples from the network's probabilities, less favours probable characters, 0 takes the most probable.",
)
@click.option(
    "--top-k", type=click.IntRange(min=1), metavar="K", help="Sample only from the K most probable characters."
)
@click.option(
    "-n",
    "count",
    type=click.IntRange(min=1),
    default=None,
    metavar="COUNT",
    help="Number of texts.  [default: 10 for a network of lines, else 1]",
)
@click.option("--length", type=click.IntRange(min=1), metavar="L", help="The maximum length of a text in characters.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    help="The same seed gives the same text.  [default: a random one, which is printed]",
)
@json_flag
def command(
    checkpoint: str,
    prompt: str,
    temperature: float,
    top_k: int | None,
    count: int | None,
    length: int | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Generate text with a network that was trained on text.

    CHECKPOINT is a file or a run's folder, which means its last.h5. Each character is sampled from the probabilities
    that the network predicts. Recurrent layers carry their states from character to character; a transformer sees the
    last characters, as many as a sample has. A network of lines, such as names, begins and ends each line itself. With
    the seed that is printed you can generate the same text again.
    """
    import secrets

    from nnspec.cli.checkpoint import open_to_ask
    from nnspec.runtime.infer.sampling import SamplingOptions, TextGenerator

    _, saved = open_to_ask(checkpoint)
    chosen = seed if seed is not None else secrets.randbelow(2**31)
    generator = TextGenerator(saved.network, chosen, SamplingOptions(temperature, top_k), length)
    times = count or (10 if generator.lines else 1)
    if as_json:
        print_json(seed=chosen, samples=["".join(generator.generate(prompt)) for _ in range(times)])
        return
    if seed is None:
        print_note(f"sampled with --seed {chosen}")
    for number in range(times):
        if number and not generator.lines:
            print_result("")
        for character in generator.generate(prompt):
            print_result(character, end="")
        print_result("")
