"""What a file says of itself besides the graph: the names of classes and columns, and the spec it was made of."""

import json
from dataclasses import replace
from pathlib import PurePath

from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.spec import Spec


def metadata_of(network: Network, version: str) -> dict[str, str]:
    """Return the entries of `metadata_props`; lists of names are JSON.

    nnspec_version and spec, with every default filled in; task; and where they are known classes, features (the columns
    of the input) and vocabulary (the symbols, by their numbers).
    """
    fitted = network.preprocessing
    named = {"classes": network.classes, "features": fitted.features, "vocabulary": fitted.vocabulary}
    lists = {key: json.dumps(list(names), ensure_ascii=False) for key, names in named.items() if names is not None}
    return {"nnspec_version": version, "spec": spec_text(network.spec), "task": fitted.task, **lists}


def spec_text(spec: Spec) -> str:
    """Return the spec, without the folders of its data: a file says nothing of the computer it was made on."""
    data = spec.data
    if data is None:
        return canonical_text(spec)
    names = {field: PurePath(path).name for field, path in data.given_paths().items()}
    return canonical_text(replace(spec, data=data.model_copy(update=names)))
