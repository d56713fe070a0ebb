"""The compiler: graph → schedule → rewrites → plan → bound program.

    schedule = ExecutionSchedule.of(graph, loss, batch, training, …)  # no decision made yet
    schedule = rewritten(schedule)                                    # rewrites.py, one decision each
    plan = assemble(schedule, dtype, normalized)                      # programs as values; nothing allocated
    program = BoundProgram(plan, parameters, gradients, …)            # arrays exist from here on
    loss = program()

A program is a list of instructions on operands, which the kernels of the layers emit through a writer: see program/.
`signature` says what it is called with. Its text is what runs, and `nnspec plan --code` prints it. kernels/ has how
each layer is computed here, runtime/layers what it means; the tests compare the two.
"""
