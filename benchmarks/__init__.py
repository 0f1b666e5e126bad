"""The budgets of the design, measured: `make bench`.

Rows are ratios within one run wherever a clock is involved, because machines differ and are
shared. No test depends on them.

model     allocator and scenario: pages a second, work a step, memory
lessons   every scenario's time to record, and its sizes
start     `import hotmem_viz` over `import numpy`
playback  frames a second of every scenario with every panel, messages to the kernel meanwhile
browser   from slider to paint, the dashboard's first paint
"""
