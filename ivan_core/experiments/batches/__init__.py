"""Labels of a paid model by batches: estimate, confirmation, following, collecting."""
