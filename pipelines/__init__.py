"""Recipes, the graph, runs, reports and the command line: the only room a user's command enters.

cli.py           the command line; its commands, in which texts become objects: run_commands.py, label_commands.py,
                 look_commands.py, setup_commands.py, store_commands.py; terminal.py what they share
recipe.py        what decides what a run does; recipes/ the named ones; models.py the engines by name
overrides.py     --set path.to.field=value
run.py           chunk after chunk to a dataset, resumable; worksite.py its folder, store and engines
graph.py         one chunk as a Beam graph; runner.py where it runs; external.py, worker_boot.py workers apart
beam_logs.py     what Beam says of itself, and is not to
progress.py      live, from the store; report.py what came out; card.py the dataset card
verification/    verifiers alone, over solutions that a file brings along
relabelling.py   other labels from the same evidence
evaluation.py    first-error F1; inspection.py labelled steps in the terminal; exporting.py outside layouts
bank.py          read, split and replay an outcome bank; bank_plan.py, bank_building.py make one
generated.py     problem files for the bundled model; doctor.py what works on this machine
"""
