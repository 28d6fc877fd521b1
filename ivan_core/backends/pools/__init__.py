"""Pools of reward models: where and how many at once score the tasks of a run."""
