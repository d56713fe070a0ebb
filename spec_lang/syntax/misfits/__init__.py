"""Statements that do not fit, read as what their author meant. Each reading is a small function under a decorator.

`reading.read` walks over a statement loosely. Where the language's own rules do not fit, it asks the readers of this
package: what they recognise, what that means, and what to write instead. A reading is offered only if the language
reads the new text without another misfit. Nothing here is accepted in a spec: it makes help and fixes.
"""
