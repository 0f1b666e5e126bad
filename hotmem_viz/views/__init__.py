"""How it looks: pure pictures first, then one widget and one exported page.

palette    colours, glyphs, hatches and words of every page kind: the single source
raster     cells of the map <-> page frames
wire       the only maker of bytes that the browser reads
bundle     the browser's modules joined into one text
figures    matplotlib: the time chart
charts     the chart of whatever the stage shows
svg        a figure as an SVG without words
picture    a tick as palette indices, and films of them: .gif, .mp4
printed    matplotlib: a tick as .png, the chart as .svg and .pdf
stage      the anywidget
page       one HTML file that plays from disk
display    what a Recording shows when a notebook displays it

Nothing is imported here: `stage` loads anywidget and `figures` loads matplotlib.
"""
