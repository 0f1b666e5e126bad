"""Still pictures and films of a recording, straight from palette indices.

groups     sections of one node and zone, and where the runs of absent sections lie
layout     where every section and cell of the map stands: the stage's own arrangement
hatches    the second channel: tiles of the stage's hatches, as palette indices
inks       a palette of at most 255 colours, with the shades that text needs
sheet      an array of palette indices, and what can be put on it
memmap     the map: furniture once, cells at every tick
section_frames  the states of sections, in the frames of their blocks
words      title, legend, totals, transport and caption around the map
frame      a whole picture, a pure function of (recording, tick)
film       which ticks are shown for how long; .gif
video      the same as .mp4, by ffmpeg

Nothing is imported here: `sheet` loads Pillow once letters are written.
"""
