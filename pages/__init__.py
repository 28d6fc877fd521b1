"""The pages of the dashboard. They draw; what they draw comes from `ivan_core`."""
