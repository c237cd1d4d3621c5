"""Between texts and a model's token ids.

codec.py           prompts to ids, ids to text, stop strings
pieces.py          tokens of a text behind another, and the text of such tokens
chat_template.py   a model's chat template, its thinking switch and its turn's end
"""
