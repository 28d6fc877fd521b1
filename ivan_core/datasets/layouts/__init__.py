"""How the field's preference data is laid out: one small file a layout, all listed in `known`."""
