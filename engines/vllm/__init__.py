"""A model run by vLLM on this machine.

spec.py          which model, with which of vLLM's arguments
engine.py        the engine
launch.py        how vLLM is started; environment.py in which environment
supervisor.py    starts it anew, once, when it dies
child.py         ends vLLM's processes when ours dies
"""
