"""What we tell: a machine, a workload and a seed, run step by step.

parameters  what a user may set, checked at the door
workloads   requests drawn beforehand, independent of outcomes
describe    the part of a recording's meta that a machine gives, and its counters
telling     events and captions in words, from the model's own numbers
exhaustion  kernel zones run dry while movable memory lies free
stop_machine  the mail's proposal; remap_parameters, remap_filling, remap_pause and
            remap_afterwards are its parts, remap_telling, remap_failures and remap_ending
            its words, remap_reading and remap_rows its numbers
starvation  page tables fill the kernel zones, so that free memory cannot be mapped
catalog     scenarios by name
"""
