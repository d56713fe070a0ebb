"""The compiler: graph → draft → rewrites → plan → bound program.

    draft = Draft.of(graph, loss, batch, training, …)     # decisions yet to be made
    draft = rewritten(draft)                              # rewrites.py, one decision each
    plan = assemble(draft, dtype, normalized)             # the program as text; nothing allocated
    program = Bound(plan, parameters, gradients, …)       # arrays exist from here on
    loss = program()

The text is what runs: `nnspec plan --code` prints it. What each layer writes stands in kernels/, what each means in
runtime/layers; the two are held against each other by the tests.
"""
