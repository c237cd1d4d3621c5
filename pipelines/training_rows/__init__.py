"""Rows that trainers of policies and judges read, made of labels and evidence: what `steplabel export` writes.

    layout.py        what a layout is, and labels beside the evidence of their problem
    pairs.py         step preferences among siblings: Step-DPO, Step-Q
    corrections.py   GLoRe's refinements, InT's prefixes
    last_steps.py    FoVer's prefixes, as many that end right as wrong

Layouts that say a labelled solution as it is, such as TRL's, stand in `schemas/layouts`.
"""
