"""The basic tables, grouped by decade as in ANSI C12.19."""
