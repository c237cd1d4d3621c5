"""One module per outside format, both ways where both make sense.

    problems.py          the native problem row: JSONL, Parquet, a Hugging Face row
    answers.py           gold answers as data sets write them: where they stand and what type they are
    chat.py              chat messages and multiple-choice options of such rows
    gsm8k_solutions.py   GSM8K's example model solutions with their correctness
    bigbench_mistake.py  BIG-Bench-Mistake: traces and their first mistake, in
    processbench.py      ProcessBench: human-marked first errors, both ways
    fover.py             FoVer: steps marked by formal tools or people, both ways
    prm800k.py           PRM800K: steps that people rated, in
    trl.py               TRL stepwise supervision, out
    hf_card.py           the Hugging Face dataset card, out

Importers take one parsed row and give records; what they cannot read faithfully they refuse with a DataError.
Exporters give plain values, or a Reject where the layout cannot say what the row says.
"""
