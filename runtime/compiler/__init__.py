"""The compiler: graph → schedule → rewrites → plan → bound program.

    schedule = ExecutionSchedule.of(graph, loss, batch, training, …)     # decisions yet to be made
    schedule = rewritten(schedule)                              # rewrites.py, one decision each
    plan = assemble(schedule, dtype, normalized)             # the program as text; nothing allocated
    program = BoundProgram(plan, parameters, gradients, …)       # arrays exist from here on
    loss = program()

The text is what runs: `nnspec plan --code` prints it. What each layer writes stands in kernels/, what each means in
runtime/layers; the two are held against each other by the tests.
"""
