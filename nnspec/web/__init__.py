"""The front end that the pages of the project share: modules, styles and the bundled editor, in `STATIC`.

The modules need no build step. `editor.js` makes an editor from an object of promises, `{analyse, complete, hover}`,
which answer as the functions of `nnspec.spec_lang.editor.page` do. `make web` makes `vendor/`.
"""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""The folder of the files, as a browser loads them."""
