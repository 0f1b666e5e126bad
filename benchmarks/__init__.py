"""The budgets of the design, measured: `make bench`.

Rows are ratios within one run wherever a clock is involved, because machines differ and are
shared. No test depends on them.

model    allocator and scenario: pages a second, work a step, memory, a lesson's size and time
browser  frames a second, from slider to paint, the dashboard's first paint
start    `import hotmem_viz` over `import numpy`
"""
