"""The language server: the features of nnspec.spec_lang.editor over the Language Server Protocol 3.17.

It needs pygls, which `pip install 'nnspec[lsp]'` installs; `nnspec lsp` starts it. A feature is a file in `features`,
a function with `@answers`: it asks a View, one version of a document, and never the server.
"""
