"""How it looks: pure pictures first, then one widget and one exported page.

palette    colours, glyphs, hatches and words of every page kind: the single source
raster     cells of the map <-> page frames, and a recording's frame as a picture
wire       the only maker of bytes that the browser reads
bundle     the browser's modules joined into one text
figures    matplotlib: time chart, map, printed pages
charts     the chart of whatever the stage shows
svg        a figure as an SVG without words
stage      the anywidget
page       one HTML file that plays from disk
display    what a Recording shows when a notebook displays it

Nothing is imported here: `stage` loads anywidget and `figures` loads matplotlib.
"""
