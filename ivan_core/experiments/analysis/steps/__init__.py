"""The numbers of an analysis, table by table, as records by the columns of `tables.TABLES`."""
