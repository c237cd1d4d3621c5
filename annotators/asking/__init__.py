"""Ask about prefixes: what every rollout annotator shares.

prefix.py         ask about one prefix: seeds, chunks, what is kept on failure
rollout_plan.py   how many completions a prefix gets: fixed, by difficulty, early ends
difficulty.py     k by the problem's pass@1
zero_test.py      "is MC zero?" as a sequential test
asker.py          ask the prefixes of one solution by such a plan
"""
