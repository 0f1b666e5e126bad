"""The lesson: composition only.

page        what every app has: an error panel, the newest wish wins
controls    a scenario's parameters as widgets
scenario    any scenario, by what its parameters declare
exhaustion  the exhaustion lesson
strategies  two strategies on the stage, six on the scoreboard
lesson      which of them a scenario has, or a link asks for
dashboard   all scenarios, a tab each
server      starting Voila and JupyterLab
"""
