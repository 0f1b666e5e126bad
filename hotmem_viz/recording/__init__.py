"""What happened: numbers on a shelf, complete in themselves.

recording  Recording and its tracks
cells      page frames to the map's cells
pair       two recordings on one time cursor
recorder   a run's ticks to a Recording
store      .npz files
"""
