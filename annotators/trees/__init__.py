"""Annotators of one problem: searches whose tree spans all of its solutions.

omegaprm.py      OmegaPRM's search over a problem's tree
rollout_pool.py  which wrong rollout to search next: Q + U
pieces.py        steps of even length
mcts.py          MCTS over steps
mcts_tree.py     UCT, backup, route values
next_step.py     propose one step
state_value.py   what an external value function looks like
tree.py          what both searches share
"""
