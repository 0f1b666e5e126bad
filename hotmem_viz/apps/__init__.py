"""The lesson: composition only.

page        what every app has: an error panel, the newest wish wins
controls    a scenario's parameters as widgets
exhaustion  the exhaustion lesson
server      starting Voila and JupyterLab
"""
