"""A page of the language: the network of a checkpoint as a spec with every default written out.

Models of other frameworks become pages in `nnspec.exchange.models`.
"""

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.export import Files, Leaving, way
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.summary import known_words


@way("spec", (".nnspec",), "a page of the language, with every default written out", replaces=False)
def spec(leaving: Leaving) -> Files:
    """Write the page, and compute the samples with the network that it says. Raises ExchangeError where they differ."""
    network = leaving.network
    text = format_source(canonical_text(network.spec), known_words())
    fitted = network.preprocessing
    classes = len(fitted.classes) if fitted.classes else None
    said = check_source(Source("the page", text), input_shape=fitted.input_shape, classes=classes)
    again = Network(said, fitted, network.dtype)
    again.set_parameters(network.parameters)
    again.set_buffers(network.buffers)
    if not (again.predict(leaving.samples) == leaving.answers).all():
        raise ExchangeError("the page does not compute what the network does")
    return Files(
        {".nnspec": text.encode()}, (f"{said.parameter_count:,} parameters; the weights stay in the checkpoint",)
    )
